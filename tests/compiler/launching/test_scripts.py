"""Launch scripts: which Python they take, where they start, what they say and how they end."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from renaissance.compiler import compile
from renaissance.compiler.errors import CompileError
from renaissance.compiler.launching import Placement
from renaissance.grammar import load

HAS_ALL = '#!/bin/sh\ncase "$*" in -c*find_spec*) echo True; exit 0;; esac\n'
"""A Python that has what is wanted; what it does else follows."""


@pytest.fixture
def folder(experiment: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A job folder, compiled where its data start."""
    monkeypatch.chdir(experiment)
    return compile(load(experiment / "small.vl"), tmp_path / "a job's folder", None, Placement())


def python(path: Path, body: str) -> Path:
    path.write_text(HAS_ALL + body)
    path.chmod(0o755)
    return path


def launched(script: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [script],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_both_scripts_are_whole(folder: Path) -> None:
    for name in ("launch.sh", "slurm.sh"):
        subprocess.run(["bash", "-n", folder / name], check=True)
        assert os.access(folder / name, os.X_OK)


def test_one_process_runs_without_torchrun(folder: Path, tmp_path: Path, experiment: Path) -> None:
    fake = python(tmp_path / "python", 'echo "$(pwd) $TORCH_ELASTIC_SHUTDOWN_TIMEOUT $*"\nexit 3\n')
    done = launched(folder / "launch.sh", PYTHON=str(fake))
    assert done.stdout.strip() == f"{experiment} 240 -m renaissance run {folder}"
    assert done.returncode == 3


def test_the_interpreter_that_compiled_the_folder_is_taken(folder: Path) -> None:
    assert f"compiled_by={sys.executable}\n" in (folder / "launch.sh").read_text()


def test_another_interpreter_is_found_on_the_path(folder: Path, tmp_path: Path) -> None:
    script = folder / "launch.sh"
    script.write_text(script.read_text().replace(sys.executable, "/gone/python"))
    (tmp_path / "bin").mkdir()
    python(tmp_path / "bin/python3", "echo taken\n")
    done = launched(script, PATH=f"{tmp_path}/bin:/usr/bin:/bin")
    assert done.stdout == "taken\n"


def test_a_machine_without_torch_gets_one_sentence(folder: Path, tmp_path: Path) -> None:
    bare = tmp_path / "python"
    bare.write_text("#!/bin/sh\nexit 1\n")
    bare.chmod(0o755)
    done = launched(folder / "launch.sh", PYTHON=str(bare))
    assert done.returncode == 2
    assert done.stderr == f"error: PYTHON is {bare}, which has no torch or no renaissance\n"
    script = folder / "launch.sh"
    script.write_text(script.read_text().replace(sys.executable, "/gone/python"))
    shutil.copy(bare, tmp_path / "python3")
    done = launched(script, PATH=f"{tmp_path}:/usr/bin:/bin")
    assert done.returncode == 2
    assert done.stderr.startswith("error: no Python here has torch and renaissance; set PYTHON")
    assert done.stderr.count("\n") == 1


def test_a_program_that_is_no_python_is_not_taken_for_one(folder: Path) -> None:
    done = launched(folder / "launch.sh", PYTHON="/bin/true")
    assert done.returncode == 2
    assert done.stderr == "error: PYTHON is /bin/true, which has no torch or no renaissance\n"


@pytest.mark.parametrize("name", ["launch.sh", "slurm.sh"])
@pytest.mark.parametrize("number", ["0", "two", "-1", "1.5"])
def test_a_number_of_processes_that_is_none(
    folder: Path, tmp_path: Path, name: str, number: str
) -> None:
    fake = python(tmp_path / "python", "echo started\n")
    done = launched(folder / name, PYTHON=str(fake), PROCESSES=number)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"error: PROCESSES is {number}, which is no number of processes from 1 on\n"
    )


def test_a_moved_folder_says_where_its_paths_started(folder: Path, tmp_path: Path) -> None:
    fake = python(tmp_path / "python", "pwd\n")
    script = folder / "launch.sh"
    gone = script.read_text().replace("compiled_in=", "compiled_in=/gone")
    script.write_text(gone)
    done = launched(script, PYTHON=str(fake))
    assert done.returncode == 2
    assert "where the relative path pairs.csv of the spec starts; set WORKING_FOLDER" in done.stderr
    assert done.stderr.count("\n") == 1
    done = launched(script, PYTHON=str(fake), WORKING_FOLDER=str(tmp_path))
    assert done.stdout == f"{tmp_path}\n"


def test_the_end_of_several_processes_is_that_of_the_run(folder: Path, tmp_path: Path) -> None:
    body = f"""
case "$*" in
  *torch.distributed.run*) echo '{{"code": 143}}' > "$FOLDER/exit.json"; exit 1;;
  *) exec {sys.executable} "$@";;
esac
"""
    fake = python(tmp_path / "python", body)
    (folder / "exit.json").write_text('{"code": 77}')
    environment = {"PYTHON": str(fake), "PROCESSES": "2", "FOLDER": str(folder)}
    assert launched(folder / "launch.sh", **environment).returncode == 143
    fake = python(tmp_path / "python", f"exec {sys.executable} /gone.py\n")
    assert launched(folder / "launch.sh", **environment).returncode == 2


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1])
def test_a_signal_is_passed_on_and_waited_for(
    folder: Path, tmp_path: Path, number: signal.Signals
) -> None:
    body = f"""
case "$*" in
  *torch.distributed.run*)
    trap 'sleep 0.3; echo saved > "$FOLDER/saved"; exit 1' TERM
    echo ready
    while :; do sleep 0.05; done;;
  *) exec {sys.executable} "$@";;
esac
"""
    fake = python(tmp_path / "python", body)
    environment = {**os.environ, "PYTHON": str(fake), "PROCESSES": "2", "FOLDER": str(folder)}
    running = subprocess.Popen(
        [folder / "launch.sh"], env=environment, stdout=subprocess.PIPE, text=True
    )
    assert running.stdout is not None and running.stdout.readline() == "ready\n"
    running.send_signal(number)
    running.communicate(timeout=30)
    assert (folder / "saved").exists()
    assert running.returncode != 0


def test_slurm_is_asked_for_what_was_wanted(experiment: Path, tmp_path: Path) -> None:
    spec = load(experiment / "small.vl")
    placement = Placement(nodes=4, gpus=8, hours=1.5)
    script = (compile(spec, tmp_path / "job", None, placement) / "slurm.sh").read_text()
    for line in (
        "--job-name=small",
        "--nodes=4",
        "--gpus-per-node=8",
        "--cpus-per-task=64",
        "--time=01:30:00",
        "--signal=B:USR1@300",
    ):
        assert f"#SBATCH {line}\n" in script
    script = (compile(spec, tmp_path / "cpu", None, Placement(gpus=0)) / "slurm.sh").read_text()
    assert "gpus-per-node" not in script and "--time=24:00:00" in script


@pytest.mark.parametrize(
    ("placement", "sentence"),
    [
        (Placement(nodes=0), "at least one node"),
        (Placement(gpus=-1), "at least one node"),
        (Placement(hours=0.08), "longer than the 300 seconds"),
        (Placement(hours=1e9), "at most a year"),
        (Placement(hours=float("nan")), "at most a year"),
    ],
)
def test_what_no_cluster_gives_is_refused(
    experiment: Path, tmp_path: Path, placement: Placement, sentence: str
) -> None:
    with pytest.raises(CompileError, match=sentence):
        compile(load(experiment / "small.vl"), tmp_path / "job", None, placement)
    assert not (tmp_path / "job").exists()


def test_a_folder_that_moved_is_found_from_inside_it(folder: Path, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere"
    folder.rename(moved)
    tools = tmp_path / "bin"
    tools.mkdir()
    python(tools / "scontrol", "echo n1\n")
    python(tools / "srun", 'echo "$*"\n')
    fake = python(tmp_path / "python", "exit 0\n")
    environment = {
        "PATH": f"{tools}:{os.environ['PATH']}",
        "PYTHON": str(fake),
        "SLURM_JOB_ID": "7",
        "SLURM_JOB_NODELIST": "n1",
        "SLURM_NNODES": "1",
    }
    done = launched(moved / "slurm.sh", **environment, SLURM_SUBMIT_DIR=str(moved))
    assert f"-m renaissance run {moved}" in done.stdout
    assert "--rdzv-id 7-0 --rdzv-endpoint n1:20007" in done.stdout
    done = launched(moved / "slurm.sh", **environment, SLURM_SUBMIT_DIR=str(tmp_path))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: the job folder is not where it was; submit from inside it\n"

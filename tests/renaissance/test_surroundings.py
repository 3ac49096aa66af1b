"""Damaged files, missing rights, full disks and odd names: one sentence each, never a bug."""

import json
import os
import resource
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from renaissance.cli import main
from renaissance.grammar.canonical import print_spec
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime import jobs
from renaissance.runtime.surroundings import sentence
from tests.rights import no_power_over_files
from tests.runs import last_bytes

JOBS = ("base", "vqa", "exam")


@pytest.fixture
def spec_file(tiny_spec: Callable[..., Spec], tmp_path: Path) -> Path:
    """The tiny experiment as a file."""
    path = tmp_path / "tiny.vl"
    path.write_text(print_spec(tiny_spec()))
    return path


@pytest.fixture(autouse=True)
def no_report(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every model is planned for the page, which takes longer than the tiny run."""
    monkeypatch.setattr(jobs, "write_report", lambda folder: folder / "report.html")


@pytest.fixture
def call(capfd: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """A function that runs a command line; it returns the exit code and what was said."""

    def run(*arguments: object) -> tuple[int, str]:
        code = main([str(argument) for argument in arguments])
        said = capfd.readouterr().err
        assert "VL901" not in said and "Traceback" not in said, said
        errors = [line for line in said.splitlines() if line.startswith("error")]
        assert code in (0, 1, 2, 3), said
        assert len(errors) == (code != 0), said
        return code, said

    return run


def train(spec_file: Path, folder: Path) -> tuple[object, ...]:
    return ("train", spec_file, "-o", folder, "--device", "cpu")


def in_place(path: Path) -> None:
    path.unlink()
    path.mkdir()


def link_to_nothing(path: Path) -> None:
    path.unlink()
    path.symlink_to("/nowhere/at/all")


DAMAGES: dict[str, Callable[[Path], object]] = {
    "flipped": lambda path: path.write_bytes(
        bytes(b ^ 1 if n % 50 == 20 else b for n, b in enumerate(path.read_bytes()))
    ),
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-20]),
    "empty": lambda path: path.write_bytes(b""),
    "deleted": lambda path: path.unlink(),
    "no text": lambda path: path.write_bytes(b"\xff\xfe\x00garbage"),
    "a folder": in_place,
    "a link": link_to_nothing,
}
FILES = (
    "spec.json",
    "spec.vl",
    "base/result.json",
    "base/best.json",
    "vqa/tokenizer.json",
    "vqa/tokenizer.special.json",
    "vqa/log.jsonl",
    "vqa/checkpoints/step-00000006/state.json",
    "vqa/checkpoints/step-00000006/model.safetensors",
    "vqa/checkpoints/step-00000006/optimizer.safetensors",
    "exam/result.json",
)
CASES = [
    (file, damage)
    for place, file in enumerate(FILES)
    for number, damage in enumerate(DAMAGES)
    # Each file meets two kinds, each kind several files.
    if (number - place) % 7 in (0, 3)
]


@pytest.mark.parametrize(("file", "damage"), CASES)
def test_a_damaged_file_of_a_run(
    spec_file: Path,
    finished_run: Path,
    call: Callable[..., tuple[int, str]],
    file: str,
    damage: str,
) -> None:
    """The run ends as it would have, or says what is wrong; nothing else is lost."""
    results = {name: figures(finished_run / name) for name in JOBS}
    # The fine-tuning counts as not finished, so that its files are read.
    (finished_run / "vqa/result.json").unlink()
    DAMAGES[damage](finished_run / file)
    code, said = call(*train(spec_file, finished_run))
    if code == 0:
        assert {name: figures(finished_run / name) for name in JOBS} == results
    else:
        assert str(finished_run) in said
        assert damage in ("a folder", "a link") or "can be used" in said


def figures(job: Path) -> object:
    result = json.loads((job / "result.json").read_text())
    return {key: result[key] for key in ("metrics", "steps", "confusion", "answers")}


@pytest.mark.parametrize(
    ("closed", "mode", "verb"),
    [
        (".", 0o555, "train"),
        (".", 0o555, "eval"),
        (".lock", 0o444, "train"),
        ("base", 0o000, "train"),
        ("vqa/log.jsonl", 0o444, "train"),
        ("vqa/tensorboard", 0o555, "train"),
        ("vqa/checkpoints", 0o555, "train"),
        ("exam", 0o555, "eval"),
    ],
)
def test_a_run_folder_without_rights(
    spec_file: Path,
    finished_run: Path,
    call: Callable[..., tuple[int, str]],
    closed: str,
    mode: int,
    verb: str,
) -> None:
    (finished_run / "vqa/result.json").unlink()
    path = finished_run / closed
    before = path.stat().st_mode
    path.chmod(mode)
    try:
        with no_power_over_files():
            arguments = (verb, *train(spec_file, finished_run)[1:])
            code, said = call(*arguments)
    finally:
        path.chmod(before)
    if code:
        assert "ermission denied" in said or "has not finished" in said
    (finished_run / "vqa/result.json").unlink(missing_ok=True)
    assert call(*train(spec_file, finished_run))[0] == 0


@pytest.mark.parametrize("verb", ["train", "eval", "compile", "data", "plan", "run"])
def test_places_that_cannot_be(
    spec_file: Path, tmp_path: Path, call: Callable[..., tuple[int, str]], verb: str
) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "loop").symlink_to("loop")
    for place in ("file", "file/below", "loop", "x" * 300, "a/" * 2500, "\udce9"):
        if verb in ("data", "plan"):
            arguments: tuple[object, ...] = (verb, tmp_path / place / "no.vl")
        elif verb == "run":
            arguments = (verb, tmp_path / place)
        else:
            arguments = (verb, spec_file, "-o", f"{tmp_path}/{place}")
        if verb == "compile" and place == "\udce9":
            continue  # it may lie in a folder of any name
        code, said = call(*arguments)
        assert code == 2, said


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Let the operating system refuse files that grow beyond a size, as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.parametrize("size", [0, 1_000, 10_000])
def test_a_full_disk(
    spec_file: Path,
    finished: Path,
    tmp_path: Path,
    call: Callable[..., tuple[int, str]],
    capfd: pytest.CaptureFixture[str],
    size: int,
) -> None:
    folder = tmp_path / "run"
    # What is captured would be too large as well.
    with (
        capfd.disabled(),
        Path(os.devnull).open("w") as nowhere,
        redirect_stdout(nowhere),
        redirect_stderr(nowhere),
        largest_file(size),
    ):
        code = main([*map(str, train(spec_file, folder)), "--format", "json"])
    assert code == (2 if size <= 1_000 else 3)
    assert call(*train(spec_file, folder))[0] == 0
    assert last_bytes(folder, "vqa", 6) == last_bytes(finished, "vqa", 6)
    assert not list(folder.rglob(".draft-*"))


def test_an_answer_that_cannot_be_written(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with Path("/dev/full").open("w") as full:
        monkeypatch.setattr(sys, "stdout", full)
        assert main(["specs"]) == 2
        monkeypatch.undo()
    assert capsys.readouterr().err == "error: nothing can be written: the disk is full\n"


def test_no_home_and_no_entry_for_the_user(
    spec_file: Path,
    tmp_path: Path,
    call: Callable[..., tuple[int, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = spec_file.read_text()
    spec_file.write_text(
        text.replace("fusion cross", "freeze vision { cache = true }\n  fusion cross")
    )
    for name in ("HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)

    def unknown(*arguments: object) -> None:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", unknown)
    code, said = call(*train(spec_file, tmp_path / "run"))
    assert code == 0
    assert "are not kept" in said and "this user has no home folder" in said


def raised(code: str, module: str) -> BaseException:
    """The error that a function of a module raises when this package calls it."""
    namespace = {"__name__": module}
    exec(code, namespace)
    ours = {"__name__": "renaissance.compiler.something", "f": namespace["f"]}
    try:
        exec("f()", ours)
    except Exception as problem:
        return problem
    raise AssertionError("nothing was raised")


@pytest.mark.parametrize(
    ("code", "module", "said"),
    [
        ("def f(): assert False, 'Input height (200)'", "timm.models.maxxvit", "`timm` cannot do"),
        ("def f(): raise KeyError('vit')", "transformers.models.auto", "KeyError: 'vit'"),
        (
            "def f(): raise OSError('no such repo\\nat all')",
            "huggingface_hub.x",
            "no such repo at all",
        ),
        (
            "def f(): open('/no/such/file')",
            "anything",
            "`/no/such/file` cannot be used: no such file",
        ),
        ("def f(): raise MemoryError", "numpy", "there is not enough memory"),
        ('def f(): raise RuntimeError("can\'t allocate memory: 9 bytes")', "torch", "memory"),
        ("def f(): raise OSError(28, 'No space left on device')", "x", "the disk is full"),
    ],
)
def test_errors_of_the_surroundings(code: str, module: str, said: str) -> None:
    told = sentence(raised(code, module))
    assert told is not None and said in told and "\n" not in told


@pytest.mark.parametrize(
    "code",
    [
        "def f(): raise KeyError('stream')",
        "def f(): assert False",
        "def f(): raise RuntimeError('mat1 and mat2 must have the same dtype')",
    ],
)
@pytest.mark.parametrize(
    "module", ["renaissance.compiler.lowering.dispatch", "torch.nn.functional"]
)
def test_our_own_mistakes_are_none_of_it(code: str, module: str) -> None:
    assert sentence(raised(code, module)) is None


@pytest.mark.parametrize("draft", [".draft-report.html", ".draft-4711-report.html"])
def test_a_draft_is_called_as_the_file_that_it_would_become(draft: str) -> None:
    refused = OSError(30, "Read-only file system", f"/run/.draft-1/{draft}")
    assert sentence(refused) == "`/run/.draft-1/report.html` cannot be used: read-only file system"

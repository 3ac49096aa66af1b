"""The package of `examples/plugin`, installed beside this environment: its words are like ours."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

PLUGIN = Path(__file__).parents[2] / "examples" / "plugin"
WORDS = {"fusion": "gated", "objective": "order", "task": "yes_no", "format": "json_lines"}
BROUGHT = "renaissance-shapes==0.1.0"

Program = Callable[..., subprocess.CompletedProcess[str]]


def python(*arguments: str, folder: Path, path: list[str]) -> subprocess.CompletedProcess[str]:
    """Run an interpreter that looks for modules in some folders first."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the package into a folder."""
    folder = tmp_path_factory.mktemp("installed")
    source = shutil.copytree(PLUGIN, folder / "source")
    into = folder / "packages"
    flags = ("--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--target", str(into))
    done = python("-m", "pip", "install", *flags, str(source), folder=folder, path=sys.path)
    assert done.returncode == 0, done.stderr
    return into


@pytest.fixture(scope="module")
def work(target: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Draw the data, and shorten the spec to a few steps."""
    folder = tmp_path_factory.mktemp("work")
    path = [str(target), *sys.path]
    assert python("-m", "renaissance_shapes.draw", "data", folder=folder, path=path).returncode == 0
    text = (PLUGIN / "shapes.vl").read_text(encoding="utf-8")
    assert text.count("= 40") == 2
    (folder / "shapes.vl").write_text(text.replace("= 40", "= 3"))
    return folder


@pytest.fixture(scope="module")
def renaissance(target: Path, work: Path) -> Program:
    """Run the command line beside the package."""

    def program(*arguments: str) -> subprocess.CompletedProcess[str]:
        return python("-m", "renaissance", *arguments, folder=work, path=[str(target), *sys.path])

    return program


def test_its_words_are_wherever_ours_are(renaissance: Program, work: Path) -> None:
    checked = renaissance("check", "shapes.vl")
    assert (checked.returncode, checked.stdout) == (0, "1 file checked: no errors\n")
    shown = renaissance("show", "shapes.vl").stdout
    assert "fusion joint = gated(text, vision)" in shown and "objective order {" in shown
    assert "task = yes_no" in " ".join(shown.split())
    for word in WORDS.values():
        explained = renaissance("explain", word).stdout
        assert explained.endswith(f"Brought by {BROUGHT}.\n")
    text = (work / "shapes.vl").read_text()
    (work / "wider.vl").write_text(text.replace("{ width = 32 }", "{ width = 64 }"))
    changes = renaissance("diff", "shapes.vl", "wider.vl")
    assert "joint.width" in changes.stdout and "weights" in changes.stdout
    for wrong in WORDS.values():
        (work / "wrong.vl").write_text(text.replace(wrong, f"{wrong}x"))
        assert f"with a similar name exists: `{wrong}`" in renaissance("check", "wrong.vl").stdout


def test_its_parts_have_addresses(renaissance: Program, work: Path) -> None:
    text = (work / "shapes.vl").read_text()
    (work / "held.vl").write_text(
        text.replace("  pool = mean", "  pool = mean\n  freeze joint.gate")
    )
    checked = renaissance("check", "held.vl")
    assert checked.returncode == 0, checked.stdout
    planned = json.loads(renaissance("plan", "--format", "json", "held.vl").stdout)
    components = {
        component["address"]: component
        for model in planned["models"]
        for component in model["components"]
    }
    assert components["joint.gate.text"]["trainable"] == 0
    assert components["joint.projection.text"]["trainable"] == (32 + 1) * 32
    (work / "none.vl").write_text(
        text.replace("  pool = mean", "  pool = mean\n  freeze joint.gat")
    )
    assert "error[VL204]" in renaissance("check", "none.vl").stdout


def test_it_is_planned_and_trained(renaissance: Program, work: Path) -> None:
    planned = renaissance("plan", "shapes.vl")
    assert planned.returncode == 0, planned.stderr
    assert "order reads all tokens" in planned.stdout
    trained = renaissance("train", "shapes.vl", "-o", "run", "--device", "cpu")
    assert trained.returncode == 0, trained.stderr
    result = json.loads((work / "run" / "base" / "result.json").read_text())
    assert {"mlm_accuracy", "order_accuracy"} <= result["metrics"].keys()
    measured = json.loads((work / "run" / "answers_test" / "result.json").read_text())["metrics"]
    assert {"accuracy", "balanced_accuracy"} <= measured.keys()
    selected = json.loads((work / "run" / "answers" / "best.json").read_text())
    assert "balanced_accuracy" in json.dumps(selected)
    said = ["run/answers_test.csv", "--root", "data", "--split", "test"]
    scored = renaissance("score", "yes_no", *said, "--format", "json")
    assert scored.returncode == 0, scored.stderr
    found = json.loads(scored.stdout)["metrics"]
    assert found == {name: pytest.approx(measured[name]) for name in found} and found
    (work / "wrong.csv").write_text("0;yes\n")
    wrong = renaissance("score", "yes_no", "wrong.csv", *said[1:])
    assert (
        "line 1 is not a row and `yes` or `no`: 0;yes; wanted: a line for each row" in wrong.stderr
    )
    assert "such as `7,yes`" in wrong.stderr


def test_a_job_folder_knows_what_it_needs(renaissance: Program, target: Path, work: Path) -> None:
    assert renaissance("compile", "shapes.vl", "-o", "job").returncode == 0
    locked = json.loads((work / "job" / "lock.json").read_text())
    assert locked["kinds"] == {family: {word: BROUGHT} for family, word in sorted(WORDS.items())}
    refused = python("-m", "renaissance", "run", "job", folder=work, path=sys.path)
    assert refused.returncode != 0
    assert "Traceback" not in refused.stderr
    said = f"the format `json_lines` was compiled with {BROUGHT}, which is not installed"
    assert said in refused.stderr
    other = shutil.copytree(target, work / "other")
    metadata = other / "renaissance_shapes-0.1.0.dist-info" / "METADATA"
    metadata.write_text(metadata.read_text().replace("Version: 0.1.0", "Version: 0.2.0"))
    path = [str(other), *sys.path]
    refused = python("-m", "renaissance", "run", "job", folder=work, path=path)
    assert f"compiled with {BROUGHT}, which is renaissance-shapes==0.2.0 here" in refused.stderr
    unknown = python("-m", "renaissance", "check", "shapes.vl", folder=work, path=sys.path)
    assert "unknown fusion `gated`" in unknown.stdout


@pytest.mark.parametrize(
    ("file", "line", "instead", "verb", "said"),
    [
        (
            "order/loss.py",
            "    return cross_entropy(scores, items.target)",
            "    raise ValueError('no\\nloss')",
            "plan",
            "failed in line 13 of `renaissance_shapes.order.loss`: ValueError: no loss",
        ),
        (
            "order/loss.py",
            "    return cross_entropy(scores, items.target)",
            "    return scores.sum()",
            "plan",
            "`renaissance_shapes.order.loss.loss` of `renaissance-shapes==0.1.0` returns a Tensor; "
            "it has to return `Scored`, as `cross_entropy`",
        ),
        (
            "gated/anatomy.py",
            "    parts = [",
            "    parts = [*streams.parts] + [",
            "check",
            "failed in line 12 of `renaissance_shapes.gated.anatomy`: AttributeError: ",
        ),
        (
            "order/items.py",
            "drawn[part]",
            "drawn['part']",
            "train",
            "failed in line 38 of `renaissance_shapes.order.items`: IndexError: ",
        ),
        (
            "gated/module.py",
            "def build(",
            "def make(",
            "plan",
            "`renaissance-shapes==0.1.0` failed: AttributeError: ",
        ),
        (
            "yes_no/metric.py",
            '"accuracy": float(right.mean())',
            '"accuracy": float("nan")',
            "train",
            "`renaissance_shapes.yes_no.metric` returns nan as `accuracy`, where a finite number "
            "is wanted",
        ),
    ],
)
def test_code_of_the_package_that_fails_is_named(
    target: Path,
    work: Path,
    tmp_path: Path,
    file: str,
    line: str,
    instead: str,
    verb: str,
    said: str,
) -> None:
    packages = shutil.copytree(target, tmp_path / "packages")
    broken = packages / "renaissance_shapes" / file
    text = broken.read_text(encoding="utf-8")
    assert text.count(line) == 1
    broken.write_text(text.replace(line, instead), encoding="utf-8")
    arguments = [verb, "shapes.vl", *(("-o", str(tmp_path / "run")) if verb == "train" else ())]
    path = [str(packages), *sys.path]
    done = python("-m", "renaissance", *arguments, folder=work, path=path)
    assert done.returncode == (3 if verb == "train" else 2)
    assert said in done.stderr
    assert "bug in renaissance" not in done.stderr and "Traceback" not in done.stderr

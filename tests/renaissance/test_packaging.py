"""The package as a user installs it, and as its build finds what it consists of."""

import os
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("renaissance", "compiler", "grammar", "runtime", "specs")
FILES = ("pyproject.toml", "setup.py", "README.md", "LICENSE")
LAYERS = FOLDERS[1:]
ADDED = "renaissance/runtime/tasks/added"

pytestmark = pytest.mark.skipif(
    not (ROOT / "pyproject.toml").is_file(), reason="the tests do not run from a checkout"
)


def run(*command: str | Path, where: Path, **environment: str) -> str:
    """What a command prints; it succeeds."""
    result = subprocess.run(
        [str(word) for word in command],
        cwd=where,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def add(folder: Path) -> None:
    """Add a folder of a module and of a file of each kind that belongs to the package."""
    folder.mkdir(parents=True)
    (folder / "schema.py").write_text("WORD = 'added'\n")
    for name in ("page.md", "page.html", "style.css", "table.json", "script.sh"):
        (folder / name).write_text("")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of what is built, with one folder more and no list edited."""
    copy = tmp_path / "tree"
    copy.mkdir()
    for name in FILES:
        shutil.copy(ROOT / name, copy)
    for name in FOLDERS:
        unwanted = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, copy / name, symlinks=True, ignore=unwanted)
    (copy / "benchmarks").mkdir()
    (copy / "benchmarks" / "step.py").write_text("")
    add(copy / "runtime" / "tasks" / "added")
    return copy


def contents(tree: Path, *options: str) -> tuple[Path, set[str]]:
    """Build a wheel; return it and the names of its files, metadata aside."""
    build = (sys.executable, "-m", "build", "--no-isolation", *options, "--outdir", "dist")
    run(*build, where=tree)
    (wheel,) = (tree / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    return wheel, names


def installed(tree: Path) -> set[str]:
    """The files of a tree that users need, by the names under which they are installed."""
    found = set()
    for folder in FOLDERS:
        for path in (tree / folder).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                name = path.relative_to(tree).as_posix()
                found.add(name if folder == "renaissance" else f"renaissance/{name}")
    return found


def test_a_wheel_made_from_the_source_archive_works_in_an_empty_folder(tree: Path) -> None:
    """Build the archive, the wheel from it, unpack it beside nothing, and use it."""
    wheel, names = contents(tree)
    assert f"{ADDED}/schema.py" in names
    assert names == installed(tree)
    target = tree.parent / "site"
    pip = (sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index")
    run(*pip, "--target", target, wheel, where=tree.parent)
    assert {entry.name for entry in target.iterdir() if not entry.name.endswith(".dist-info")} <= {
        "renaissance",
        "bin",
    }

    def program(*arguments: str | Path) -> str:
        command = (sys.executable, "-m", "renaissance", *arguments)
        return run(*command, where=tree.parent, PYTHONPATH=str(target))

    assert "quickstart" in program("specs")
    program("check", target / "renaissance" / "specs")
    assert "VL204" in program("explain", "VL204")
    assert "frozen" in program("plan", "quickstart")
    place = "import renaissance.runtime.report as r; print(r.__file__)"
    assert str(target) in run(
        sys.executable, "-c", place, where=tree.parent, PYTHONPATH=str(target)
    )


def test_a_tree_whose_links_were_not_kept_makes_the_same_wheel(tree: Path) -> None:
    """As an unpacked zip file or a checkout without symbolic links has them: as text files."""
    expected = installed(tree)
    for layer in LAYERS:
        link = tree / "renaissance" / layer
        assert link.is_symlink()
        link.unlink()
        link.write_text(f"../{layer}")
    _, names = contents(tree, "--wheel")
    assert names == expected


def test_an_editable_installation_sees_folders_added_before_and_after(tree: Path) -> None:
    environment = tree.parent / "environment"
    venv.create(environment, with_pip=False)
    python = environment / "bin" / "python"
    (site,) = environment.glob("lib/python*/site-packages")
    # The packages of the running environment, but not what it installed to be edited.
    places = [path for path in sys.path if path.endswith("-packages")]
    (site / "running.pth").write_text("\n".join(places) + "\n")
    pip = (sys.executable, "-m", "pip", "--python", python, "install", "--quiet")
    options = ("--no-deps", "--no-index", "--no-build-isolation", "--editable")
    run(*pip, *options, tree, where=tree.parent, PYTHONPATH="")
    add(tree / "compiler" / "fusions" / "later")

    def origin(module: str) -> str:
        code = f"import {module} as module; print(module.__file__)"
        return run(python, "-c", code, where=tree.parent, PYTHONPATH="").strip()

    # Through a link or not.
    before = Path(origin("renaissance.runtime.tasks.added.schema")).resolve()
    assert before == tree / "runtime" / "tasks" / "added" / "schema.py"
    after = Path(origin("renaissance.compiler.fusions.later.schema")).resolve()
    assert after == tree / "compiler" / "fusions" / "later" / "schema.py"

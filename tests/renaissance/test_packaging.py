"""The package as a user installs it."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("renaissance", "compiler", "grammar", "runtime", "specs")

pytestmark = pytest.mark.skipif(
    not (ROOT / "pyproject.toml").is_file(), reason="the tests do not run from a checkout"
)


def test_every_package_is_listed() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    listed = set(settings["tool"]["setuptools"]["packages"])
    found = set()
    for folder in FOLDERS:
        for file in (ROOT / folder).rglob("__init__.py"):
            parts = file.parent.relative_to(ROOT).parts
            found.add(".".join(parts if folder == "renaissance" else ("renaissance", *parts)))
    assert listed == found


def test_a_wheel_made_from_the_source_archive_works_in_an_empty_folder(tmp_path: Path) -> None:
    """Build the archive, the wheel from it, unpack it beside nothing, and use it."""

    def run(*command: str | Path, **environment: str) -> str:
        result = subprocess.run(
            [str(word) for word in command],
            cwd=tmp_path,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout

    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", tmp_path / "dist", ROOT)
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    target = tmp_path / "site"
    pip = (sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index")
    run(*pip, "--target", target, wheel)
    assert {entry.name for entry in target.iterdir() if not entry.name.endswith(".dist-info")} <= {
        "renaissance",
        "bin",
    }
    program = (sys.executable, "-m", "renaissance")
    assert "quickstart" in run(*program, "specs", PYTHONPATH=str(target))
    run(*program, "check", target / "renaissance" / "specs", PYTHONPATH=str(target))
    assert "VL204" in run(*program, "explain", "VL204", PYTHONPATH=str(target))
    assert "frozen" in run(*program, "plan", "quickstart", PYTHONPATH=str(target))
    place = "import renaissance.runtime.report as r; print(r.__file__)"
    assert str(target) in run(sys.executable, "-c", place, PYTHONPATH=str(target))

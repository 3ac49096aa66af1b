"""What `import renaissance` offers."""

import subprocess
import sys
from io import StringIO

import pytest
from rich.console import Console

import renaissance as rn
from renaissance import compiler
from renaissance.grammar.shipped import shipped_path


def test_every_name_can_be_imported() -> None:
    for name in rn.__all__:
        assert getattr(rn, name) is not None


def test_the_import_loads_no_torch() -> None:
    code = "import sys, renaissance; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_diff_compares_files_and_specs() -> None:
    path = shipped_path("quickstart")
    spec = rn.load(path)
    assert rn.diff(spec, path).blocks == ()
    assert rn.diff(path, shipped_path("nlvr")).blocks


def test_an_unknown_name_is_no_attribute() -> None:
    with pytest.raises(AttributeError, match="nothing_here"):
        _ = rn.nothing_here


def test_a_plan_shows_itself() -> None:
    spec = rn.load(shipped_path("quickstart"))
    planned = rn.plan(spec, device="cpu")
    assert planned.to_dict() == compiler.plan(spec, device="cpu").to_dict()
    printed = StringIO()
    Console(width=200, no_color=True, file=printed).print(planned)
    shown = [line.rstrip() for line in printed.getvalue().splitlines()]
    assert shown == str(planned).splitlines()
    assert any(line.startswith("model ") for line in shown)

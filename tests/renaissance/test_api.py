"""What `import renaissance` offers."""

import subprocess
import sys

import pytest

import renaissance as rn
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

"""How the start of a command is measured; figures are no matter of a test."""

from pathlib import Path

import pytest

from benchmarks import startup
from benchmarks.revisions import ROOT


def test_a_dry_run_prints_all_ratios(capsys: pytest.CaptureFixture[str]):
    assert startup.main(["--runs", "1", "--specs", "quickstart", "--kinds", "1"]) == 0
    check, kinds = capsys.readouterr().out.splitlines()
    assert check.startswith("quickstart") and "times one pydantic model" in check
    assert kinds.startswith("1 more kinds in each family: ")


def test_a_command_that_fails_is_not_timed():
    with pytest.raises(SystemExit, match="ends with 3"):
        startup.timed([*startup.BARE[:2], "raise SystemExit(3)"], ROOT)


def test_more_kinds_stand_beside_ours_under_names_of_their_own(tmp_path: Path):
    for family in startup.FAMILIES:
        assert [*(ROOT / family).glob("*/schema.py")], family
    tree = startup.with_more_kinds(tmp_path, 2)
    for family in startup.FAMILIES:
        ours = {path.parent.name for path in (ROOT / family).glob("*/schema.py")}
        found = {path.parent.name for path in (tree / family).glob("*/schema.py")}
        added = found - ours
        assert len(added) == 2
        for name in added:
            assert f'Literal["{name}"]' in (tree / family / name / "schema.py").read_text()

"""How steps of two versions are compared."""

import subprocess
from pathlib import Path

import pytest

from benchmarks import regression, revisions
from benchmarks.plain import TINY
from benchmarks.regression import Compared, compare, line
from benchmarks.revisions import ROOT, tree_of


def compared(*ratios: float) -> Compared:
    return Compared(case="none", seconds=1.0, ratios=ratios)


def test_the_median_decides():
    assert not compared(1.0, 1.04, 3.0).slower
    assert compared(1.0, 1.06, 1.07).slower
    assert "1.060 times" in line(compared(1.0, 1.06, 1.07))
    assert line(compared(1.0, 1.06, 1.07)).endswith("slower")


def test_rounds_that_lie_on_both_sides_settle_nothing():
    assert compared(0.98, 1.0, 1.01).settled
    assert compared(1.1, 1.2, 1.3).settled
    assert not compared(0.9, 1.0, 1.2).settled
    # Of many rounds, single ones say nothing.
    assert compared(0.5, *[1.0] * 20, 1.5).settled


def test_steps_of_two_trees_are_timed_in_turn(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(regression, "TURN", 0.05)
    found = compare(ROOT, TINY, "both, cached", batch=4, rounds=1, clock="cpu")
    assert found.seconds > 0 and found.ratios


def test_a_tree_is_removed_however_its_use_ends(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    def git(*arguments: str) -> str:
        command = ["git", "-c", "user.name=a", "-c", "user.email=a@b", *arguments]
        return subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True, check=True
        ).stdout

    git("init", "--quiet")
    (tmp_path / "renaissance").mkdir()
    (tmp_path / "renaissance" / "__init__.py").write_text("")
    git("add", "--all")
    git("commit", "--quiet", "--message", "first")
    monkeypatch.setattr(revisions, "ROOT", tmp_path)
    with pytest.raises(KeyboardInterrupt), tree_of("HEAD") as tree:
        assert (tree / "renaissance" / "__init__.py").is_file()
        raise KeyboardInterrupt
    assert not tree.exists()
    assert len(git("worktree", "list").splitlines()) == 1
    with pytest.raises(SystemExit, match="nowhere"), tree_of("nowhere"):
        pass


def test_a_folder_is_taken_as_it_is():
    with tree_of(str(ROOT)) as tree:
        assert tree == ROOT
    assert ROOT.is_dir()

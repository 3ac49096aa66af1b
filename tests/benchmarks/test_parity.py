"""How what two versions compute is compared."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from benchmarks import parity, parity_cases
from benchmarks.parity_cases import Case, cases
from benchmarks.revisions import ROOT
from renaissance import load

CASE = Case(name="case", text="")
FOLDERS = ("renaissance", "compiler", "grammar", "runtime", "specs")
SABOTAGE = """
import numpy
import torch.nn.functional as functional

seeds, cross_entropy = numpy.random.SeedSequence, functional.cross_entropy
numpy.random.SeedSequence = lambda numbers: seeds([*numbers, 1])
functional.cross_entropy = lambda *a, **o: cross_entropy(*a, **o) * (1 + 1e-5)
"""


def answer(losses: list[float], *, begun: int = 0, ended: str = "", **other: Any) -> dict[str, Any]:
    lines: list[dict[str, Any]] = [{"event": "start", "step": begun}]
    lines += [
        {"event": "step", "step": number, "loss": loss, "losses": {"mlm": loss}}
        for number, loss in enumerate(losses, start=1)
    ]
    results = {"base": [{"metrics": {"accuracy": losses[-1]}}]}
    return {"ended": ended, "logs": {"base": lines}, "results": results, "steps": []} | other


BEFORE = answer([1.0 / number for number in range(1, 21)])


def after(change: float, *, begun: int = 10, ended: str = "") -> list[str]:
    losses = [1.0 / number + change * (number > 10) for number in range(1, 21)]
    return [*parity.after_checkpoint(BEFORE, answer(losses, begun=begun, ended=ended))]


def test_losses_may_differ_by_a_millionth():
    assert not [*parity.differing(CASE, answer([1.0, 0.5]), answer([1.0, 0.5 + 9e-7]))]
    found = [*parity.differing(CASE, answer([1.0, 0.5]), answer([1.0, 0.5 + 2e-6]))]
    assert found == ["`base` differs by 2.0e-06 at step 2 (step), at most by 2.0e-06"]
    assert [*parity.differing(CASE, answer([1.0]), answer([float("nan")]))]
    assert [*parity.differing(CASE, answer([1.0, 0.5]), answer([1.0]))]


def test_a_version_that_fails_or_does_nothing_agrees_with_none():
    failed = {"failed": "KeyError: 'a'"}
    for before, now in ((failed, BEFORE), (BEFORE, failed), (failed, failed)):
        assert "fails: KeyError" in next(parity.differing(CASE, before, now))
    refused = BEFORE | {"ended": "no such data"}
    assert [*parity.differing(CASE, refused, refused)]
    nothing = BEFORE | {"logs": {}, "results": {}}
    assert [*parity.differing(CASE, nothing, nothing)]


def test_inputs_are_equal_as_sets_and_must_be_seen():
    one = [{"texts": ["text a", "text b"], "pairs": ["text a, image c"], "labels of 2": [0, 1]}]
    assert not [*parity.differing_inputs(one, one)]
    other = [one[0] | {"texts": ["text a", "text d"]}]
    assert [*parity.differing_inputs(one, other)] == [
        "step 1: other texts: 2 before, 2 now, 1 of them gone and 1 new"
    ]
    lost = [one[0] | {"pairs": ["unknown, image c"]}]
    assert "cannot be followed" in next(parity.differing_inputs(lost, lost))
    assert [*parity.differing_inputs(one, [])]
    assert [*parity.differing_inputs([one[0] | {"pairs": []}], [one[0] | {"pairs": []}])]


def test_a_checkpoint_is_taken_up_or_refused_with_the_version():
    assert not after(0.0) and not after(9e-6)
    assert "after the checkpoint `base` differs" in after(2e-5)[0]
    assert "is not taken up" in after(0.0, begun=0)[0]
    assert not after(0.0, ended="version 0.1 wrote this checkpoint; train it again")
    assert "without naming the version" in after(0.0, ended="its tensors differ")[0]


def test_every_case_is_a_spec_without_mistakes(tmp_path: Path):
    for case in cases(tmp_path):
        file = tmp_path / "case.vl"
        file.write_text(case.text)
        assert load(file).jobs, case.name


def taken_up(folder: Path) -> tuple[Case, ...]:
    """Three jobs, the first of which is interrupted and taken up again."""
    text = parity_cases.towers() + parity_cases.jobs(folder, objectives="objective mlm")
    return (Case(name="few steps", text=text, stop=3),)


def watched(folder: Path) -> tuple[Case, ...]:
    """A fine-tuning of which all that goes into the model is compared."""
    text = parity_cases.towers() + parity_cases.alone(folder)
    return (Case(name="few steps", text=text, stop=4, go_on=False, watch=True),)


def test_a_tree_agrees_with_itself(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(parity_cases, "STEPS", 8)
    monkeypatch.setattr(parity, "STOP", 3)
    monkeypatch.setattr(parity, "cases", taken_up)
    assert parity.main(["--against", str(ROOT), "--only", "few steps"]) == 0
    assert capsys.readouterr().out == "1 experiments: no difference\n"


def test_other_draws_and_other_losses_are_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    """Against a tree whose random numbers and losses are others."""
    for name in FOLDERS:
        shutil.copytree(
            ROOT / name,
            tmp_path / name,
            symlinks=True,
            ignore=shutil.ignore_patterns("__pycache__"),
        )
    (tmp_path / "sitecustomize.py").write_text(SABOTAGE)
    monkeypatch.setattr(parity, "cases", watched)
    assert parity.main(["--against", str(tmp_path)]) == 1
    found = capsys.readouterr().out
    assert "step 1: other images" in found and "step 1: other pairs" in found
    assert "`vqa` differs by" in found

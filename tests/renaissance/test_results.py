"""The table at the end of a run."""

from pathlib import Path

import pytest

from renaissance.results import print_results
from renaissance.runtime.jobs import Run
from renaissance.runtime.records import JobResult
from tests.tiny import tiny_experiment

RUN = Run(
    spec=tiny_experiment("nowhere"),
    results=(
        JobResult(
            job="a_pretraining_of_long_name",
            kind="pretrain",
            split="validation",
            metrics={"loss": 1.2345, "mlm_accuracy": 0.5},
            steps=50_000,
            texts_per_second=123.4,
            seconds=45_000,
        ),
        JobResult(
            job="nlvr_hidden",
            kind="evaluate",
            split="hidden",
            metrics={"accuracy": 0.51},
            intervals={"accuracy": (0.49, 0.53)},
            majority={"accuracy": 0.5},
            chance={"accuracy": 0.5},
            like_majority=("accuracy",),
        ),
    ),
    skipped=(),
    folder=Path("runs/x"),
    report=Path("runs/x/report.html"),
)


@pytest.mark.parametrize("columns", [80, 200])
def test_figures_keep_their_lines(
    columns: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    print_results(RUN)
    printed = capsys.readouterr().out
    assert max(map(len, printed.splitlines())) <= columns
    for whole in (
        "a_pretraining_of_long_name",
        "accuracy 51.00% [49.00, 53.00]",
        "majority 50.00%, chance 50.00%",
        "not distinguishable from the majority",
        "12 h 30 min",
    ):
        assert whole in printed
    assert ("measured on" in printed) == (columns == 200)

"""A result with thousands of answers holds the pairs that occur, not a table of all."""

import numpy as np
import pytest

from renaissance.runtime.evaluation.confusion import confused
from renaissance.runtime.evaluation.confusion import table as counted
from renaissance.runtime.records import JobResult
from renaissance.runtime.report.confusion import confusion

LABELS = np.array([0, 0, 0, 1, 2, 2])
PREDICTIONS = np.array([0, 0, 2, 1, 0, 2])


def result(size: int, *, table: bool) -> JobResult:
    pairs, counts = confused(LABELS, PREDICTIONS)
    entries = zip(pairs.tolist(), counts.tolist(), strict=True)
    return JobResult(
        job="exam",
        kind="evaluate",
        answers=tuple(f"answer {number}" for number in range(size)),
        confusion=counted(pairs, counts, size) if table else (),
        confused=() if table else tuple((*pair, count) for pair, count in entries),
    )


@pytest.mark.parametrize("size", [3, 7, 40])
def test_both_forms_are_shown_alike(size: int) -> None:
    whole, sparse = (confusion(result(size, table=table)) for table in (True, False))
    assert whole is not None and whole == sparse
    assert whole.questions == 6 and whole.errors == 2
    assert [(pair.truth, pair.prediction, pair.count) for pair in whole.pairs] == [
        ("answer 0", "answer 2", 1),
        ("answer 2", "answer 0", 1),
    ]


def test_a_large_vocabulary_of_answers_stays_small() -> None:
    text = result(3129, table=False).model_dump_json()
    assert len(text) < 100_000
    assert JobResult.model_validate_json(text).confused == (
        (0, 0, 2),
        (0, 2, 1),
        (1, 1, 1),
        (2, 0, 1),
        (2, 2, 1),
    )


def test_pairs_that_do_not_fit_are_not_shown() -> None:
    wrong = result(3, table=False).model_copy(update={"confused": ((0, 3, 1),)})
    assert confusion(wrong) is None

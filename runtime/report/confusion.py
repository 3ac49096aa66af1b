"""Which answers are taken for which others: a table of counts and the most frequent mix-ups."""

from collections import Counter
from dataclasses import dataclass

from renaissance.runtime.records import JobResult

MOST_ANSWERS = 30
MOST_PAIRS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """How often one answer was given to questions of another.

    Attributes:
        count: questions.
        share: of all questions with that true answer, 0 to 1.
        right: whether both are the same answer.
    """

    count: int
    share: float
    right: bool

    @property
    def heat(self) -> float:
        """How strongly the cell is coloured, 0 to 1; the root keeps rare errors visible."""
        return round(self.share if self.right else self.share**0.5, 3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """All questions with one true answer."""

    answer: str
    total: int
    cells: tuple[Cell, ...]
    elsewhere: int
    recall: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One answer taken for another."""

    truth: str
    prediction: str
    count: int
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Confusion:
    """A confusion matrix as it is shown.

    Attributes:
        answers: of the columns.
        rows: one for each shown true answer.
        pairs: the most frequent mix-ups of all answers, the worst first.
        hidden: answers that are too rare to be shown.
        questions: of all answers together.
        errors: questions answered wrongly.
    """

    answers: tuple[str, ...]
    rows: tuple[Row, ...]
    pairs: tuple[Pair, ...]
    hidden: int
    questions: int
    errors: int


def confusion(result: JobResult) -> Confusion | None:
    """Return a result's confusion; None if it has none, or one that does not fit its answers.

    Of more than 30 answers the most frequent are shown.
    """
    answers, counts = result.answers, _counts(result)
    if counts is None:
        return None
    totals = [counts[truth].total() for truth in range(len(answers))]
    order = range(len(answers))
    frequent = sorted(order, key=lambda index: -totals[index])[:MOST_ANSWERS]
    shown = sorted(frequent)
    wrong = [
        Pair(
            truth=answers[truth],
            prediction=answers[taken],
            count=count,
            share=count / totals[truth],
        )
        for truth in order
        for taken, count in sorted(counts[truth].items())
        if truth != taken and count
    ]
    return Confusion(
        answers=tuple(answers[index] for index in shown),
        rows=tuple(_row(answers[truth], truth, counts[truth], shown) for truth in shown),
        pairs=tuple(sorted(wrong, key=lambda pair: -pair.count)[:MOST_PAIRS]),
        hidden=len(answers) - len(shown),
        questions=sum(totals),
        errors=sum(pair.count for pair in wrong),
    )


def _counts(result: JobResult) -> list[Counter[int]] | None:
    """Return for each true answer how often each was predicted; None if that does not fit."""
    size = len(result.answers)
    if result.confusion and (
        len(result.confusion) != size or any(len(row) != size for row in result.confusion)
    ):
        return None
    if not size or not (result.confusion or result.confused):
        return None
    counts = [Counter(dict(enumerate(row))) for row in result.confusion]
    counts = counts or [Counter() for _ in result.answers]
    for truth, taken, count in result.confused:
        if not (0 <= truth < size and 0 <= taken < size):
            return None
        counts[truth][taken] += count
    return counts


def _row(answer: str, truth: int, counts: Counter[int], shown: list[int]) -> Row:
    total = counts.total()
    cells = tuple(
        Cell(
            count=counts[taken],
            share=counts[taken] / total if total else 0.0,
            right=taken == truth,
        )
        for taken in shown
    )
    return Row(
        answer=answer,
        total=total,
        cells=cells,
        elsewhere=total - sum(cell.count for cell in cells),
        recall=counts[truth] / total if total else 0.0,
    )

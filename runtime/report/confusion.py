"""Which answers are taken for which others: a table of counts and the most frequent mix-ups."""

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
    answers, counts = result.answers, result.confusion
    if not answers or len(counts) != len(answers):
        return None
    if any(len(row) != len(answers) for row in counts):
        return None
    totals = [sum(row) for row in counts]
    order = range(len(answers))
    frequent = sorted(order, key=lambda index: -totals[index])[:MOST_ANSWERS]
    shown = sorted(frequent)
    wrong = [
        Pair(
            truth=answers[truth],
            prediction=answers[taken],
            count=counts[truth][taken],
            share=counts[truth][taken] / totals[truth],
        )
        for truth in order
        for taken in order
        if truth != taken and counts[truth][taken]
    ]
    return Confusion(
        answers=tuple(answers[index] for index in shown),
        rows=tuple(_row(result, truth, shown) for truth in shown),
        pairs=tuple(sorted(wrong, key=lambda pair: -pair.count)[:MOST_PAIRS]),
        hidden=len(answers) - len(shown),
        questions=sum(totals),
        errors=sum(pair.count for pair in wrong),
    )


def _row(result: JobResult, truth: int, shown: list[int]) -> Row:
    counts = result.confusion[truth]
    total = sum(counts)
    cells = tuple(
        Cell(
            count=counts[taken],
            share=counts[taken] / total if total else 0.0,
            right=taken == truth,
        )
        for taken in shown
    )
    return Row(
        answer=result.answers[truth],
        total=total,
        cells=cells,
        elsewhere=total - sum(cell.count for cell in cells),
        recall=counts[truth] / total if total else 0.0,
    )

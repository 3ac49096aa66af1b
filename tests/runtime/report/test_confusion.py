from renaissance.runtime.records import JobResult
from renaissance.runtime.report.confusion import confusion


def result(answers: tuple[str, ...], counts: tuple[tuple[int, ...], ...]) -> JobResult:
    return JobResult(job="test", kind="evaluate", answers=answers, confusion=counts)


def test_rows_are_true_answers() -> None:
    found = confusion(result(("a", "b"), ((3, 1), (0, 4))))
    assert found is not None
    assert (found.questions, found.errors, found.hidden) == (8, 1, 0)
    assert [row.recall for row in found.rows] == [0.75, 1.0]
    assert [(pair.truth, pair.prediction, pair.count) for pair in found.pairs] == [("a", "b", 1)]
    assert [[cell.right for cell in row.cells] for row in found.rows] == [
        [True, False],
        [False, True],
    ]


def test_answer_without_questions() -> None:
    found = confusion(result(("a", "b"), ((0, 0), (1, 1))))
    assert found is not None
    assert (found.rows[0].total, found.rows[0].recall) == (0, 0.0)


def test_most_frequent_answers_are_shown_and_nothing_is_lost() -> None:
    size = 40
    answers = tuple(f"a{index:02d}" for index in range(size))
    counts = tuple(
        tuple(index + 1 if taken == index else 1 if taken == 0 else 0 for taken in range(size))
        for index in range(size)
    )
    found = confusion(result(answers, counts))
    assert found is not None
    assert found.answers == answers[10:]
    assert found.hidden == 10
    assert all(row.elsewhere == 1 for row in found.rows)
    assert found.errors == size - 1
    for row, truth in zip(found.rows, range(10, size), strict=True):
        assert sum(cell.count for cell in row.cells) + row.elsewhere == sum(counts[truth])


def test_counts_that_do_not_fit_are_not_shown() -> None:
    assert confusion(result(("a", "b"), ((1, 2),))) is None
    assert confusion(result(("a", "b"), ((1, 2), (3,)))) is None
    assert confusion(result((), ())) is None

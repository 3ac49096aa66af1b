"""The official file of answers: a list of `{"question_id": …, "answer": …}`."""

import json
from collections.abc import Iterator

from renaissance.runtime.data.errors import DataError
from renaissance.runtime.tasks.answered import Answered
from renaissance.runtime.tasks.entries import Entry
from renaissance.runtime.tasks.vqav2.annotations import read_questions
from renaissance.runtime.tasks.vqav2.schema import SUBSETS, Vqav2, questions_of

UNREADABLE = "image cannot be read"
"""Answer to a question about an image that cannot be read: one that nobody gives."""

NOT_ASKED = ""
"""Answer to the questions of `test` where only those of `test_dev` were asked."""


def write(block: Vqav2, answered: Answered) -> bytes:
    """Return the file, complete for every question of the split.

    The server takes answers to all questions of `test` for test-dev too, and measures only those
    of test-dev; where only these were asked, the others are there without an answer.
    """
    said = dict.fromkeys(answered.column_of_asked("id"), UNREADABLE)
    said |= dict(zip(answered.column("id"), answered.said, strict=True))
    if SUBSETS["test_dev"] in answered.column_of_asked("subset")[:1]:
        every = [question.number for question in read_questions(questions_of(block.root, "test"))]
        said = dict.fromkeys(every, NOT_ASKED) | said
    entries = [{"question_id": number, "answer": answer} for number, answer in said.items()]
    return json.dumps(entries, ensure_ascii=False).encode()


def parse(block: Vqav2, content: bytes) -> Iterator[Entry]:
    """Yield what a file says; raises DataError for one of another form."""
    try:
        entries = json.loads(content)
    except (ValueError, RecursionError) as problem:
        raise DataError(f"it is no JSON: {problem}") from None
    if not isinstance(entries, list):
        raise DataError('it is no list of `{"question_id": …, "answer": …}`')
    for number, entry in enumerate(entries, 1):
        place = f"entry {number}"
        match entry:
            case {"question_id": int(identifier), "answer": str(answer)}:
                yield Entry(place=place, id=identifier, prediction=answer)
            case _:
                shown = json.dumps(entry, ensure_ascii=False)[:60]
                raise DataError(
                    f"{place} has no whole number as `question_id` and text as `answer`: {shown}"
                )

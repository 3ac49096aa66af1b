"""VQA v2 in its published layout: a question and a photograph a row, ten answers each."""

from collections import Counter
from collections.abc import Iterable, Mapping

import pyarrow as pa

from renaissance.runtime.data.errors import DataError
from renaissance.runtime.data.part import Part
from renaissance.runtime.data.table import Source, Table, make_table
from renaissance.runtime.data.targets import Shares
from renaissance.runtime.tasks.vqav2.annotations import (
    LAYOUT,
    Annotation,
    Question,
    read_annotations,
    read_questions,
    vocabulary,
)
from renaissance.runtime.tasks.vqav2.normalisation import normalised
from renaissance.runtime.tasks.vqav2.schema import (
    LABELLED,
    SUBSETS,
    TRAIN_VAL,
    Vqav2,
    annotations_of,
    images_of,
    questions_of,
)

CREDIT = (0.0, 0.3, 0.6, 0.9, 1.0)
"""Of an answer that 0, 1, 2, 3, 4 or more of ten people gave: each of them compared with the nine
others, of whom three are enough, and the mean of that. Source: Goyal et al. 2017."""


def read(block: Vqav2, source: Source, file: str) -> Table:
    """Read one split, or both annotated ones as `train_val`.

    Rows have the `id` of their question and the `subset` that they are of; where annotations are
    published also all `answers`, `answer_type` and `question_type`, and whether they are
    `learnable`: nothing is learned from a question of which no answer can be given.

    Raises:
        DataError: if a file is missing or malformed.
    """
    splits = LABELLED if file == TRAIN_VAL else (file,)
    if file == "test_dev" and not questions_of(block.root, "test").is_file():
        raise DataError(
            f"`{questions_of(block.root, 'test')}` does not exist; the server takes answers to all "
            f"of its questions, for test-dev too; {LAYOUT}"
        )
    rows = [
        (split, question)
        for split in splits
        for question in read_questions(questions_of(block.root, split))
    ]
    columns = {
        "id": pa.array([question.number for _, question in rows], pa.int64()),
        "subset": pa.array([SUBSETS[split] for split, _ in rows], pa.string()),
    }
    answers = None
    if file not in SUBSETS or file in LABELLED:
        known = {split: read_annotations(annotations_of(block.root, split)) for split in splits}
        annotations = [_annotation(block, known[split], *row) for row in rows for split in row[:1]]
        columns |= _columns(annotations)
        if file in ("train", TRAIN_VAL):
            columns["learnable"] = _learnable(block, annotations)
        answers = pa.array([annotation.main for annotation in annotations], pa.string())
    return make_table(
        source,
        block.root,
        pa.array([question.text for _, question in rows], pa.string()),
        pa.array([_image(split, question) for split, question in rows], pa.string()),
        answers=answers,
        columns=columns,
    )


def answers(block: Vqav2, train: Part) -> tuple[str, ...]:
    """Return the answers that can be given; see `vocabulary`. DataError for none."""
    questions = len(train)
    found = vocabulary(block)
    if not found:
        raise DataError(
            f"no answer is the main one of {block.min_count} questions in `{block.root}`; where "
            f"there are few questions, here {questions:,} to learn from, lower `min_count`"
        )
    return found


def targets(block: Vqav2, table: Table, answers: tuple[str, ...]) -> Shares:
    """Return the credit of each answer that some people gave and that can be given."""
    number = {answer: place for place, answer in enumerate(answers)}
    rows = []
    for said in table.column("answers").to_pylist():
        counts = Counter(_compared(block, said))
        rows.append(
            [
                (number[answer], CREDIT[min(count, len(CREDIT) - 1)])
                for answer, count in counts.items()
                if answer in number
            ]
        )
    return Shares.listed(rows, max(len(answers), block.outputs))


def _compared(block: Vqav2, said: Iterable[str]) -> Iterable[str]:
    return map(normalised, said) if block.credit == "normalised" else said


def _annotation(
    block: Vqav2, known: Mapping[int, Annotation], split: str, question: Question
) -> Annotation:
    found = known.get(question.number)
    if found is None:
        raise DataError(
            f"`{annotations_of(block.root, split)}` has no annotation of question "
            f"{question.number}, which `{questions_of(block.root, split)}` asks"
        )
    return found


def _columns(annotations: list[Annotation]) -> dict[str, pa.Array]:
    return {
        "answers": pa.array([one.answers for one in annotations], pa.list_(pa.string())),
        "answer_type": pa.array([one.answer_type for one in annotations], pa.string()),
        "question_type": pa.array([one.question_type for one in annotations], pa.string()),
    }


def _learnable(block: Vqav2, annotations: list[Annotation]) -> pa.Array:
    """Tell where an answer can be given; everywhere if there is none, which is said elsewhere."""
    given = frozenset(vocabulary(block))
    return pa.array(
        [not given or not given.isdisjoint(_compared(block, one.answers)) for one in annotations]
    )


def _image(split: str, question: Question) -> str:
    folder = images_of("", split).name
    return f"{folder}/COCO_{folder}_{question.image:012d}.jpg"

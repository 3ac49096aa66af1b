"""Questions and what ten people answered, from the files as published."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from renaissance.runtime.data.errors import DataError
from renaissance.runtime.tasks.vqav2.normalisation import normalised
from renaissance.runtime.tasks.vqav2.schema import LABELLED, Vqav2, annotations_of

LAYOUT = (
    "`root` holds the files of visualqa.org, such as "
    "`v2_OpenEnded_mscoco_val2014_questions.json` and `v2_mscoco_val2014_annotations.json`"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question.

    Attributes:
        number: its id.
        image: id of the photograph that it is about.
        text: what is asked.
    """

    number: int
    image: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """What people answered to a question.

    Attributes:
        answers: of each of them, as they spelled it.
        main: the answer that counts as theirs.
        answer_type: `yes/no`, `number` or `other`; None where the file does not say.
        question_type: how the question begins, in the words of the file; None as well.
    """

    answers: tuple[str, ...]
    main: str
    answer_type: str | None
    question_type: str | None


def read_questions(file: Path) -> list[Question]:
    """Read a file of questions, in its order; raises DataError."""
    found = []
    for place, entry in enumerate(_entries(file, "questions")):
        try:
            number, image, text = entry["question_id"], entry["image_id"], entry["question"]
        except (KeyError, TypeError) as problem:
            raise _no_entry(file, "question", place, problem) from None
        if not (_whole(number) and _whole(image) and isinstance(text, str)):
            raise DataError(
                f"question {place + 1} of `{file}` needs whole numbers as `question_id` and "
                "`image_id`, and a text as `question`"
            )
        found.append(Question(number=number, image=image, text=text))
    if len({question.number for question in found}) < len(found):
        counts = Counter(question.number for question in found)
        twice, count = counts.most_common(1)[0]
        raise DataError(f"`{file}` asks question {twice} {count} times")
    return found


def read_annotations(file: Path) -> dict[int, Annotation]:
    """Read a file of annotations, by the id of their question; raises DataError."""
    found: dict[int, Annotation] = {}
    for place, entry in enumerate(_entries(file, "annotations")):
        try:
            number, answers = entry["question_id"], entry["answers"]
            main = entry.get("multiple_choice_answer")
            types = entry.get("answer_type"), entry.get("question_type")
        except (KeyError, TypeError, AttributeError) as problem:
            raise _no_entry(file, "annotation", place, problem) from None
        texts = isinstance(answers, list) and all(isinstance(text, str) for text in answers)
        if not (_whole(number) and texts and answers):
            raise DataError(
                f"annotation {place + 1} of `{file}` needs a whole number as `question_id`, and "
                "`answers` with a text as `answer` of each"
            )
        if not all(isinstance(text, str | None) for text in (main, *types)):
            raise DataError(
                f"annotation {place + 1} of `{file}` has an answer or a type that is no text"
            )
        found[number] = Annotation(
            answers=tuple(answers),
            main=Counter(answers).most_common(1)[0][0] if main is None else main,
            answer_type=types[0],
            question_type=types[1],
        )
    return found


def vocabulary(block: Vqav2) -> tuple[str, ...]:
    """Return the answers that can be given, most frequent first, then by the alphabet.

    They are the main answers of enough questions of all annotated splits that are there, also of
    one that nothing is learned from, as in all published work. There may be none.

    Raises:
        DataError: if a file is malformed.
    """
    files = [annotations_of(block.root, split) for split in LABELLED]
    counts = Counter[str]()
    for file in files:
        if file.is_file():
            counts.update(_counted(file, file.stat().st_mtime_ns, file.stat().st_size))
    frequent = [answer for answer, count in counts.items() if count >= block.min_count]
    frequent.sort(key=lambda answer: (-counts[answer], answer))
    return tuple(frequent[: block.answers])


@lru_cache(maxsize=4)
def _counted(file: Path, changed: int, size: int) -> Mapping[str, int]:
    """Count main answers as the official evaluation spells them; read again what has changed."""
    return Counter(normalised(annotation.main) for annotation in read_annotations(file).values())


def _entries(file: Path, name: str) -> Sequence[Any]:
    if not file.is_file():
        raise DataError(f"`{file}` does not exist; {LAYOUT}")
    spelled: dict[str, str] = {}

    def answer_alone(entry: dict[str, Any]) -> Any:
        """Keep of an answer its text, each text once: there are millions."""
        answer = entry.get("answer") if "question_id" not in entry else None
        return spelled.setdefault(answer, answer) if isinstance(answer, str) else entry

    try:
        content = json.loads(file.read_bytes(), object_hook=answer_alone)
        entries = content[name]
    except (ValueError, TypeError, KeyError, RecursionError) as problem:
        what = f"{type(problem).__name__}: {problem}"
        raise DataError(f"`{file}` is no JSON object with `{name}` ({what})") from None
    if not isinstance(entries, list):
        raise DataError(f"`{file}` has `{name}` that are no list")
    return entries


def _no_entry(file: Path, what: str, place: int, problem: Exception) -> DataError:
    missing = f"has no {problem}" if isinstance(problem, KeyError) else "is no JSON object"
    return DataError(f"{what} {place + 1} of `{file}` {missing}")


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)

"""The easy-VQA data set. Source: easy-vqa on PyPI, Zhou 2019."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from renaissance.runtime.data.easy_vqa_facts import facts_of
from renaissance.runtime.data.errors import DataError
from renaissance.runtime.data.table import Source, Table, make_table

LAYOUT = "`train` and `test`, each with `questions.json` and `images`"


def read_easy_vqa(
    source: Source,
    root: str | None,
    split: str,
    *,
    caption: bool = False,
    named: bool = False,
) -> Table:
    """Read one part of easy-VQA.

    Args:
        source: the block or task that asks for it.
        root: folder that holds the parts; the installed package if None.
        split: `train` or `test`.
        caption: join question and answer to one text, and give no answers.
        named: leave out captions that answer yes or no.

    Raises:
        DataError: if the package, the folder or a file is missing or malformed.
    """
    folder = Path(root) if root is not None else installed_data()
    if not folder.is_dir():
        raise DataError(f"the folder `{folder}` does not exist; `root` must hold {LAYOUT}")
    if not (folder / split).is_dir():
        raise DataError(f"easy_vqa has no split `{split}` in `{folder}`; it must hold {LAYOUT}")
    file = folder / split / "questions.json"
    if not file.is_file():
        raise DataError(f"`{file}` does not exist; `root` must hold {LAYOUT}")
    try:
        questions, answers, images = zip(*json.loads(file.read_text("utf-8")), strict=True)
        texts, labels = pa.array(questions, pa.string()), pa.array(answers, pa.string())
        paths = pa.array([f"{int(image)}.png" for image in images], pa.string())
    except (ValueError, TypeError) as problem:
        raise DataError(
            f"`{file}` is not a JSON list of [question, answer, image number]: {problem}"
        ) from None
    folder = folder / split / "images"
    if caption:
        # Yes and no tell what images show as well: all questions are read before some are left out.
        kept = np.array([not named or answer not in ("yes", "no") for answer in answers])
        joined = pc.binary_join_element_wise(texts, labels, " ")
        facts = facts_of(questions, answers, np.array(images, np.int64))
        contents, also_true = None, None
        if facts is not None:
            contents = facts.content[kept]
            also_true = pa.table({"text": joined.take(facts.caption), "content": facts.of})
        texts, paths = joined.filter(kept), paths.filter(kept)
        return make_table(source, folder, texts, paths, contents=contents, also_true=also_true)
    return make_table(source, folder, texts, paths, answers=labels)


def installed_data() -> Path:
    """Return the folder of data inside the installed easy_vqa package."""
    found = importlib.util.find_spec("easy_vqa")
    if found is None or found.origin is None:
        raise DataError("the package easy-vqa is not installed; run `pip install easy-vqa`")
    return Path(found.origin).parent / "data"

"""Pairs of easy-VQA: a caption is a question followed by its answer."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from renaissance.runtime.data.table import Source, Table, make_table
from renaissance.runtime.formats.easy_vqa.schema import EasyVqaPairs
from renaissance.runtime.tasks.easy_vqa.facts import facts_of
from renaissance.runtime.tasks.easy_vqa.reader import read_questions


def read(block: EasyVqaPairs, source: Source) -> Table:
    """Read the captions of a part; raises DataError."""
    part = read_questions(block.root, block.split)
    # Yes and no tell what images show as well: all questions are read before some are left out.
    named = block.answers == "named"
    kept = np.array([not named or answer not in ("yes", "no") for answer in part.answers])
    joined = pc.binary_join_element_wise(
        pa.array(part.questions, pa.string()), pa.array(part.answers, pa.string()), " "
    )
    if block.image == "none":
        texts = joined.filter(kept)
        return make_table(source, part.folder, texts, pa.nulls(len(texts), pa.string()))
    facts = facts_of(part.questions, part.answers, np.array(part.images, np.int64))
    contents, also_true = None, None
    if facts is not None:
        contents = facts.content[kept]
        also_true = pa.table({"text": joined.take(facts.caption), "content": facts.of})
    return make_table(
        source,
        part.folder,
        joined.filter(kept),
        part.paths.filter(kept),
        contents=contents,
        also_true=also_true,
    )

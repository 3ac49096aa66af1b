"""What a model said to each row of a split, kept beside the result for later comparison."""

from pathlib import Path

import numpy as np
import pyarrow as pa

from renaissance.grammar.writing import replacing
from renaissance.runtime.results import PREDICTIONS
from renaissance.runtime.tasks.answered import Answered


def keep_rows(home: Path, answered: Answered, credit: np.ndarray | None) -> None:
    """Write a row for each row of the split into the folder of a job.

    Columns: `id`, as the data call it, or its number in the file, from 0; `image`, paths of its
    images; `scene`, the same for rows that are not independent; `text`; `answer` where each row has
    one; `prediction` in words, null where an image cannot be read; `probability` of it; `credit` by
    the task's protocol, null where nobody knows what is right.

    Args:
        home: the folder.
        answered: all rows of the split.
        credit: of those of which it is known what is right; None if there are none.
    """
    import pyarrow.parquet as parquet

    with replacing(home / PREDICTIONS) as draft:
        parquet.write_table(_table(answered, credit), draft, compression="zstd")


def _table(answered: Answered, credit: np.ndarray | None) -> pa.Table:
    table, asked = answered.table, answered.asked
    place = np.full(len(asked), -1)
    place[np.searchsorted(asked, answered.rows)] = np.arange(len(answered))
    said = pa.array(place, mask=place < 0)  # null where there is no answer
    probability = pa.array(answered.probabilities, from_pandas=True)  # NaN is null
    of_rows = ("text", "answer") if table.has_answers else ("text",)
    return pa.table(
        {
            "id": pa.array([str(each) for each in table.ids(asked)], pa.string()),
            "image": _images(answered),
            "scene": pa.array(answered.scenes),
            **{name: table.column(name).take(pa.array(asked)) for name in of_rows},
            "prediction": pa.array(answered.said, pa.string()).take(said),
            "probability": probability.take(said),
            "credit": _credit(answered, credit),
        }
    )


def _images(answered: Answered) -> pa.Array:
    images = answered.table.images_of_row[answered.asked]  # [asked, views]
    paths = answered.table.images.data.column("path").combine_chunks()
    starts = np.arange(len(images) + 1, dtype=np.int32) * images.shape[1]
    return pa.ListArray.from_arrays(starts, paths.take(pa.array(images.ravel())))


def _credit(answered: Answered, credit: np.ndarray | None) -> pa.Array:
    found = np.full(len(answered.asked), np.nan)
    if credit is not None:
        found[answered.table.labelled[answered.asked]] = credit
    return pa.array(found, from_pandas=True)

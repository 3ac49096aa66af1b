"""The file of scores, `.npz`: no official one exists."""

from pathlib import Path
from typing import BinaryIO

import numpy as np

from renaissance.runtime.tasks.answered import Answered
from renaissance.runtime.tasks.means import Measured
from renaissance.runtime.tasks.retrieval.karpathy import Captioned, read_captioned
from renaissance.runtime.tasks.retrieval.ranks import measure_scores
from renaissance.runtime.tasks.retrieval.schema import Retrieval
from renaissance.runtime.tasks.retrieval.scores import open_scores, write_scores


def write_to(block: Retrieval, answered: Answered, file: BinaryIO) -> None:
    """Write the scores of all pairs with the names of images and captions; -inf: not scored."""
    searched = answered.searched
    assert searched is not None and searched.scores is not None  # the first process has them
    write_scores(file, searched.scores, searched.images, searched.texts)


def measure_file(block: Retrieval, file: Path, part: str, split: str) -> Measured:
    """Measure a file of scores; a row is a caption.

    Args:
        block: says where the data lie.
        file: an `.npz` with `scores` `[images, captions]`, `image_ids` and `text_ids`.
        part: of the published data.
        split: its name, for messages.

    Raises:
        DataError: if the file or the data do not allow it.
    """
    images = read_captioned(block, part)
    scores = open_scores(file, images, split)
    starts = starts_of(images)
    found = measure_scores(starts, scores.blocks, folds=block.set == "coco")
    return Measured(
        metrics=found.metrics,
        means=found.means(np.arange(starts[-1]), starts),
        scenes=np.repeat(np.arange(len(images)), np.diff(starts)),
    )


def starts_of(images: list[Captioned]) -> np.ndarray:
    """Return `[images + 1]` int64: where the captions of each image start."""
    return np.cumsum([0, *(len(image.captions) for image in images)])

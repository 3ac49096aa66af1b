"""What readers of published captions have in common."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa

from renaissance.runtime.data.table import Source, Table, complete_rows, make_table


@dataclass(frozen=True, slots=True, kw_only=True)
class Captioned:
    """An image with its captions.

    Attributes:
        path: of the image, from the folder of the data set on.
        captions: in the order of the file.
        names: what data sets call the photograph, by namespace.
    """

    path: str
    captions: Sequence[str]
    names: Mapping[str, str | None] = field(default_factory=dict)


def captioned_table(
    source: Source, root: str | Path, images: Iterable[Captioned], spaces: Sequence[str] = ()
) -> Table:
    """Return a row for each caption that has something to be seen.

    Args:
        source: the block that they are of.
        root: folder that paths start from.
        images: in the order of their file.
        spaces: namespaces of which it is known whether they have an image.

    Raises:
        DataError: if there is no caption.
    """
    found = list(images)
    captions = pa.array([text.strip() for one in found for text in one.captions], pa.string())
    image = np.repeat(np.arange(len(found)), [len(one.captions) for one in found])
    paths = pa.array([one.path for one in found], pa.string()).take(pa.array(image))
    keep = pa.array(complete_rows(captions, paths))
    row = pa.array(image).take(keep)
    names = {
        space: pa.array([one.names.get(space) for one in found], pa.string()).take(row)
        for space in spaces
    }
    return make_table(
        source,
        root,
        captions.take(keep),
        paths.take(keep),
        names=names,
        incomplete=len(captions) - len(keep),
    )


def distinct(captions: Iterable[str]) -> list[str]:
    """Return captions, each once, in their order."""
    return list(dict.fromkeys(text.strip() for text in captions))

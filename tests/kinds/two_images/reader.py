"""Every pair of neighbours in a folder of easy-VQA's images."""

from pathlib import Path

import pyarrow as pa

from renaissance.runtime.data.table import Source, Table, make_table
from renaissance.runtime.tasks.classification import answers, targets
from tests.kinds.two_images.schema import TwoImages

__all__ = ["answers", "read", "targets"]


def read(block: TwoImages, source: Source, file: str) -> Table:
    """Read one part: four rows about each image, beside those that follow it."""
    folder = Path(block.root) / file / "images"
    count = len(list(folder.glob("*.png")))
    rows = [(one, (one + ahead) % count) for one in range(count) for ahead in range(1, 5)]
    return make_table(
        source,
        folder,
        pa.array([f"is {one} like {other}?" for one, other in rows]),
        [pa.array([f"{row[side]}.png" for row in rows]) for side in (0, 1)],
        answers=pa.array(["yes" if (one - other) % 4 == 0 else "no" for one, other in rows]),
        columns={"id": pa.array([f"{one}-{other}" for one, other in rows])},
        # Blocks of four stay together.
        scenes=pa.array([str(one // 4) for one, _ in rows]),
    )

"""Four rows about one image."""

import numpy as np
import pyarrow as pa

from renaissance.runtime.data.part import Part
from renaissance.runtime.data.table import Source, Table, make_table
from renaissance.runtime.data.targets import Classes
from tests.kinds.candidates.schema import AmongCandidates


def read(block: AmongCandidates, source: Source, file: str) -> Table:
    """Return the rows, called `a` to `d`."""
    wanted = pa.array([0, 1, 2, 3])
    columns = {"id": pa.array([*"abcd"]), "wanted": wanted}
    return make_table(source, "", pa.array(["?"] * 4), pa.array(["a.png"] * 4), columns=columns)


def answers(block: AmongCandidates, train: Part) -> tuple[str, ...]:
    """Return none: candidates have no names."""
    return ()


def targets(block: AmongCandidates, table: Table, answers: tuple[str, ...]) -> Classes:
    """Return what is wanted of each row."""
    return Classes(numbers=table.column("wanted").to_numpy().astype(np.int64))

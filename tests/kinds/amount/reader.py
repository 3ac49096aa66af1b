"""Four rows about one image."""

import numpy as np
import pyarrow as pa

from renaissance.runtime.data.part import Part
from renaissance.runtime.data.table import Source, Table, make_table
from renaissance.runtime.data.targets import Numbers
from tests.kinds.amount.schema import Amount


def read(block: Amount, source: Source, file: str) -> Table:
    """Return the rows, called `a` to `d`."""
    wanted = pa.array([0, 1, 2, 3])
    columns = {"id": pa.array([*"abcd"]), "wanted": wanted}
    return make_table(source, "", pa.array(["?"] * 4), pa.array(["a.png"] * 4), columns=columns)


def answers(block: Amount, train: Part) -> tuple[str, ...]:
    """Return none: numbers have no names."""
    return ()


def targets(block: Amount, table: Table, answers: tuple[str, ...]) -> Numbers:
    """Return what is wanted of each row."""
    return Numbers(values=table.column("wanted").to_numpy().astype(np.float32))

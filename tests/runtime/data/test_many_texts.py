"""Columns of millions of texts, which cost few bytes a row beside the column itself."""

import tracemalloc

import numpy as np
import pyarrow as pa

from renaissance.runtime.data.many_texts import Texts, numbered, pieces, taken

MOST_BYTES = 2 * 1024**3 // 10_000_000


def test_texts_are_numbered_by_first_appearance() -> None:
    column = pa.chunked_array([["b", "a", "b"], [], ["", "a", "c"]])
    number, first = numbered(pieces(column))
    assert number.tolist() == [0, 1, 0, 2, 1, 3]
    assert first.tolist() == [True, True, False, True, False, True]


def test_rows_of_several_chunks() -> None:
    column = pa.chunked_array([["a", "b"], ["c"], ["d", "e"]])
    rows = np.array([1, 2, 4])
    assert taken(column, rows).to_pylist() == ["b", "c", "e"]
    both = Texts(rows, column, column)
    assert ([*both], len(both), "d" in both) == (["b", "c", "e"] * 2, 6, False)


def test_a_hundredth_of_ten_million_texts() -> None:
    rows = 100_000
    column = pa.chunked_array([[f"a caption of ten words or so {row}" for row in range(rows)]])
    tracemalloc.start()
    try:
        _, first = numbered(pieces(column))
        assert sum(map(len, Texts(np.arange(rows), column))) > 0
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert first.all()
    assert peak < MOST_BYTES * rows

"""Columns of millions of texts, which cost few bytes a row beside the column itself."""

import tracemalloc
from itertools import islice
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

import renaissance as rn
from benchmarks.captions import SPEC, draw_images, write
from renaissance.runtime.data import Tokenizer, job_data
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


def test_bytes_a_caption_of_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A small table is the zero of a larger one: what is the same for both does not count.

    A table before them takes what is only read once, such as modules.
    """
    reader = "renaissance.runtime.formats.image_caption.reader.IN_MEMORY_BYTES"
    monkeypatch.setattr(reader, 0)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    few, many = 10_000, 30_000
    write(tmp_path / "0.parquet", 1000, 100)
    texts = pa.parquet.read_table(tmp_path / "0.parquet")["caption"].to_pylist()
    tokenizer = Tokenizer.learned(texts, 2000)
    sizes = (500, few, many)
    _, of_few, of_many = (kept(tmp_path / f"{n}.parquet", n, tokenizer) for n in sizes)
    assert 0 < (of_many - of_few) / (many - few) < MOST_BYTES


def kept(table: Path, rows: int, tokenizer: Tokenizer) -> int:
    """Return the bytes that are held when a table has given its first batch."""
    write(table, rows, rows // 10)
    spec = table.with_suffix(".vl")
    spec.write_text(SPEC.format(table=table, batch=8, workers=0))
    declared, arrow = rn.load(str(spec)), pa.total_allocated_bytes()
    tracemalloc.start()
    try:
        data = job_data(declared, "p", tokenizer)
        assert data.digests
        draw_images(Path(data.sample("train", row).image_path) for row in data.rows(0))
        [[batch]] = islice(data.train(0, 0, 1), 1)
        assert batch.rows == 8
        return tracemalloc.get_traced_memory()[0] + pa.total_allocated_bytes() - arrow
    finally:
        tracemalloc.stop()

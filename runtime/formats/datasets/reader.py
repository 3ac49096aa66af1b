"""Folders of `datasets`: Arrow files of `save_to_disk`, and image folders with metadata."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from renaissance.grammar.names import listing
from renaissance.runtime.data.errors import DataError
from renaissance.runtime.data.fields import first_names, read_fields
from renaissance.runtime.data.published import listed, read_json
from renaissance.runtime.data.table import Source, Table, complete_rows, make_table
from renaissance.runtime.formats.datasets.schema import HuggingFaceDatasets
from renaissance.runtime.formats.embedded import column_of, embedded_table, mapped_arrow

CAPTIONS = ("caption", "captions", "text")
"""Columns of captions, the first that there is."""
METADATA = ("metadata.csv", "metadata.jsonl", "metadata.parquet")


def read(block: HuggingFaceDatasets, source: Source) -> Table:
    """Read a folder; raises DataError."""
    root = Path(block.root)
    if not root.is_dir():
        raise DataError(f"the folder `{root}` of `{source.name}` does not exist")
    if (root / "dataset_dict.json").is_file() or (root / "state.json").is_file():
        return _saved(block, _part(root, block.split, source), source)
    inner = root / block.split if block.split is not None else root
    found = sorted(path for name in METADATA for path in inner.rglob(name))
    if not found:
        raise DataError(
            f"`{inner}` of `{source.name}` is neither a folder that `save_to_disk` writes "
            "(`state.json`, `data-00000-of-00001.arrow`) nor an image folder with "
            f"{listing(METADATA)}"
        )
    return _image_folder(block, root, found, source)


def _part(root: Path, split: str | None, source: Source) -> Path:
    """Return the folder of a part of what `save_to_disk` wrote."""
    if not (root / "dataset_dict.json").is_file():
        return root
    splits: list[str] = listed(read_json(root / "dataset_dict.json"), "splits", root)
    if split is None and len(splits) == 1:
        return root / splits[0]
    if split is None or split not in splits:
        said = "says no `split`" if split is None else f"has no split `{split}`"
        raise DataError(f"`{source.name}` {said}; `{root}` has {listing(splits)}")
    return root / split


def _saved(block: HuggingFaceDatasets, folder: Path, source: Source) -> Table:
    state = folder / "state.json"
    if not state.is_file():
        raise DataError(f"`{state}` of `{source.name}` does not exist")
    names = [entry["filename"] for entry in read_json(state).get("_data_files", [])]
    if not names:
        raise DataError(f"`{state}` names no files of data")
    table = pa.concat_tables([mapped_arrow(folder / name) for name in names])
    caption = _caption(block, table.column_names, folder)
    return embedded_table(
        source,
        folder,
        column_of(table, block.image, folder),
        column_of(table, caption, folder),
        where=str(folder / "data"),
    )


def _image_folder(
    block: HuggingFaceDatasets, root: Path, tables: Sequence[Path], source: Source
) -> Table:
    """Read metadata, whose paths start from the folder that it lies in."""
    paths: list[str | None] = []
    captions: list[str | None] = []
    for table in tables:
        there = first_names(table)
        file = next((n for n in ("file_name", f"{block.image}_file_name") if n in there), None)
        if file is None:
            raise DataError(
                f"`{table}` has no column `file_name`; its columns are {listing(there)}"
            )
        caption = _caption(block, there, table)
        fields = read_fields(table, (file, caption), what=f"`{source.name}`")
        folder = table.parent.relative_to(root)
        for name, said in zip(*fields.values.values(), strict=True):
            for text in said if isinstance(said, list) else [said]:
                paths.append(None if name is None else (folder / str(name)).as_posix())
                captions.append(_text(text, caption, table))
    texts, images = pa.array(captions, pa.string()), pa.array(paths, pa.string())
    keep = pa.array(complete_rows(texts, images))
    incomplete = len(texts) - len(keep)
    return make_table(source, root, texts.take(keep), images.take(keep), incomplete=incomplete)


def _caption(block: HuggingFaceDatasets, there: Sequence[str], path: Path) -> str:
    wanted = CAPTIONS if block.caption is None else (block.caption,)
    found = next((name for name in wanted if name in there), None)
    if found is None:
        raise DataError(
            f"`{path}` has no column {' or '.join(f'`{name}`' for name in wanted)}; it has "
            f"{listing(there)}"
        )
    return found


def _text(value: Any, name: str, path: Path) -> str | None:
    if value is not None and not isinstance(value, str):
        raise DataError(f"`{name}` of `{path}` is {value!r:.40}, not text")
    return value

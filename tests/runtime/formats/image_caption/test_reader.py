"""Tables of image paths and captions."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest

from renaissance.runtime.data.errors import DataError
from renaissance.runtime.data.joining import join
from renaissance.runtime.data.table import Source, Table
from renaissance.runtime.formats.image_caption import reader
from renaissance.runtime.formats.image_caption.schema import ImageCaption
from tests.published import draw

SOURCE = Source(name="pairs", max_unreadable=0.01)
PAIRS = [
    ("a.png", "a dog"),
    ("b.png", "NA"),
    ("a.png", "12"),
    ("sub/c.png", 'two, "quoted"\nlines'),
]


def read(path: Path, **keys: Any) -> Table:
    return reader.read(ImageCaption(table=str(path), **keys), SOURCE)


def pairs(table: Table, root: Path) -> list[tuple[str, str]]:
    texts = table.texts.to_pylist()
    paths = [table.path(image) for image in table.image_of_row]
    return [(str(Path(p).relative_to(root)), t) for p, t in zip(paths, texts, strict=True)]


def write_csv(path: Path) -> Path:
    import csv

    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "image", "caption"])
        writer.writerows([number, *pair] for number, pair in enumerate(PAIRS))
    return path


def write_jsonl(path: Path) -> Path:
    path.write_text("".join(json.dumps({"image": i, "caption": c}) + "\n" for i, c in PAIRS))
    return path


def write_parquet(path: Path) -> Path:
    images, captions = zip(*PAIRS, strict=True)
    table = pa.table({"image": images, "number": range(4), "caption": captions})
    pa.parquet.write_table(table, path, row_group_size=2)
    return path


WRITERS = {"csv": write_csv, "jsonl": write_jsonl, "parquet": write_parquet}


@pytest.mark.parametrize("suffix", WRITERS)
@pytest.mark.parametrize("large", [False, True], ids=["loaded", "mapped"])
def test_every_kind_of_table_gives_the_same_pairs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str, large: bool
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    if large:
        monkeypatch.setattr(reader, "IN_MEMORY_BYTES", 0)
    path = WRITERS[suffix](tmp_path / f"pairs.{suffix}")
    table = read(path)
    assert pairs(table, tmp_path) == PAIRS
    assert len(table.images) == 3
    assert table.image_of_row.tolist() == [0, 1, 0, 2]
    assert (tmp_path / "cache").exists() == large


def test_a_mapped_table_follows_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(reader, "IN_MEMORY_BYTES", 0)
    path = tmp_path / "pairs.csv"
    path.write_text("image,caption\na.png,old\n")
    assert read(path).texts.to_pylist() == ["old"]
    path.write_text("image,caption\na.png,newer\n")
    assert read(path).texts.to_pylist() == ["newer"]
    kept = [file.name for file in (tmp_path / "cache" / "renaissance" / "tables").iterdir()]
    assert len(kept) == 2 and all(name.endswith(".arrow") for name in kept)


@pytest.mark.parametrize("suffix", ["jsonl", "parquet"])
def test_lists_of_captions_become_rows(tmp_path: Path, suffix: str) -> None:
    rows = [
        {"image": "a.png", "caption": ["one", "two"]},
        {"image": "b.png", "caption": []},
        {"image": "c.png", "caption": ["three"]},
    ]
    path = tmp_path / f"pairs.{suffix}"
    if suffix == "jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    else:
        pa.parquet.write_table(pa.Table.from_pylist(rows), path, row_group_size=2)
    assert pairs(read(path), tmp_path) == [("a.png", "one"), ("a.png", "two"), ("c.png", "three")]


def test_rows_without_caption_or_image_are_left_out_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "pairs.csv"
    path.write_text("image,caption\na.png,fine\n,nothing to see\nb.png,\nc.png,  \nd.png,good\n")
    table = read(path)
    assert table.texts.to_pylist() == ["fine", "good"]
    assert table.incomplete == 3


def test_other_columns_and_another_root(tmp_path: Path) -> None:
    path = tmp_path / "pairs.csv"
    path.write_text("file,words\n../a.png,hello\n")
    (tmp_path / "images" / "deep").mkdir(parents=True)
    table = read(path, image="file", caption="words", root=str(tmp_path / "images" / "deep"))
    assert table.path(0) == str(tmp_path / "images" / "a.png")


def test_spellings_of_one_path_are_one_image(tmp_path: Path) -> None:
    path = tmp_path / "pairs.csv"
    path.write_text(f"image,caption\na.png,x\n./a.png,y\nb/../a.png,z\n{tmp_path}/a.png,w\n")
    assert read(path).image_of_row.tolist() == [0, 0, 0, 0]


def test_joined_tables_share_images(tmp_path: Path) -> None:
    (tmp_path / "one.csv").write_text("image,caption\na.png,x\nb.png,y\n")
    (tmp_path / "two.csv").write_text("image,caption\nc.png,z\nb.png,w\n")
    one, two = read(tmp_path / "one.csv"), read(tmp_path / "two.csv")
    both = join([one, two])
    assert pairs(both, tmp_path) == pairs(one, tmp_path) + pairs(two, tmp_path)
    assert both.image_of_row.tolist() == [0, 1, 2, 1]
    assert both.images["source"][:] == [0, 0, 1]
    assert len(set(both.scene_of_image.tolist())) == 3


BAD = {
    "no such file": ("pairs.csv", None, "does not exist"),
    "unknown suffix": ("pairs.txt", "image,caption\n", "a table ends in .csv, .tsv, .jsonl, .json"),
    "empty file": ("pairs.csv", "", "is empty"),
    "header only": ("pairs.csv", "image,caption\n", "has no rows"),
    "only blank captions": ("pairs.csv", "image,caption\na.png,\n", "holds no text with an image"),
    "misspelt column": (
        "pairs.csv",
        "image,captions,id\na.png,x,1\n",
        "no column `caption`; its columns are `image`, `captions`, `id`; did you mean `captions`?",
    ),
    "no columns like it": ("pairs.csv", "x\n1\n", "no column `image`; its columns are `x`"),
    "ragged csv": ("pairs.csv", "image,caption\na.png,x,y,z\n", "cannot be read as CSV"),
    "not utf-8": ("pairs.csv", b"image,caption\na.png,\xff\xfe\n", "cannot be read as CSV"),
    "json array": ("pairs.json", '[{"image": "a"}]', "cannot be read as JSON Lines"),
    "broken json": ("pairs.jsonl", '{"image": "a.png", "caption"', "cannot be read as JSON Lines"),
    "numbers for captions": (
        "pairs.jsonl",
        '{"image": "a.png", "caption": 3}\n',
        "`TABLE` cannot be read as JSON Lines: line 1: `caption` is a number, not text",
    ),
    "text as parquet": ("pairs.parquet", "image,caption\n", "cannot be read as Parquet"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_table_is_one_sentence(tmp_path: Path, case: str) -> None:
    name, content, expected = BAD[case]
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(DataError) as error:
        read(path)
    message = str(error.value)
    assert expected.replace("TABLE", str(path)) in message
    assert "\n" not in message


def test_a_folder_and_a_missing_image_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is a folder"):
        read(tmp_path)
    (tmp_path / "pairs.csv").write_text("image,caption\na.png,x\n")
    with pytest.raises(DataError, match=r"image folder `.*nowhere` of `pairs` does not exist"):
        read(tmp_path / "pairs.csv", root=str(tmp_path / "nowhere"))


def test_several_tables_and_separators(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text("image\tcaption\na.png\tone, two\n")
    (tmp_path / "b.csv").write_text("image;caption\na.png;three\n")
    first = read(tmp_path / "a.tsv")
    assert pairs(first, tmp_path) == [("a.png", "one, two")]
    assert pairs(read(tmp_path / "b.csv", separator=";"), tmp_path) == [("a.png", "three")]
    (tmp_path / "c.csv").write_text("image,caption\nb.png,four\na.png,five\n")
    tables = (str(tmp_path / "a.tsv"), str(tmp_path / "c.csv"))
    both = reader.read(ImageCaption(table=tables), SOURCE)
    found = [("a.png", "one, two"), ("b.png", "four"), ("a.png", "five")]
    assert pairs(both, tmp_path) == found
    assert (len(both.sources), both.image_of_row.tolist()) == (1, [0, 1, 0])


ROWS = [
    {"image": "a.png", "caption": ["a", "b"], "part": 1, "w": 2},
    {"image": "b.png", "caption": ["c"], "part": 2, "w": 1},
    {"image": "c.png", "caption": ["d"], "part": 1, "w": 0},
    {"image": "d.png", "caption": ["e"], "part": 1, "w": 0.5},
]


@pytest.mark.parametrize("suffix", ["jsonl", "parquet"])
def test_columns_of_splits_and_weights(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"pairs.{suffix}"
    if suffix == "jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    else:
        pa.parquet.write_table(pa.Table.from_pylist(ROWS), path)
    table = read(path, split="1", split_column="part", weight_column="w")
    assert pairs(table, tmp_path) == [("a.png", "a"), ("a.png", "b"), ("d.png", "e")]
    assert table.weight_of_row is not None and table.weight_of_row.tolist() == [2, 2, 0.5]
    with pytest.raises(DataError, match="has `3` in `part`, which says `1`, `2`"):
        read(path, split="3", split_column="part")
    with pytest.raises(DataError, match=r"`image` of .* is no number"):
        read(path, weight_column="image")


@pytest.mark.parametrize("form", ["objects", "files"])
def test_images_that_lie_in_the_table(tmp_path: Path, form: str) -> None:
    for shade, name in enumerate(("a.png", "b.png", "c.png")):
        draw(tmp_path / name, 40 * shade)
    held = [(tmp_path / name).read_bytes() for name in ("a.png", "b.png")]
    images: list[object] = [{"bytes": file, "path": None} for file in held]
    images.append({"bytes": None, "path": "c.png"})
    if form == "files":
        images = [*held, None]
    rows = {"image": images, "caption": [["one", "two"], ["three"], ["four"]]}
    path = tmp_path / "pairs.parquet"
    pa.parquet.write_table(pa.table(rows), path, row_group_size=2)
    table = read(path)
    last = [] if form == "files" else ["four"]
    assert table.texts.to_pylist() == ["one", "two", "three", *last]
    assert [table.file(image) for image in range(2)] == held
    assert len(table.images) == 2 + len(last) and table.incomplete == 1 - len(last)
    assert not last or table.file(2) == str(tmp_path / "c.png")
    # Beside a table of files in folders, each keeps its own.
    (tmp_path / "more.csv").write_text("image,caption\nc.png,five\n")
    both = join([read(tmp_path / "more.csv"), table, table])
    assert both.texts.to_pylist() == ["five", *2 * table.texts.to_pylist()]
    assert [both.file(int(image)) for image in both.image_of_row[1:4]] == [held[0], *held]
    assert both.file(0) == str(tmp_path / "c.png")

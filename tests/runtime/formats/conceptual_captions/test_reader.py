"""Conceptual Captions, as downloaders leave it."""

import tarfile
import zlib
from pathlib import Path

import pytest

from renaissance.runtime.data.errors import DataError
from renaissance.runtime.formats.conceptual_captions.how import how
from renaissance.runtime.formats.conceptual_captions.schema import ConceptualCaptions
from renaissance.runtime.formats.sbu.schema import Sbu
from tests.published import draw, published_samples
from tests.published_pairs import write_conceptual, write_json
from tests.runtime.formats.reading import pairs, read

SAMPLE = "Train_GCC-training.sample.tsv"


def test_the_published_table(tmp_path: Path) -> None:
    table = read(ConceptualCaptions(root=str(write_conceptual(tmp_path, 4, {1, 2}))))
    found = pairs(table, tmp_path)
    assert [text for _, text in found] == ["background 1 .", "background 2 ."]
    assert table.incomplete == 2 and all(Path(path).is_file() for path in table.paths)


def test_12m_has_the_address_first(tmp_path: Path) -> None:
    draw(tmp_path / "images/7.jpg", 7)
    (tmp_path / "cc12m.tsv").write_text("http://example.com/a/7.jpg\t<PERSON> at sea\n")
    table = read(ConceptualCaptions(root=str(tmp_path), set="cc12m"))
    assert pairs(table, tmp_path) == [("images/7.jpg", "<PERSON> at sea")]


@pytest.mark.parametrize("header", ["", "caption\turl\n"])
def test_the_table_that_img2dataset_is_given(tmp_path: Path, header: str) -> None:
    rows = (published_samples("conceptual_captions") / SAMPLE).read_text()
    (tmp_path / "cc3m.tsv").write_text(header + rows)
    addresses = [line.split("\t")[1] for line in rows.splitlines()]
    for number, address in enumerate(addresses):
        draw(tmp_path / f"training/{number}_{zlib.crc32(address.encode())}", number, "JPEG")
    table = read(ConceptualCaptions(root=str(tmp_path)))
    assert [text for _, text in pairs(table, tmp_path)] == [
        "a very typical bus station",
        "christmas tree on a black background .",
    ]
    assert table.incomplete == 0


def test_a_header_says_which_column_comes_first(tmp_path: Path) -> None:
    draw(tmp_path / "images/7.jpg", 7)
    (tmp_path / "cc12m.tsv").write_text("caption\turl\nat sea\thttp://example.com/a/7.jpg\n")
    table = read(ConceptualCaptions(root=str(tmp_path), set="cc12m"))
    assert pairs(table, tmp_path) == [("images/7.jpg", "at sea")]


@pytest.mark.parametrize("home", [".", "train"])
def test_folders_of_img2dataset(tmp_path: Path, home: str) -> None:
    block = ConceptualCaptions(root=str(tmp_path), set="cc12m")
    assert [place.path for place in how(block).missing()] == ["cc12m.tsv", "training"]
    for shard in sorted((published_samples("generic") / "shards").glob("*.tar")):
        with tarfile.open(shard) as tar:
            tar.extractall(tmp_path / home / shard.stem, filter="data")
    table = read(block)
    assert (len(table), table.incomplete) == (18, 0)
    assert all(Path(path).is_file() for path in table.paths)
    assert "Boston - 00201" in table.texts.to_pylist() and not list(how(block).missing())


def test_tars_are_to_be_unpacked(tmp_path: Path) -> None:
    (tmp_path / "00000.tar").write_bytes(b"")
    for block in (ConceptualCaptions(root=str(tmp_path)), Sbu(root=str(tmp_path))):
        with pytest.raises(DataError, match=r"`00000\.tar` is read from a folder `00000`"):
            read(block)


def test_the_lists_of_vilt(tmp_path: Path) -> None:
    draw(tmp_path / "images_val/0000/0000000", 9, "JPEG")
    write_json(tmp_path / "val_annot.json", [["images_val/0000/0000000", "a bus station"]])
    table = read(ConceptualCaptions(root=str(tmp_path), split="validation"))
    assert pairs(table, tmp_path) == [("images_val/0000/0000000", "a bus station")]


def test_mistakes_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"Train_GCC-training\.tsv` does not exist"):
        read(ConceptualCaptions(root=str(tmp_path)))
    (tmp_path / "Train_GCC-training.tsv").write_text("no tab\n")
    with pytest.raises(DataError, match=r"line 1 of `.*` is not `caption TAB address`"):
        read(ConceptualCaptions(root=str(tmp_path)))
    with pytest.raises(DataError, match=r"cc12m has no `validation`"):
        read(ConceptualCaptions(root=str(tmp_path), set="cc12m", split="validation"))

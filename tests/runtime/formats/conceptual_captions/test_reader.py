"""Conceptual Captions, as downloaders leave it."""

from pathlib import Path

import pytest

from renaissance.runtime.data.errors import DataError
from renaissance.runtime.formats.conceptual_captions.schema import ConceptualCaptions
from tests.published import draw
from tests.published_pairs import write_conceptual, write_json
from tests.runtime.formats.reading import pairs, read


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

"""SNLI-VE in its published layout."""

from pathlib import Path

import numpy as np
import pytest

from renaissance.grammar.declaration import Share
from renaissance.runtime.data import job_data
from renaissance.runtime.data.errors import DataError
from renaissance.runtime.data.table import Source, Table
from renaissance.runtime.tasks.snli_ve.reader import CLASSES, read
from renaissance.runtime.tasks.snli_ve.schema import SnliVe
from tests.exams import exam_spec, examined, said, same_with_kept_features
from tests.published import published_samples, write_snli_ve
from tests.runs import notices


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Photographs with three sentences each, and two rows that are not of the set."""
    return write_snli_ve(tmp_path)


def split_of(root: Path, name: str) -> Table:
    return read(SnliVe(root=str(root)), Source(name="snli_ve", max_unreadable=0.01), name)


def test_photograph_and_hypothesis_are_read_and_no_premise(root: Path) -> None:
    table = split_of(root, "dev")
    assert (len(table), len(table.images), table.incomplete) == (9, 3, 2)
    assert table.answers() == [*CLASSES] * 3
    assert table.column("id")[4].as_py() == "2001.jpg#1r1e"
    assert table.path(1) == str(root / "flickr30k-images/2001.jpg")
    assert "SECRET" not in str(table.rows.to_list())


def test_the_layout_of_others(root: Path) -> None:
    (root / "Flickr30K").mkdir()
    (root / "flickr30k-images").rename(root / "Flickr30K/images")
    (root / "data").mkdir()
    (root / "snli_ve_dev.jsonl").rename(root / "data/snli_ve_dev.jsonl")
    assert split_of(root, "dev").path(0) == str(root / "Flickr30K/images/2000.jpg")


def test_a_share_is_held_out_by_photograph(root: Path) -> None:
    data = job_data(exam_spec(SnliVe(root=str(root), validation=Share(0.25)), "test"), "learn")
    train, held = data.part("train"), data.part("validation")
    assert (len(train), len(held)) == (18, 6)
    assert set(train.images.tolist()).isdisjoint(held.images.tolist())


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "JSONDecodeError"),
        ("[1]", "TypeError"),
        ('{"gold_label": "neutral"}', "it has no 'sentence2'"),
        (
            '{"gold_label": "maybe", "sentence2": "s", "pairID": "1", "captionID": "1.jpg#0"}',
            'the label is "maybe"',
        ),
        ('{"gold_label": "-", "sentence2": "s", "pairID": "1"}', "it has no 'Flickr30K_ID'"),
    ],
)
def test_a_bad_line_is_named(root: Path, line: str, said: str) -> None:
    file = root / "snli_ve_dev.jsonl"
    file.write_text(line + "\n")
    with pytest.raises(DataError, match=f"line 1 of `.*` is no example of snli_ve: {said}"):
        split_of(root, "dev")


def test_what_is_missing_is_named(root: Path) -> None:
    (root / "snli_ve_dev.jsonl").unlink()
    with pytest.raises(DataError, match=r"snli_ve_dev.jsonl` does not exist; `root` holds"):
        split_of(root, "dev")
    (root / "flickr30k-images").rename(root / "photographs")
    with pytest.raises(DataError, match="neither `flickr30k-images` nor `Flickr30K/images`"):
        split_of(root, "test")


def test_learned_and_measured(root: Path, tmp_path: Path) -> None:
    """A photograph that cannot be read leaves its rows without an answer, named."""
    (root / "flickr30k-images/3001.jpg").write_bytes(b"")
    task = SnliVe(root=str(root), max_unreadable=Share(0.3))
    results = examined(task, tmp_path / "run", "dev", "test")
    assert {"accuracy", "loss", *(f"accuracy.{name}" for name in CLASSES)} == set(
        results["test"].metrics
    )
    assert results["test"].answers == CLASSES
    classes = [results["dev"].metrics[f"accuracy.{name}"] for name in CLASSES]
    assert results["dev"].metrics["accuracy"] == pytest.approx(np.mean(classes))
    assert said(tmp_path / "run/test.txt") == said(tmp_path / "run/test_small.txt")
    assert not [text for text in notices(tmp_path / "run", "test") if "learned from" in text]


def test_the_same_with_kept_features(root: Path, tmp_path: Path) -> None:
    same_with_kept_features(SnliVe(root=str(root)), tmp_path, "test")


def test_published_rows(tmp_path: Path) -> None:
    samples = published_samples("snli_ve")
    (tmp_path / "flickr30k-images").mkdir()
    rows = (samples / "sample_pairs.jsonl").read_text()
    (tmp_path / "snli_ve_dev.jsonl").write_text(rows)
    table = split_of(tmp_path, "dev")
    assert (len(table), len(table.images), table.incomplete) == (16, 2, 0)
    assert CLASSES == ("contradiction", "neutral", "entailment")
    assert [table.answers().count(name) for name in CLASSES] == [4, 6, 6]
    # What a writer was asked for is not what annotators found.
    [place] = np.flatnonzero(
        [name == "2248275918.jpg#3r1c" for name in table.column("id").to_pylist()]
    )
    assert table.answers()[place] == "neutral"
    plain = (samples / "snli_source_rows.jsonl").read_text()
    (tmp_path / "snli_ve_test.jsonl").write_text(plain)
    assert len(split_of(tmp_path, "test")) + split_of(tmp_path, "test").incomplete == 3

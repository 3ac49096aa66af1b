"""NLVR2 in its published layout."""

import gzip
import shutil
from pathlib import Path

import numpy as np
import pytest

from renaissance.grammar.declaration import Share
from renaissance.runtime.data.decode import read_image
from renaissance.runtime.data.errors import DataError
from renaissance.runtime.data.reading import read_task
from renaissance.runtime.data.table import Table
from renaissance.runtime.tasks.nlvr2.schema import Nlvr2
from tests.published import published_samples, write_nlvr2


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_nlvr2(tmp_path_factory.mktemp("nlvr2"))


@pytest.fixture
def root(published: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(published, tmp_path / "nlvr2"))


def split(root: Path, name: str) -> Table:
    return read_task(Nlvr2(root=str(root)), name)


@pytest.mark.parametrize("name", ["train", "dev", "test1", "test2", "balanced_dev"])
def test_each_row_has_its_two_images_left_before_right(published: Path, name: str) -> None:
    table = split(published, name)
    place = {"train": "images/train/0", "balanced_dev": "dev"}.get(name, name)
    stem = f"{name.removeprefix('balanced_')}-0-0"
    paths = [table.path(image) for image in table.images_of_row[0].tolist()]
    assert paths == [str(published / place / f"{stem}-img{side}.png") for side in range(2)]
    assert table.column("id")[1].as_py() == f"{stem}-1"
    # All formats are read, whatever their names say.
    assert all(read_image(path, 8, "squash").std() > 0 for path in table.paths)
    assert set(table.answers()) == {"True", "False"}


def test_training_images_are_held_out_by_their_folder(published: Path) -> None:
    task = Nlvr2(root=str(published), validation=Share(0.3))
    assert task.splits()["validation"].file == "train"
    table = split(published, "train")
    folder = [Path(path).parent.name for path in table.paths]
    scene = table.scene_of_image.tolist()
    assert len(set(zip(folder, scene, strict=True))) == len(set(folder)) == len(set(scene)) == 3


def test_what_is_known_of_rows_of_dev(published: Path) -> None:
    table = split(published, "dev")
    subset = table.column("subset").to_pylist()
    assert subset == ["balanced"] * 6 + ["unbalanced"] * 6 + [None] * 4
    names, found = (table.column(name).to_pylist() for name in ("id", "phenomena"))
    phenomena = dict(zip(names, found, strict=True))
    assert phenomena["dev-0-1-0"] == ["comparison", "universal quantifier"]
    assert phenomena["dev-1-0-1"] == ["comparison"]
    assert phenomena["dev-2-0-0"] == []
    assert "subset" not in split(published, "test1").rows.column_names


def test_the_repository_itself_may_be_the_root(root: Path) -> None:
    for name in ("dev", "test1"):
        shutil.move(root / name, root / "nlvr2" / name)
    table = split(root / "nlvr2", "dev")
    assert Path(table.path(0)).is_file() and len(table) == 16
    # Some keep the files of splits beside the images.
    shutil.move(root / "nlvr2/data/test1.json", root / "nlvr2/test1.json")
    assert len(split(root / "nlvr2", "test1")) == 12


def test_rows_without_labels_are_predicted_and_not_measured(root: Path) -> None:
    file = root / "nlvr2/data/test2.json"
    file.write_text(file.read_text().replace('"label": ', '"hidden": '))
    assert not split(root, "test2").labelled.any()
    file = root / "nlvr2/data/dev.json"
    file.write_text(file.read_text().replace('"label": ', '"hidden": '))
    with pytest.raises(DataError, match=r"line 1 of `.*dev.json` is no example.*no 'label'"):
        split(root, "dev")


def test_a_missing_file_says_what_should_lie_where(root: Path) -> None:
    (root / "nlvr2/data/test1.json").unlink()
    with pytest.raises(DataError, match=r"test1.json` does not exist; `root` holds .*images/train"):
        split(root, "test1")
    with pytest.raises(DataError, match=r"nowhere.*train.json` does not exist"):
        split(root / "nowhere", "train")


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("{", "JSONDecodeError"),
        ("[]", "TypeError"),
        ("3", "TypeError"),
        ("{}", "no 'identifier'"),
        ("\\xff", "JSONDecodeError"),
        ('{"identifier": "dev-1-1", "sentence": "s", "label": "True"}', "no identifier such as"),
        ('{"identifier": 3, "sentence": "s", "label": "True"}', "no identifier such as"),
        ('{"identifier": "dev-9-0-0", "sentence": null, "label": "True"}', "sentence is no text"),
        ('{"identifier": "dev-9-0-0", "sentence": "s", "label": true}', "label is true, neither"),
        ('{"identifier": "dev-9-0-0", "sentence": "s", "label": "true"}', "neither"),
    ],
)
def test_a_damaged_line_is_named(root: Path, line: str, problem: str) -> None:
    file = root / "nlvr2/data/dev.json"
    file.write_text(f"{file.read_text()}{line}\n")
    with pytest.raises(DataError, match=r"line 17 of `.*dev.json`") as error:
        split(root, "dev")
    assert problem in str(error.value) and "\n" not in str(error.value)


def test_an_identifier_that_comes_twice_is_named(root: Path) -> None:
    file = root / "nlvr2/data/dev.json"
    file.write_text(file.read_text() * 2)
    with pytest.raises(DataError, match=r"line 17 of .* repeats the identifier `dev-0-0-0`"):
        split(root, "dev")


def test_damaged_phenomena_are_named(root: Path) -> None:
    (root / "nlvr2/util/annotated_dev_examples.txt").write_text("A sentence.\nnegation\n")
    with pytest.raises(DataError, match=r"`A sentence.` with a line that does not begin"):
        split(root, "dev")


def test_the_published_dev_split(tmp_path: Path) -> None:
    samples = published_samples("nlvr2")
    (tmp_path / "nlvr2/data/balanced").mkdir(parents=True)
    for name, place in (("dev", "dev"), ("balanced_dev", "balanced/balanced_dev")):
        content = gzip.decompress((samples / f"{name}.json.gz").read_bytes())
        (tmp_path / f"nlvr2/data/{place}.json").write_bytes(content)
    table = split(tmp_path, "dev")
    assert len(table) == 6982
    assert len(np.unique(table.images_of_row, axis=0)) == 4051
    assert table.column("subset").to_pylist().count("balanced") == 2300

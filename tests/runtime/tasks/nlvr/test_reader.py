"""Cornell NLVR v1 in its published layout."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from renaissance.runtime.data.decode import read_image
from renaissance.runtime.data.errors import DataError
from renaissance.runtime.data.table import Source, Table
from renaissance.runtime.tasks.nlvr.reader import read
from renaissance.runtime.tasks.nlvr.schema import Nlvr

SOURCE = Source(name="nlvr dev", max_unreadable=0.01)


def part_of(root: Path, name: str) -> Table:
    return read(Nlvr(root=str(root)), SOURCE, name)


def test_six_drawings_a_sentence(nlvr_folder: Path) -> None:
    table = part_of(nlvr_folder, "dev")
    assert len(table) == len(table.images) == 18
    assert table.path(7) == str(nlvr_folder / "dev" / "images" / "4" / "dev-0-1-1.png")
    assert all(Path(table.path(image)).is_file() for image in range(18))
    assert table.answers() == ["false"] * 6 + ["true"] * 6 + ["false"] * 6
    assert np.unique(table.scene_of_image).tolist() == [0, 1]
    assert np.bincount(table.scene_of_image).tolist() == [12, 6]


def test_drawings_are_looked_for_where_no_folder_is_named(nlvr_folder: Path) -> None:
    named = part_of(nlvr_folder, "dev")
    file = nlvr_folder / "dev" / "dev.json"
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    for line in lines:
        del line["directory"]
    file.write_text("\n".join(json.dumps(line) for line in lines))
    found = part_of(nlvr_folder, "dev")
    assert [found.path(image) for image in range(18)] == [named.path(image) for image in range(18)]


def test_a_missing_part_names_those_that_exist(nlvr_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no folder `.*hidden`; it holds dev, test, train"):
        part_of(nlvr_folder, "hidden")
    with pytest.raises(DataError, match="nowhere` is empty or missing"):
        part_of(tmp_path / "nowhere", "train")
    (nlvr_folder / "dev" / "dev.json").unlink()
    with pytest.raises(DataError, match=r"dev.json` does not exist"):
        part_of(nlvr_folder, "dev")


@pytest.mark.parametrize(
    "line",
    [
        b"{",
        b"[]",
        b"3",
        b"{}",
        b"\xff\xfe",
        b'{"sentence": "s", "label": "maybe", "identifier": "1-0", "directory": "1"}',
    ],
)
def test_a_bad_line_is_named(nlvr_folder: Path, line: bytes) -> None:
    file = nlvr_folder / "dev" / "dev.json"
    file.write_bytes(file.read_bytes() + b"\n" + line)
    with pytest.raises(DataError, match="line 5 of `") as error:
        part_of(nlvr_folder, "dev")
    assert "\n" not in str(error.value)


def test_an_empty_file(nlvr_folder: Path) -> None:
    (nlvr_folder / "dev" / "dev.json").write_text("")
    with pytest.raises(DataError, match="holds no text"):
        part_of(nlvr_folder, "dev")


def test_the_published_corpus() -> None:
    root = os.environ.get("RENAISSANCE_NLVR")
    if root is None:
        pytest.skip("RENAISSANCE_NLVR does not name a folder with the corpus's `dev`")
    table = part_of(Path(root), "dev")
    assert len(table) == len(table.images) == 5934
    assert set(table.answers()) == {"true", "false"}
    hidden = part_of(Path(root), "hidden")
    assert len(hidden) == len(hidden.images) == 5910
    for part in (table, hidden):
        for image in range(0, len(part), 500):
            assert read_image(part.path(image), 32, "squash").std() > 0

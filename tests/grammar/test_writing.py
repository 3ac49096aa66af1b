"""Files that are replaced as a whole."""

import os
from pathlib import Path

import pytest

from renaissance.grammar.writing import draft_of, replacing, write_whole


def test_a_file_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_whole(path, "old")
    write_whole(path, "new\n\N{GREEK SMALL LETTER ALPHA}")
    assert path.read_bytes() == "new\n\N{GREEK SMALL LETTER ALPHA}".encode()
    assert list(tmp_path.iterdir()) == [path]


def test_what_fails_leaves_the_old_file_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_whole(path, "old")
    with pytest.raises(KeyboardInterrupt), replacing(path) as draft:
        draft.write_text("half of the n")
        raise KeyboardInterrupt
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_reader_sees_the_old_file_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_whole(path, "old")
    with replacing(path) as draft:
        draft.write_text("new")
        assert path.read_text() == "old"
        assert draft == draft_of(path)
    assert path.read_text() == "new"


def test_processes_that_share_a_file_have_drafts_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    with replacing(path, shared=True) as draft:
        assert str(os.getpid()) in draft.name and draft != draft_of(path)
        draft.write_text("new")
    assert path.read_text() == "new"


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_whole(tmp_path / "none" / "a.txt", "new")

"""Reading a text, and places in it."""

import io
import os
import sys
from pathlib import Path

import pytest

from renaissance.grammar.source import Source, SourceError, Span, read_source


def test_positions_count_characters_from_one() -> None:
    source = Source(name="a.vl", text="é = 1\n\nb = 2")
    assert source.position(0) == (1, 1)
    assert source.position(4) == (1, 5)
    assert source.position(6) == (2, 1)
    assert source.position(12) == (3, 6)
    assert [source.line(number) for number in (1, 2, 3)] == ["é = 1", "", "b = 2"]


def test_a_span_joins_another() -> None:
    source = Source(name="a.vl", text="a = 1")
    first, last = Span(source=source, start=0, end=1), Span(source=source, start=4, end=5)
    assert first.to(last).text == "a = 1"


def test_marks_and_line_ends_are_normalised(tmp_path: Path) -> None:
    path = tmp_path / "a.vl"
    path.write_bytes(b"\xef\xbb\xbfa = 1\r\nb = 2\rc = 3\n")
    assert read_source(str(path)).text == "a = 1\nb = 2\nc = 3\n"


def test_the_name_is_relative_to_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "a.vl").write_text("a = 1")
    monkeypatch.chdir(tmp_path)
    assert read_source(str(tmp_path / "specs" / "a.vl")).name == "specs/a.vl"
    monkeypatch.chdir(tmp_path / "specs")
    assert read_source("a.vl").name == "a.vl"


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"a = 1\r\n")))
    source = read_source("-")
    assert (source.name, source.text) == ("<stdin>", "a = 1\n")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"a = 1\xff\n", "is not UTF-8 text: byte 0xff in line 1, column 6"),
        (b"a\0b", "is not a text file: it contains a zero byte"),
        ("a = 1".encode("utf-16"), "is not a text file"),
        (b"#" * 4_000_001, "is larger than 4 MB"),
    ],
)
def test_what_cannot_be_read(tmp_path: Path, content: bytes, sentence: str) -> None:
    path = tmp_path / "a.vl"
    path.write_bytes(content)
    with pytest.raises(SourceError) as caught:
        read_source(str(path))
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    for name in ("missing.vl", "missing/a.vl", "a\0b", "x" * 300):
        with pytest.raises(SourceError):
            read_source(str(tmp_path / name))
    with pytest.raises(SourceError, match="is a folder"):
        read_source(str(tmp_path))
    with pytest.raises(SourceError, match="is empty"):
        read_source("")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_without_permission(tmp_path: Path) -> None:
    path = tmp_path / "a.vl"
    path.write_text("a = 1")
    path.chmod(0)
    with pytest.raises(SourceError, match="cannot be read"):
        read_source(str(path))


def test_ten_megabytes_of_noise_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "noise.vl"
    path.write_bytes(os.urandom(10_000_000))
    with pytest.raises(SourceError, match="larger than 4 MB"):
        read_source(str(path))

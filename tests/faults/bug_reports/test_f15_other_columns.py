"""Nothing but the two columns of a JSON Lines file matters, and lines are as long as they are."""

import json
from pathlib import Path

import pytest

from renaissance.runtime.data.errors import DataError
from renaissance.runtime.data.table import Source
from renaissance.runtime.formats.image_caption import reader
from renaissance.runtime.formats.image_caption.schema import ImageCaption


def read(path: Path) -> list[str]:
    source = Source(name="pairs", max_unreadable=0.01)
    texts: list[str] = reader.read(ImageCaption(table=str(path)), source).texts.to_pylist()
    return texts


OTHERS: dict[str, list[object]] = {
    "long": ["x" * 3 * 2**20, "y"],
    "of two types": [1, "a1"],
    "nested in two ways": [{"a": [1]}, {"a": {"b": None}}],
    "dates and numbers": ["2020-01-01T00:00:00", 1e400],
    "empty and not": [[], [1, "two", None]],
    "large": [2**70, -(2**70)],
}


@pytest.mark.parametrize("case", OTHERS)
def test_other_columns_do_not_matter(tmp_path: Path, case: str) -> None:
    rows = [
        {"other": other, "image": f"{number}.png", "caption": f"text {number}"}
        for number, other in enumerate(OTHERS[case])
    ]
    (tmp_path / "pairs.jsonl").write_text("\n".join(map(json.dumps, rows)))
    assert read(tmp_path / "pairs.jsonl") == ["text 0", "text 1"]


def test_forms_of_captions(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [
        {"image": "a.png", "caption": "one"},
        {"image": "b.png", "caption": ["two", "three"]},
        {"image": "c.png", "caption": []},
        {"image": "d.png", "caption": None},
        {"image": "e.png"},
        {"caption": "no image", "nested": {"caption": "x"}},
        {"image": "f.png", "caption": "four", "more": [{"caption": "x"}, {"image": "y"}]},
    ]
    content = "\r\n\r\n".join(map(json.dumps, rows))
    (tmp_path / "pairs.json").write_bytes(b"\xef\xbb\xbf" + content.encode())
    assert read(tmp_path / "pairs.json") == ["one", "two", "three", "four"]


GOOD = '{"image": "a.png", "caption": "x"}\n'
BROKEN = {
    "cut": (GOOD + '{"image": "b.png", "capt', "line 2: Unterminated string"),
    "a number": (GOOD + "\n3\n", "line 3: a number, not an object"),
    "an array": ('[{"image": "a"}]', "line 1: a list, not an object"),
    "a number for a caption": (GOOD + GOOD.replace('"x"', "3"), "`caption` is a number, not text"),
    "an object in a list": (
        GOOD.replace('"x"', '["y", {"z": 1}]'),
        "line 1: `caption` is an object, not text",
    ),
    "a list for an image": (GOOD.replace('"a.png"', "[]"), "`image` is a list, not text"),
    "twice": (
        '{"image": "a.png", "caption": "x", "caption": "y"}',
        "has two columns `caption`; give one of them another name",
    ),
    "brackets": (GOOD + "[" * 200_000, "line 2: too many brackets"),
    "half a pair": (GOOD.replace("x", "\\ud800"), "half of a surrogate pair"),
    "latin": (GOOD.replace("x", "é").encode("latin-1"), "line 1: "),
    "misspelt": (GOOD.replace("caption", "captoin"), "did you mean `captoin`?"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_bad_line_is_told(tmp_path: Path, case: str) -> None:
    content, said = BROKEN[case]
    data = content if isinstance(content, bytes) else content.encode()
    (tmp_path / "pairs.jsonl").write_bytes(data)
    with pytest.raises(DataError) as error:
        read(tmp_path / "pairs.jsonl")
    assert said in str(error.value) and "\n" not in str(error.value)

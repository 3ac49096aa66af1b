"""A quote that is not closed, or not written twice, does not swallow rows without a word."""

from pathlib import Path

import pytest

from renaissance.runtime.data.errors import DataError
from renaissance.runtime.data.table import Source
from renaissance.runtime.formats.image_caption import reader
from renaissance.runtime.formats.image_caption.schema import ImageCaption

HEAD = "image,caption\n"
BROKEN = {
    "open to the end": (
        HEAD + '0000.png,"a dog\n0001.png,a cat\n0002.png,a cow\n0003.png,the end\n',
        "line 2: a quote opens here, and none closes it",
    ),
    "open in the last row": (
        HEAD + '0000.png,a dog\n\n0001.png,"a cat\n',
        "line 4: a quote opens here, and none closes it",
    ),
    "open in the header": ('image,"caption\na.png,x\n', "line 1: a quote opens here"),
    "closed by the next row's": (
        HEAD + '0000.png,a hen\n0001.png,"a dog\n0002.png,"a cat"\n',
        "line 3: a text in quotes goes on after its closing quote",
    ),
    "escaped by a backslash": (
        HEAD + '0000.png,"a \\"quoted\\" word"\n',
        "line 2: a text in quotes goes on after its closing quote; a quote inside of it is written "
        '`""`, not `\\"`',
    ),
    "one value too many": (
        HEAD + "a.png,x\nb.png,y,z\n",
        "line 3: 3 values where the header has 2",
    ),
    "one value too few": (HEAD + "a.png,x\nb.png\n", "line 3: 1 values where the header has 2"),
    "two columns of captions": (
        "image,caption,caption\na.png,x,y\n",
        "has two columns `caption`; give one of them another name",
    ),
    "two columns of images": ("image,image,caption\na.png,x,y\n", "has two columns `image`"),
}


def read(path: Path) -> list[str]:
    source = Source(name="pairs", max_unreadable=0.01)
    texts: list[str] = reader.read(ImageCaption(table=str(path)), source).texts.to_pylist()
    return texts


@pytest.mark.parametrize("case", BROKEN)
def test_it_is_told_with_its_line(tmp_path: Path, case: str) -> None:
    content, said = BROKEN[case]
    (tmp_path / "pairs.csv").write_text(content)
    with pytest.raises(DataError) as error:
        read(tmp_path / "pairs.csv")
    assert said in str(error.value) and "\n" not in str(error.value)


def test_what_quotes_are_for(tmp_path: Path) -> None:
    texts = ['a "quoted" word', "two\nlines", "a, b", '5" nails', 'ends in "', "", "NA", "007"]
    rows = ['a,"a ""quoted"" word"', 'b,"two\nlines"', 'c,"a, b"', 'd,5" nails', 'e,"ends in """']
    rows += ["f,", "g,NA", "h,007"]
    for end in ("\n", "\r\n"):
        content = "\ufeff" + HEAD + "\n".join(rows)
        (tmp_path / "pairs.csv").write_bytes(content.replace("\n", end).encode())
        expected = [text.replace("\n", end) for text in texts if text]
        assert read(tmp_path / "pairs.csv") == expected


def test_long_texts(tmp_path: Path) -> None:
    (tmp_path / "pairs.csv").write_text(f"image,caption\na.png,{'x' * 2**20}\nb.png,y\n")
    assert [len(text) for text in read(tmp_path / "pairs.csv")] == [2**20, 1]

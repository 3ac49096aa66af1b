"""The code of `docs/extending.md` is the code of the files that it names."""

import re
from pathlib import Path

import pytest

from renaissance.grammar.kinds.registry import FAMILIES

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```\w+ (\S+)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
PLUGIN = ROOT / "examples" / "plugin" / "renaissance_shapes"


@pytest.mark.parametrize(("path", "code"), BLOCKS, ids=[path for path, _ in BLOCKS])
def test_a_block_of_code_is_cut_from_its_file(path: str, code: str) -> None:
    assert code.strip()
    assert code in (ROOT / path).read_text(encoding="utf-8")


def test_every_block_of_code_names_its_file() -> None:
    assert TEXT.count("\n```") == 2 * len(BLOCKS)


def test_every_file_of_the_words_of_the_example_is_shown() -> None:
    shown = {ROOT / path for path, _ in BLOCKS}
    words = [path.parent for path in PLUGIN.glob("*/schema.py")]
    files = {path for word in words for path in word.glob("*.py")}
    assert {path for path in files if path.name != "__init__.py"} <= shown


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_is_in_the_table(family: str) -> None:
    folder = "/".join(FAMILIES[family].package.split(".")[1:])
    row = f"| {family} | `{folder}/` | `renaissance.{family}` |"
    files = " ".join(f"`{name}.py`" for name in FAMILIES[family].facets)
    assert f"{row} {files}" in TEXT

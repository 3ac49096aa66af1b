"""The documentation of the language is complete, fresh, and its examples are right."""

import re
from pathlib import Path

from renaissance.grammar.check import check
from renaissance.grammar.declaration import Block, impact_of
from renaissance.grammar.kinds.registry import FAMILIES, schema, words
from renaissance.grammar.reference import reference
from renaissance.grammar.schema.spec import Spec
from renaissance.grammar.schema.vocabulary import keys_of, kind_of, positional_key, spelling_of
from renaissance.grammar.source import Source

DOCS = Path(__file__).parents[2] / "docs" / "language.md"


def blocks(block: type[Block], seen: set[type[Block]]) -> set[type[Block]]:
    """Return all classes of the schema that can be reached from a block."""
    if block not in seen:
        seen.add(block)
        for info in block.model_fields.values():
            named = set(re.findall(r"schema\.\w+\.(\w+)", str(info.annotation)))
            for inner in _subclasses(Block):
                if inner.__name__ in named:
                    blocks(inner, seen)
    return seen


def _subclasses(block: type[Block]) -> list[type[Block]]:
    return [c for s in block.__subclasses__() for c in (s, *_subclasses(s))]


def test_the_page_is_what_the_schema_says() -> None:
    assert DOCS.read_text(encoding="utf-8") == reference(), "run `make docs`"


def test_every_key_is_declared_in_full_and_documented() -> None:
    text = reference()
    found = blocks(Spec, set())
    for family in FAMILIES:
        found |= {kind for word in words(family) if (kind := schema(family, word)) is not None}
    assert len(found) > 20
    for block in found - {Spec}:
        fields = block.model_fields.items()
        for name, info in fields:
            if not info.json_schema_extra:
                continue
            assert info.description, f"{block.__name__}.{name} says nothing"
            assert impact_of(info)
            assert kind_of(info) is not None
        if block.__name__ != "Freeze":
            for key, info in keys_of(block).items():
                name = spelling_of(key, info)
                assert re.search(rf"^\| `{name.removesuffix('s')}", text, re.MULTILINE), name
            assert positional_key(block) is None or "Between the parentheses" in text


def test_the_examples_are_right() -> None:
    examples = re.findall(r"^```vl\n(.*?)^```$", DOCS.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    assert len(examples) >= 2
    for example in examples:
        assert check(Source(name="example.vl", text=example)) == ()

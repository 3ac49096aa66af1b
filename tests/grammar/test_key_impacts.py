"""Another value of a key is one change, with the key's impact, and another hash unless cosmetic.

It holds for every key with a default, of every block that the registry finds.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from pydantic import ValidationError
from pydantic.fields import FieldInfo

from renaissance.grammar.changes import changes_between, keys_by_address
from renaissance.grammar.declaration import Block, Minutes, Share, impact_of
from renaissance.grammar.explaining import pages_of
from renaissance.grammar.kinds.block import KindBlock
from renaissance.grammar.kinds.registry import FAMILIES, schema, words
from renaissance.grammar.reference import default_text
from renaissance.grammar.schema.identity import reduced
from renaissance.grammar.schema.model import Adapt, Freeze, Model
from renaissance.grammar.schema.study import StudyKeys
from renaissance.grammar.schema.vocabulary import (
    JOBS,
    Kind,
    default_of,
    keys_of,
    kind_of,
    spelling_of,
)

KINDS: list[tuple[str, type[Block]]] = [
    (word, kind)
    for family in FAMILIES
    for word in words(family)
    if (kind := schema(family, word)) is not None
]
BLOCKS = [*KINDS, *JOBS.items(), ("model", Model), ("freeze", Freeze), ("adapt", Adapt)]
KEYS = [
    pytest.param(word, block, name, id=f"{block.__name__}.{name}")
    for word, block in BLOCKS
    for name, info in keys_of(block).items()
    if default_of(info) is not ...
]
GIVEN: dict[str, Any] = {
    "name": "x",
    "on": "m",
    "of": "x",
    "inputs": ("text", "vision"),
    "selectors": ("text",),
}
"""Values of keys that name other blocks."""


def values(kind: Kind) -> Iterator[Any]:
    """Yield values that a key may take; which of them lie in its bounds, it says itself."""
    yield from kind.words
    yield from (True, False) if kind.boolean else ()
    yield from (Share(0.5), Share(0.25)) if kind.share else ()
    yield from (2, 1, 3, 16, 64, 224, 0) if kind.count else ()
    yield from (0.5, 0.25, 0.05, 2.0, 20.0) if kind.number else ()
    yield from (Minutes(5),) if kind.minutes else ()
    yield from ("other", "another", "x") if kind.text else ()
    yield from ({"text": one} for one in values(kind.table)) if kind.table else ()
    yield from map(made, kind.blocks.values())
    for one in values(kind.item) if kind.item else ():
        yield (one,) * (kind.length or 1)


@cache
def made(block: type[Block]) -> Block:
    """Return a block with its defaults, and something for each key that has none."""
    if block is Model:
        streams = {"text": made_source("plain_text"), "vision": made_source("plain_vision")}
        fusion = made(schema("fusion", "cross_attention"))  # type: ignore[arg-type]
        return Model(name="m", streams=streams, fusion_name="cross", fusion=fusion)  # type: ignore[arg-type]
    given: dict[str, Any] = {}
    for name, info in block.model_fields.items():
        if name == "image_size":
            given[name] = 64
        elif info.is_required():
            found = (GIVEN[name],) if name in GIVEN else values(kind_of(info))
            given[name] = next(one for one in found if fits(block, name, one))
    return block.model_validate(given)


def made_source(word: str) -> Block:
    kind = schema("source", word)
    assert kind is not None
    return made(kind)


def fits(block: type[Block], name: str, value: Any) -> bool:
    """Tell whether a key takes a value, whatever the other keys say."""
    try:
        block.model_validate({name: value})
    except ValidationError as error:
        return all(problem["loc"][:1] != (name,) for problem in error.errors())
    return True


def inside(block: Block) -> Block:
    """Return the model in which a directive stands; another block as it is."""
    model = made(Model)
    if isinstance(block, Freeze):
        return model.model_copy(update={"freeze": (block,)})
    return model.model_copy(update={"adapt": (block,)}) if isinstance(block, Adapt) else block


def changed(block: Block, name: str, info: FieldInfo) -> Block:
    """Return a block in which one key has another value."""
    found = (one for one in values(kind_of(info)) if fits(type(block), name, one))
    # `cls` and `mean` pool each stream with the same weights.
    other = "first" if name == "pool" else next(v for v in found if v != getattr(block, name))
    return block.model_copy(update={name: other})


@pytest.mark.parametrize(("word", "block", "name"), KEYS)
def test_another_value_is_one_change_with_its_impact(
    word: str, block: type[Block], name: str
) -> None:
    info = keys_of(block)[name]
    before = made(block)
    after = changed(before, name, info)
    old, new = inside(before), inside(after)
    changes = changes_between(keys_by_address(old), keys_by_address(new))
    addresses = [change.address.removeprefix(f"{word} text.") for change in changes]
    assert addresses and all(a == name or a.startswith(f"{name}.") for a in addresses)
    assert len(addresses) == 1 or kind_of(info).blocks or kind_of(info).item
    assert changes[0].impact == impact_of(info)
    assert (reduced(old) == reduced(new)) is (impact_of(info) == "cosmetic")


@pytest.mark.parametrize(("word", "block"), [*BLOCKS, ("study", StudyKeys)])
def test_explain_has_the_default_and_the_impact_of_each_key(word: str, block: type[Block]) -> None:
    for name, info in keys_of(block).items():
        pages = pages_of(f"{word}.{spelling_of(name, info)}")
        rows = [line for page in pages for line in page.splitlines()]
        ends = f"| {default_text(info)} | {impact_of(info)} | "
        assert any(ends in row for row in rows), (name, rows)


def test_every_kind_of_block_is_tested() -> None:
    assert {block.family for _, block in KINDS if issubclass(block, KindBlock)} == set(FAMILIES)
    assert len(KEYS) > 250

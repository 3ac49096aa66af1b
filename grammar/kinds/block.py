"""What the blocks of all kinds have in common."""

import json
from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar, Literal, get_args, get_origin

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from renaissance.grammar.declaration import Block, Impact, key
from renaissance.grammar.kinds.registry import FAMILIES, KindError, schema
from renaissance.grammar.names import plainly


class KindBlock(Block):
    """A block of a family; each kind is a subclass of its family's base class.

    A field that is annotated with a base class takes every kind of the family: its word, which
    stands in the field that the family names, says which class reads the rest.
    """

    family: ClassVar[str]
    spelled: ClassVar[str | None] = None
    """How a file spells the word, where that differs from the word itself."""
    bare: ClassVar[str | None] = None
    """The word of the kind that the same spelling means without parentheses."""
    called: ClassVar[tuple[str, ...]] = ()
    """What others call it: `check` then says how it is called here."""

    @classmethod
    def word(cls) -> str:
        """Return the word that stands for the kind; TypeError for the base class of a family."""
        declared = cls.model_fields.get(FAMILIES[cls.family].tag)
        if declared is None or get_origin(declared.annotation) is not Literal:
            raise TypeError(f"{cls.__name__} stands for no single kind")
        return str(get_args(declared.annotation)[0])

    @classmethod
    def is_base(cls) -> bool:
        """Tell whether this is the base class of a family."""
        return "family" in cls.__dict__

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Read any kind where the base class of a family stands."""
        if not cls.is_base():
            return handler(source)
        return core_schema.with_info_plain_validator_function(
            partial(_read, cls),
            serialization=core_schema.plain_serializer_function_ser_schema(_dump, info_arg=True),
        )


def kind_called(name: str, kinds: Mapping[str, type[Block]]) -> str | None:
    """Return the word, as a file spells it, of the kind that others call so; None if none is."""
    for word, kind in kinds.items():
        if not issubclass(kind, KindBlock):
            continue
        if plainly(name) in map(plainly, (word, *kind.called)):
            return kind.spelled or word
    return None


def kind_key(family: str, word: str, *, doc: str, impact: Impact) -> Any:
    """Declare a key that takes a kind of a family.

    Args:
        family: its word.
        word: of the kind that counts, with its own defaults, where a file does not say.
        doc: one line on what it means.
        impact: what a change of it does to a trained checkpoint.
    """

    def default() -> KindBlock:
        kind: type[KindBlock] | None = schema(family, word)
        if kind is None:
            raise KindError(f"there is no {family} `{word}`")
        return kind()

    return key(doc=doc, impact=impact, default_factory=default)


def _read(base: type[KindBlock], value: object, info: Any) -> KindBlock:
    if isinstance(value, base):
        return value
    family = FAMILIES[base.family]
    word = value.get(family.tag) if isinstance(value, dict) else None
    if not isinstance(word, str):
        raise ValueError(f"a {family.word} states its `{family.tag}`")
    try:
        kind: type[KindBlock] | None = schema(family.word, word)
    except KindError as problem:
        raise ValueError(str(problem)) from None
    if kind is None:
        raise ValueError(f"there is no {family.word} `{word}`")
    if info.mode == "json":
        # Lists of JSON are tuples here; only the reading of JSON knows that.
        return kind.model_validate_json(json.dumps(value))
    return kind.model_validate(value)


def _dump(block: KindBlock, info: Any) -> dict[str, Any]:
    return block.model_dump(mode=info.mode)

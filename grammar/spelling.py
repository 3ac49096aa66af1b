"""How values, blocks and directives of a spec are spelled in the language."""

import re
from collections.abc import Mapping
from typing import Any

from renaissance.grammar.declaration import Block, Spelled
from renaissance.grammar.kinds.block import KindBlock
from renaissance.grammar.kinds.source import OF_IMAGES
from renaissance.grammar.schema.model import Adapt, Freeze
from renaissance.grammar.schema.vocabulary import (
    Kind,
    default_of,
    keys_of,
    kind_of,
    positional_key,
    spelling_of,
    tag_of,
)
from renaissance.grammar.syntax.tokens import tables

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_EXPONENT = re.compile(r"e\+?(-?)0*(\d)")
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def value_text(value: Any, kind: Kind) -> str:
    """Return the spelling of a value.

    Args:
        value: of a key.
        kind: what the key takes.
    """
    match value:
        case None:
            return "none"
        case bool():
            return "true" if value else "false"
        case Spelled():
            return value.spelling
        case int() | float():
            return number_text(value)
        case str() if value in kind.words or (kind.name and is_name(value)):
            return value
        case str():
            return quoted(value)
        case () if kind.item and kind.item.blocks:
            return "none"
        case tuple():
            inner = kind.item or Kind()
            return "[" + ", ".join(value_text(item, inner) for item in value) + "]"
        case Block():
            return call_text(value)
    raise TypeError(f"the language has no spelling for {value!r}")


def number_text(value: float) -> str:
    """Return the spelling of a number: `5` for 5.0, `1e-5` for 0.00001."""
    if isinstance(value, int):
        return str(value)
    return _EXPONENT.sub(r"e\1\2", repr(value).removesuffix(".0"))


def quoted(text: str) -> str:
    """Return a string in quotes."""
    return '"' + "".join(_character(character) for character in text) + '"'


def is_name(text: str) -> bool:
    """Tell whether a text can be written as a plain name."""
    keyword = tables().keywords.get(text)
    return bool(_NAME.fullmatch(text)) and (keyword is None or keyword in tables().blocks)


def head_text(block: Block) -> str:
    """Return the spelling of a block without its braces: `timm("deit_tiny_patch16_224")`."""
    word = spelled_word(type(block))
    name = positional_key(type(block))
    argument = getattr(block, name) if name else None
    if isinstance(argument, tuple):
        return f"{word}({', '.join(argument)})"
    return word if argument is None else f"{word}({quoted(argument)})"


def spelled_word(block: type[Block]) -> str:
    """Return the word for a block, as a file spells it."""
    own = block.spelled if issubclass(block, KindBlock) else None
    return tag_of(block)[1] if own is None else own


def call_text(block: Block) -> str:
    """Return the spelling of a block on one line: `random { layers = 12, width = 192 }`."""
    keys = ", ".join(f"{name} = {text}" for name, text in stated(block).items())
    return f"{head_text(block)} {{ {keys} }}" if keys else head_text(block)


def stated(block: Block) -> Mapping[str, str]:
    """Return the spelling of the value of each key that a block states, blocks inside included."""
    return {
        spelling_of(name, info): value_text(getattr(block, name), kind_of(info))
        for name, info in keys_of(type(block)).items()
        if states(block, name) and not isinstance(getattr(block, name), Mapping)
    }


def states(block: Block, name: str) -> bool:
    """Tell whether the canonical form states a key: it has a value and means something."""
    if getattr(block, name) is None and default_of(type(block).model_fields[name]) is None:
        return False
    # Only what has images can prepare them.
    return name not in OF_IMAGES or getattr(block, "image_size", None) is not None


def directive_text(directive: Freeze | Adapt, *, every: bool = False) -> str:
    """Return the spelling of a `freeze` or `adapt` statement.

    Args:
        directive: what is frozen or adapted.
        every: write keys out that have their default as well.
    """
    keys = ", ".join(
        f"{name} = {value_text(getattr(directive, name), kind_of(info))}"
        for name, info in keys_of(type(directive)).items()
        if every or getattr(directive, name) != default_of(info)
    )
    return f"{directive_head(directive)} {{ {keys} }}" if keys else directive_head(directive)


def directive_head(directive: Freeze | Adapt) -> str:
    """Return the spelling of a `freeze` or `adapt` statement without its braces."""
    word = "adapt " if isinstance(directive, Adapt) else "freeze "
    text = word + ", ".join(directive.selectors)
    if directive.excluded:
        text += " except " + ", ".join(directive.excluded)
    if isinstance(directive, Freeze) and directive.until is not None:
        text += f" until {directive.until}"
    return text


def _character(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character.isprintable() or ord(character) > 0xFFFF:
        return character
    return f"\\u{ord(character):04x}"

"""Explain values that a key does not take, with what was meant where that can be told."""

import re
from collections.abc import Collection

from renaissance.grammar import tree
from renaissance.grammar.borrowed import word_among
from renaissance.grammar.composition.drafts import plain_text
from renaissance.grammar.declaration import Share
from renaissance.grammar.diagnostics import Diagnostic, Edit
from renaissance.grammar.kinds.block import kind_called
from renaissance.grammar.kinds.registry import Kinds
from renaissance.grammar.names import listing, nearest, suggestion
from renaissance.grammar.schema.vocabulary import Kind
from renaissance.grammar.source import Span
from renaissance.grammar.spelling import is_name, number_text, spelled_word

_OFF = frozenset({"off", "no", "false", "disabled", "never"})
"""Words of others for `none`."""

_NOTHING = frozenset({"null", "nil", "nothing"})
_SAID = {"yes": "true", "on": "true", "no": "false", "off": "false"}
"""Words of others for `true` and `false`."""

_NUMBERS = re.compile(r"\s*\[?\s*\d+(?:[\s,]+\d+)*\s*\]?\s*")


def describe(kind: Kind, unit: str = "") -> str:
    """Return in words what a key takes."""
    options = []
    if kind.count:
        options.append(f"a whole number of {unit}" if unit else "a whole number")
    if kind.number:
        options.append("a number")
    if kind.share:
        options.append("a percentage")
    if kind.minutes:
        options.append("a time such as `15min`")
    if kind.boolean:
        options.append("`true` or `false`")
    if kind.text:
        options.append("a name" if kind.name else "a string")
    if kind.words:
        options.append(("one of " if len(kind.choices) > 1 else "") + listing(kind.choices))
    if kind.none:
        options.append("`none`")
    if kind.item and kind.item.blocks:
        options.append(f"`none` or {describe(kind.item)}")
    elif kind.item:
        options.append("a list" if not kind.length else f"a list of {kind.length} values")
    if kind.table:
        options.append("numbers by component")
    if kind.blocks and not kind.words:
        options.append("one of " + listing(sorted(map(spelled_word, kind.blocks.values()))))
    return " or ".join(options)


def wrong_kind(value: tree.Value, kind: Kind, unit: str, key: str, span: Span) -> Diagnostic:
    """Explain a value of another kind than a key takes.

    Args:
        value: as it stands, or what its name stands for.
        kind: what the key takes.
        unit: what a count counts.
        key: name of the key.
        span: of what stands there.
    """
    wanted = describe(kind, unit)
    meant = _number_meant(value, kind) or _word_meant(value, kind)
    help = (f"write `{meant}`",) if meant else ()
    if isinstance(value, tree.Call) and value.function.text == "range" and kind.item is not None:
        help = ("a list names each of its values: `[0, 1, 2]`",)
    unit_clash = isinstance(value, tree.Percentage) or (
        isinstance(value, tree.Number) and kind.share and not kind.count
    )
    return Diagnostic(
        code="VL406" if unit_clash and (kind.count or kind.number or kind.share) else "VL404",
        message=f"`{key}` takes {wanted}",
        span=span,
        label=f"is {_what(value)}",
        help=help,
        edits=(Edit(span=span, text=meant),) if meant else (),
    )


def _number_meant(value: tree.Value, kind: Kind) -> str | None:
    """Return the number, share or list of numbers that a value was meant for."""
    match value:
        case tree.Percentage(percent=percent) if kind.number:
            return f"{percent / 100:g}"
        case tree.Number(value=number) if kind.share and 0 <= number <= 1:
            return Share(number).spelling
        case tree.Number(value=number) if kind.share and not kind.count and 1 < number <= 100:
            return f"{number_text(number)}%"
        case tree.Text(value=text) if (kind.count and text.isdecimal()) or (
            kind.number and _is_number(text)
        ):
            return text
        case tree.Number(value=float() as number) if kind.count and number.is_integer():
            return str(int(number))
        case tree.Text(value=text) if (
            kind.item is not None and kind.item.count and _NUMBERS.fullmatch(text)
        ):
            return f"[{', '.join(re.findall('[0-9]+', text))}]"
        case tree.Sequence(items=(tree.Number() as first, *rest)) if kind.count and all(
            isinstance(one, tree.Number) and one.value == first.value for one in rest
        ):
            return first.spelling
    return None


def _word_meant(value: tree.Value, kind: Kind) -> str | None:
    """Return the word, string or list of words that a value was meant for."""
    match value:
        case tree.Boolean(value=False) if kind.none:
            return "none"
        case tree.Number(value=0 | 1 as number) if kind.boolean and isinstance(number, int):
            return "true" if number else "false"
        case tree.Text(value=text) if kind.boolean and text.lower() in ("true", "false"):
            return text.lower()
        case tree.Text(value=text) if kind.blocks and text in kind.blocks:
            return text
        case tree.Text(value=text) if kind.item is not None and kind.item.name and is_name(text):
            return f"[{text}]"
        case tree.Number(spelling=spelled) if kind.words:
            return word_among(spelled, kind.words)
        case tree.Address() if kind.text:
            return f'"{value.span.text}"'
        case tree.Address() if kind.item is not None:
            return f"[{value.span.text}]"
        case tree.Text() if kind.item is not None and kind.item.text:
            return f"[{value.span.text}]"
    return None


def _is_number(text: str) -> bool:
    return re.fullmatch(r"-?\d+(\.\d+)?([eE][+-]?\d+)?", text) is not None


def _what(value: tree.Value) -> str:
    match value:
        case tree.Number(value=int()):
            return "a whole number"
        case tree.Number(value=float() as number, spelling=spelled) if (
            number.is_integer() and "e" in spelled.lower()
        ):
            return "a number with an exponent"
        case tree.Number():
            return "a number with a fraction"
        case tree.Percentage():
            return "a percentage"
        case tree.Duration():
            return "a time"
        case tree.Text():
            return "a string"
        case tree.Boolean():
            return "`true` or `false`"
        case tree.Sequence():
            return "a list"
        case tree.Call():
            return "a block"
        case tree.Address():
            return f"the address `{plain_text(value)}`"


def no_block_taken(kind: Kind, key: str, span: Span) -> Diagnostic:
    """Explain a block in the place of a value."""
    message = f"`{key}` takes {describe(kind)}"
    return Diagnostic(code="VL404", message=message, span=span, label="is a block")


def wrong_length(kind: Kind, length: int, key: str, span: Span) -> Diagnostic:
    """Explain a list that is too long or too short."""
    message = f"`{key}` takes a list of {kind.length} values"
    return Diagnostic(code="VL404", message=message, span=span, label=f"has {length}")


def wrong_word(
    word: str, kind: Kind, unit: str, key: str, span: Span, lets: Collection[str]
) -> Diagnostic:
    """Explain a word that a key does not take, and that stands for no value.

    Args:
        word: as it stands.
        kind: what the key takes.
        unit: what a count counts.
        key: name of the key.
        span: of the word.
        lets: names that stand for values.
    """
    if kind.text:
        return _unquoted(word, kind, unit, key, span)
    if kind.words:
        return _unknown_word(word, kind, key, span)
    if meant := _literal_meant(word, kind):
        return Diagnostic(
            code="VL407",
            message=f"`{key}` cannot be `{word}`",
            span=span,
            help=(f"write `{meant}`",),
            edits=(Edit(span=span, text=meant),),
        )
    if word.lower() in ("none", "null"):
        return Diagnostic(
            code="VL404",
            message=f"`{key}` takes {describe(kind, unit)}",
            span=span,
            label=f"cannot be `{word}`",
            help=("leave it out where it has a default",),
        )
    return Diagnostic(
        code="VL104",
        message=f"there is no value named `{word}`",
        span=span,
        label=f"`{key}` takes {describe(kind, unit)}",
        help=suggestion(word, lets, "a value")
        or (f"a named value is defined by `let {word} = …`",),
    )


def is_certainly_wrong(word: str, kind: Kind) -> bool:
    """Tell whether a word can be no name of a value that stands in a part that was not read."""
    return kind.text or bool(kind.words) or _literal_meant(word, kind) is not None


def _literal_meant(word: str, kind: Kind) -> str | None:
    """Return `true`, `false` or `none`, if a word is one of others for it."""
    lower = word.lower()
    if kind.none and lower in _OFF | _NOTHING:
        lower = "none"
    if kind.boolean and lower in _SAID:
        lower = _SAID[lower]
    sayable = (kind.boolean and lower in ("true", "false")) or (kind.none and lower == "none")
    return lower if sayable else None


def _unquoted(word: str, kind: Kind, unit: str, key: str, span: Span) -> Diagnostic:
    return Diagnostic(
        code="VL404",
        message=f"`{key}` takes {describe(kind, unit)}",
        span=span,
        label="a string stands in double quotes",
        help=(f'write `"{word}"`',),
        edits=(Edit(span=span, text=f'"{word}"'),),
    )


def _unknown_word(word: str, kind: Kind, key: str, span: Span) -> Diagnostic:
    nothing = word.lower() in _OFF and "none" in kind.words
    meant = "none" if nothing else _word_called(word, kind)
    close = (meant,) if meant else nearest(word, kind.words)
    return Diagnostic(
        code="VL407",
        message=f"`{key}` cannot be `{word}`",
        span=span,
        label="unknown word",
        help=(f"write `{meant}`",) if meant else suggestion(word, kind.words, "a word"),
        notes=(f"`{key}` is one of {listing(kind.words)}",),
        edits=(Edit(span=span, text=close[0]),) if len(close) == 1 else (),
    )


def quoted_word(value: tree.Text, kind: Kind, key: str, span: Span) -> Diagnostic:
    """Explain a string in the place of a word."""
    known = value.value in kind.words
    meant = value.value if known else _word_called(value.value, kind)
    return Diagnostic(
        code="VL404",
        message=f"`{key}` takes {describe(kind)}",
        span=span,
        label="a word stands without quotes",
        help=(f"write `{meant}`",) if meant else (),
        edits=(Edit(span=span, text=meant),) if meant else (),
    )


def _word_called(name: str, kind: Kind) -> str | None:
    """Return which of the words of a key others call so."""
    kinds = kind.words if isinstance(kind.words, Kinds) else {}
    return kind_called(name, kinds) or word_among(name, kind.words)


def out_of_range(key: str, span: Span, label: str) -> Diagnostic:
    """Explain a number that is too large or too small."""
    return Diagnostic(code="VL405", message=f"`{key}` is out of range", span=span, label=label)

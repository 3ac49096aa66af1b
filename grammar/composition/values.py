"""Read plain values, such as words, numbers and strings, of the kind that a key takes."""

from typing import Any

from renaissance.grammar import tree
from renaissance.grammar.composition.misfits import (
    is_certainly_wrong,
    out_of_range,
    quoted_word,
    wrong_kind,
    wrong_word,
)
from renaissance.grammar.composition.scope import Scope
from renaissance.grammar.declaration import Minutes, Share
from renaissance.grammar.findings import Findings
from renaissance.grammar.schema.vocabulary import Kind
from renaissance.grammar.source import Span


class Failed:
    """Stands for a value that could not be read; a finding says why."""


FAILED = Failed()


def plain_value(
    value: tree.Value,
    kind: Kind,
    unit: str,
    key: str,
    span: Span,
    scope: Scope,
    findings: Findings,
) -> Any:
    """Return what a value means to a key that holds no block, or `FAILED`.

    Args:
        value: what stands there, names of values followed to what they stand for.
        kind: what the key takes.
        unit: what a count counts.
        key: name of the key, for messages.
        span: of what stands there.
        scope: names of values.
        findings: receives what is wrong.
    """
    match value:
        case tree.Address(parts=(tree.Name(text=word),)) if kind.means_nothing(word):
            return None
        case tree.Address(parts=(tree.Name(text=word),)) if (
            is_plain(value, kind) or kind.item is None or kind.none
        ):
            if word in kind.words or kind.name:
                return word
            if not scope.incomplete or is_certainly_wrong(word, kind):
                findings.add(wrong_word(word, kind, unit, key, span, scope.lets))
            return FAILED
        case tree.Boolean() if kind.boolean:
            return value.value
        case tree.Text() if kind.text:
            return value.value
        case tree.Text() if kind.words:
            findings.add(quoted_word(value, kind, key, span))
            return FAILED
        case tree.Percentage() if kind.share:
            return _share(value, key, span, findings)
        case tree.Duration() if kind.minutes:
            return Minutes(value.minutes)
        case tree.Number() if kind.count and isinstance(value.value, int):
            return value.value
        case tree.Number() if kind.number:
            return _number(value, key, span, findings)
    findings.add(wrong_kind(value, kind, unit, key, span))
    return FAILED


def is_plain(value: tree.Value, kind: Kind) -> bool:
    """Tell whether a value is a word that means something else than a block to a key."""
    match value:
        case tree.Address(parts=(tree.Name(text=word),)):
            return kind.means_nothing(word) or (bool(kind.words) and word not in kind.blocks)
    return False


def from_outside(value: tree.Value, kind: Kind) -> tree.Value:
    """Return a value that was set from outside, where texts need no quotes."""
    if _means_text(value, kind):
        return tree.Text(span=value.span, value=value.span.text, spelling=value.span.text)
    return value


def _means_text(value: tree.Value, kind: Kind) -> bool:
    """Tell whether a value that was set from outside is a text, though it has no quotes."""
    if not kind.text or kind.name:
        return False
    match value:
        case tree.Address(parts=(tree.Name(text=word),)):
            return not (kind.takes(word) or kind.means_nothing(word))
        case tree.Percentage():
            return not kind.share
        case tree.Address() | tree.Number() | tree.Duration() | tree.Boolean():
            return True
    return False


def _share(value: tree.Percentage, key: str, span: Span, findings: Findings) -> Any:
    if 0 <= value.percent <= 100:
        return Share.of_percent(value.percent)
    findings.add(out_of_range(key, span, "a percentage lies between 0% and 100%"))
    return FAILED


def _number(value: tree.Number, key: str, span: Span, findings: Findings) -> Any:
    try:
        return float(value.value)
    except OverflowError:
        findings.add(out_of_range(key, span, "too large"))
        return FAILED

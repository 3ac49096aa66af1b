"""Bring a text into canonical layout, and make sure that nothing else has changed."""

from collections import Counter

from renaissance.grammar import tree
from renaissance.grammar.comments import Comments
from renaissance.grammar.diagnostics import SpecError
from renaissance.grammar.printer import print_tree
from renaissance.grammar.source import Source
from renaissance.grammar.syntax.parser import parse

__all__ = ["FormatError", "format_source", "print_tree"]


class FormatError(Exception):
    """The formatter would have changed more than layout; always a fault of the formatter."""


def format_source(source: Source) -> str:
    """Return the text in canonical layout; it need not be a valid spec, only well-formed.

    Raises:
        SpecError: if the text has syntax errors.
        FormatError: if the result does not say the same, lost a comment, or is not stable.
    """
    file = _read(source)
    comments = Comments(source)
    text = print_tree(file, comments)
    formatted = Source(name=source.name, text=text)
    again = _read(formatted)
    if again != file:
        raise FormatError(f"formatting would change the meaning of {source.name}")
    kept = Comments(formatted)
    if Counter(kept.texts) != Counter(comments.texts):
        raise FormatError(f"formatting would lose a comment of {source.name}")
    if print_tree(again, kept) != text:
        raise FormatError(f"formatting {source.name} twice gives two results")
    return text


def _read(source: Source) -> tree.File:
    file, findings = parse(source)
    if findings:
        raise SpecError(findings)
    return file

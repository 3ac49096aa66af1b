"""Words of plans, reports and studies that are no part of the language, with what they mean."""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

_FILE = Path(__file__).with_name("glossary.md")
_COUNT = re.compile(r"@\d+")
_RECALL = re.compile(r"\w+_r@k.*")


def glossary_page(word: str) -> str | None:
    """Return the page of a word as Markdown; None of one that is not explained.

    `recall@5` and `text_r@5` are `recall@K`, and `accuracy.number` one of `accuracy`.
    """
    found = _pages()
    plain = _RECALL.sub("recall@k", _COUNT.sub("@k", word.lower()))
    for name in (plain, re.split(r"[._]", plain)[0] if "@" not in plain else plain.split("@")[0]):
        if name in found:
            return f"# `{word}`\n\n{found[name]}"
    return None


def glossary_words() -> tuple[str, ...]:
    """Return the words that have a page."""
    return tuple(_pages())


@cache
def _pages() -> Mapping[str, str]:
    _, *sections = re.split(r"^## ", _FILE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    pages: dict[str, str] = {}
    for section in sections:
        names, _, text = section.partition("\n")
        for name in names.split(", "):
            pages[name.lower()] = text.strip() + "\n"
    return pages

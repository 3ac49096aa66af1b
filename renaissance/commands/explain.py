"""`renaissance explain`: say what the code of a finding means, or a word and its keys."""

import sys
from argparse import Namespace
from typing import Any

from renaissance.answer import FINE, NO_ANSWER, answer
from renaissance.grammar.codes import Example, Explanation, codes, explanation


def run(arguments: Namespace) -> int:
    """Print the page of a code, what the reference says of a word, or a list of all codes."""
    if arguments.code is None:
        pages = [explanation(code) for code in codes()]
        if arguments.format == "json":
            listed = [{"code": page.code, "title": page.title} for page in pages]
            return answer(arguments, FINE, codes=listed)
        sys.stdout.write("".join(f"{page.code}  {page.title}\n" for page in pages))
        return FINE
    code = arguments.code.upper()
    if code.isdecimal():
        code = f"VL{code}"
    if code not in codes():
        return _word(arguments)
    page = explanation(code)
    if arguments.format == "json":
        return answer(arguments, FINE, **_data(page))
    sys.stdout.write(page.text)
    return FINE


def _word(arguments: Namespace) -> int:
    """Print what the reference says of a word."""
    # A code is explained without the schema.
    from renaissance.grammar.explaining import close_to, pages_of
    from renaissance.grammar.names import listing, nearest

    word = arguments.code
    text = "\n".join(pages_of(word))
    if not text:
        near = close_to(word) or nearest(word.upper(), codes())
        meant = f"; is {listing(near, between=' or ')} meant?" if near else ""
        failure = f"there is no page on `{word}`{meant}"
        return answer(arguments, NO_ANSWER, failures=[failure])
    if arguments.format == "json":
        return answer(arguments, FINE, word=word, text=text)
    sys.stdout.write(text)
    return FINE


def _data(page: Explanation) -> dict[str, Any]:
    return {
        "code": page.code,
        "title": page.title,
        "text": page.text,
        "fails": _example(page.fails),
        "works": _example(page.works),
    }


def _example(example: Example | None) -> dict[str, Any] | None:
    if example is None:
        return None
    return {"text": example.text, "files": dict(example.files)}

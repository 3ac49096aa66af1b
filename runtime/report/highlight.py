"""Light colours for a spec: comments, strings, numbers, keys and the words that open a block."""

import re

from markupsafe import Markup

from renaissance.runtime.report.svg import element

_TOKEN = re.compile(
    r"""
    (?P<comment>\#[^\n]*)
  | (?P<string>"(?:\\.|[^"\\\n])*")
  | (?P<number>(?<![\w.])-?\d[\d_]*(?:\.\d+)?(?:[eE][+-]?\d+)?(?:%|[kM]\b)?)
  | (?P<key>[A-Za-z_]\w*(?:\.\w+)*(?=\s*=))
  | (?P<opening>^[ \t]*[A-Za-z_]\w*(?=[ \t]+[A-Za-z_"{]))
    """,
    re.VERBOSE | re.MULTILINE,
)


def highlight(text: str) -> Markup:
    """Return a spec's text, escaped, with its tokens in elements of the class of their kind."""
    parts: list[Markup | str] = []
    end = 0
    for match in _TOKEN.finditer(text):
        parts.append(text[end : match.start()])
        parts.append(element("span", match.group(), class_=match.lastgroup or ""))
        end = match.end()
    parts.append(text[end:])
    return element("code", *parts)

"""What all pages have in common: head, navigation, what is missing, footer and style."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from renaissance.grammar.names import plural
from renaissance.runtime.report import figures

HERE = Path(__file__).parent
TEMPLATE = "template.html"
STYLE = "style.css"
DRAWING = HERE / "drawing.css"
"""Colours, and the style of drawings, which may stand alone."""


def _code(text: str) -> Markup:
    """Set what stands between backticks as code."""
    return Markup(re.sub("`([^`]+)`", r"<code>\1</code>", str(escape(text))))


def framed(
    home: Path,
    *,
    kind: str,
    title: str,
    folder: str,
    sections: Sequence[str],
    problems: Sequence[str],
    **content: Any,
) -> str:
    """Return a page.

    Args:
        home: folder of its `template.html`, which extends `frame.html`, and of its `style.css`,
            which goes behind the style of all pages.
        kind: what it is, as its title says: `report`, `study`.
        title: its heading.
        folder: what it was made from.
        sections: headings of its navigation; in lower case the ids that they lead to.
        problems: what is missing, a sentence each.
        content: what its template shows.
    """
    environment = Environment(
        loader=FileSystemLoader((home, HERE)),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    environment.filters.update(code=_code, count=figures.count, share=figures.share, plural=plural)
    styles = [DRAWING, *(place / STYLE for place in dict.fromkeys((HERE, home)))]
    return environment.get_template(TEMPLATE).render(
        content,
        kind=kind,
        title=title,
        folder=folder,
        sections=sections,
        problems=problems,
        style=Markup("\n".join(path.read_text(encoding="utf-8") for path in styles)),
        made=datetime.now(UTC).strftime("%Y-%m-%d at %H:%M UTC"),
    )

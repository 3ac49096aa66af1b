"""What can be written between quotes: paths of specs, and names of encoders."""

from collections.abc import Iterator
from pathlib import Path

from lsprotocol import types

from renaissance.editor.documents import Analysis
from renaissance.editor.places import Columns, line_before
from renaissance.editor.reading import Reading, kind_named
from renaissance.grammar.catalogue import find, names
from renaissance.grammar.catalogue.timm_models import timm_names
from renaissance.grammar.paths import children, is_folder
from renaissance.grammar.source import Span

_KIND = types.CompletionItemKind


def quote_before(text: str, offset: int) -> int | None:
    """Return where the string begins that a place lies in; None where it lies in none."""
    before = line_before(text, offset)
    return offset - len(before) + before.rindex('"') if before.count('"') % 2 else None


def quoted(
    analysis: Analysis, quote: int, offset: int, columns: Columns
) -> Iterator[types.CompletionItem]:
    """Yield what can stand in the string that begins at a place; it takes the string's place."""
    text, source = analysis.source.text, analysis.source
    line_end = text.find("\n", offset) % (len(text) + 1)
    end = text.find('"', offset, line_end)
    span = Span(source=source, start=quote + 1, end=offset if end < 0 else end)
    where = columns.range(span)
    for word, kind, about in _known(analysis, quote):
        yield types.CompletionItem(
            label=word,
            kind=kind,
            label_details=types.CompletionItemLabelDetails(description=about) if about else None,
            text_edit=types.TextEdit(where, word),
        )


def _known(
    analysis: Analysis, quote: int
) -> Iterator[tuple[str, types.CompletionItemKind, str | None]]:
    before = [token for token in analysis.tokens if token.end <= quote]
    reading = Reading(analysis.source.text, before, analysis.scope)
    said = [reading.spelled(token) for token in before]
    line = next((i for i in range(len(said), 0, -1) if said[i - 1] == "\n"), 0)
    if said[line:] == ["import"]:
        folder = Path(analysis.source.name).parent
        if is_folder(folder):
            for name in children(folder):
                if name.endswith(".vl") and name != Path(analysis.source.name).name:
                    yield name, _KIND.File, None
    elif said[-1:] == ["("]:
        source = kind_named("source", said[-2] if len(said) > 1 else "")
        yield from _encoders(getattr(source, "library", None))


def _encoders(library: str | None) -> Iterator[tuple[str, types.CompletionItemKind, str | None]]:
    for name in dict.fromkeys((*names(), *timm_names())):
        known = find(name)
        if known is not None and not known.refused and library in (None, known.library):
            said = [f"{known.layers} × {known.width}" if known.layers else ""]
            said += [known.modality] if library != "timm" else []
            yield name, _KIND.Value, ", ".join(filter(None, said)) or None

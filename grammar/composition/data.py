"""Read the data blocks of a scope."""

from renaissance.grammar import tree
from renaissance.grammar.composition.drafts import assignments
from renaissance.grammar.composition.job_mistakes import no_format, out_of_place
from renaissance.grammar.composition.reader import Reader
from renaissance.grammar.composition.values import FAILED
from renaissance.grammar.kinds.data import FormatBlock
from renaissance.grammar.kinds.registry import Kinds
from renaissance.grammar.schema.vocabulary import Kind

_FORMATS = Kinds(FormatBlock)


def read_data(reader: Reader) -> dict[str, FormatBlock | None]:
    """Return the data blocks that a scope declares, by name; None for one that is wrong."""
    return {name: _read(name, block, reader) for name, block in reader.scope.data.items()}


def _read(name: str, declaration: tree.Declaration, reader: Reader) -> FormatBlock | None:
    assert declaration.name is not None
    path = ("data", name)
    reader.places.put(path, declaration.name.span, declaration.span)
    for relation in declaration.relations:
        reader.findings.add(out_of_place(relation, "data relates to nothing"))
    keys, broken = assignments(declaration.body, reader.findings)
    for body in reader.scope.settings_of("data", name):
        keys |= assignments(body, reader.findings)[0]
    chosen = keys.pop("format", None)
    if chosen is None:
        if not broken:
            reader.findings.add(no_format(declaration.name, _FORMATS, keys))
        return None
    formats = Kind(words=_FORMATS)
    word = reader.value(
        chosen.value, formats, "", (*path, "format"), key="format", place=chosen.place
    )
    said = reader.places.value((*path, "format")) or chosen.place
    kind = FAILED if word is FAILED else reader.kind(_FORMATS, word, said)
    if kind is FAILED:
        return None
    return reader.block(  # type: ignore[return-value]
        kind,
        keys,
        path,
        where=declaration.name.span,
        what=f"format `{word}`",
        broken=broken,
    )

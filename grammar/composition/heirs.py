"""Which blocks go on from which others."""

from collections.abc import Iterator, Mapping

from renaissance.grammar import tree
from renaissance.grammar.findings import Heir
from renaissance.grammar.source import Span


def heir(
    what: str,
    name: str,
    declared: Mapping[str, tree.Declaration],
    model: tuple[str, Mapping[str, tree.Declaration]] | None = None,
) -> Heir | None:
    """Return what a job or a model goes on from; None where that is nothing.

    Args:
        what: `job` or `model`.
        name: of the block.
        declared: all blocks of its kind, by name.
        model: the one that a job changes, and all models.
    """
    block = declared[name]
    above = [*_above(name, declared)]
    if model is not None:
        base, models = model
        above += [models[base].span, *_above(base, models)]
    if block.name is None or not above:
        return None
    return Heir(name=block.name.span, said=f"{what} `{name}` inherits it", above=tuple(above))


def _above(name: str, declared: Mapping[str, tree.Declaration]) -> Iterator[Span]:
    """Yield the blocks that one extends, the nearest first."""
    seen = {name}
    while True:
        relations = declared[name].relations
        parent = next((r.target.text for r in relations if r.word.text == "extends"), None)
        if parent is None or parent in seen or parent not in declared:
            return
        seen.add(parent)
        yield declared[parent].span
        name = parent

"""How deep a part of a model stands below its top. Source: Bao et al. 2022, BEiT, its layer decay.

The last of `n` layers stands one below the top, the first one `n`, what stands in front of them
`n + 1`: embeddings, and the projections and type embeddings of a fusion. What stands behind them,
such as a norm, is the top. The embeddings of a one-tower model, which has its layers in the fusion,
stand below those.
"""

from renaissance.grammar.anatomy.model import Anatomy
from renaissance.grammar.anatomy.selectors import parse
from renaissance.grammar.kinds.source import is_embedding

_IN_FRONT = ("projection", "type_embedding")
"""Names, behind the root, of what else than embeddings stands in front of layers."""


def layers_above(anatomy: Anatomy, root: str) -> int | None:
    """Return how many layers there are to decay over from a root, None where it is not known."""
    block = anatomy.streams.get(root)
    if block is not None and is_embedding(block):
        return anatomy.layers(anatomy.fusion_name)
    return anatomy.layers(root)


def depth(address: str, kinds: frozenset[str], layers: int) -> int:
    """Return how many places a component stands below the top of its root.

    Args:
        address: of the component, such as `text.layers[3].attention`.
        kinds: the members of `KINDS` that it answers to.
        layers: that there are from its root on.

    Raises:
        SelectorError: if the address is none.
    """
    inside = parse(address)[1:]
    first = inside[0] if inside else None
    if first is not None and first.name == "layers" and isinstance(first.members, int):
        return layers - first.members
    in_front = "embeddings" in kinds or (first is not None and first.name in _IN_FRONT)
    return layers + 1 if in_front and layers else 0


def whole_root(address: str) -> str | None:
    """Return the root that an address is, None where it is more, or less, than one."""
    try:
        [segment] = parse(address)
    except ValueError:
        return None
    return segment.name if segment.members is None else None

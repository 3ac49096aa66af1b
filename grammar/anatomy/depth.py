"""How deep a part of a model stands below its top. Source: Bao et al. 2022, BEiT, its layer decay.

The last of `n` layers stands one below the top, the first one `n`, embeddings `n + 1`; what stands
behind the layers, such as a norm, is the top. The embeddings of a one-tower model, which has its
layers in the fusion, stand below those.
"""

from renaissance.grammar.anatomy.model import Anatomy
from renaissance.grammar.anatomy.selectors import parse
from renaissance.grammar.kinds.source import is_embedding


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
    if inside and inside[0].name == "layers" and isinstance(inside[0].members, int):
        return layers - inside[0].members
    return layers + 1 if "embeddings" in kinds else 0


def whole_root(address: str) -> str | None:
    """Return the root that an address is, None where it is more, or less, than one."""
    try:
        [segment] = parse(address)
    except ValueError:
        return None
    return segment.name if segment.members is None else None

"""Learning rates that fall with the depth of a layer, over the parameters of a built model."""

from collections.abc import Iterator, Mapping

from renaissance.compiler.addresses import ParameterAddress
from renaissance.compiler.model import VisionLanguageModel
from renaissance.grammar.anatomy.depth import depth, layers_above
from renaissance.grammar.anatomy.selectors import layer_counts
from renaissance.grammar.spelling import number_text


def decay_factors(
    model: VisionLanguageModel,
    addresses: Mapping[str, ParameterAddress],
    decay_lr: Mapping[str, float],
) -> dict[str, float]:
    """Return the factor of each parameter below a root of `decay_lr`, by the name of it.

    Args:
        model: as it is built.
        addresses: of its parameters, by name.
        decay_lr: factor from one layer to the one below, by root.
    """
    if not decay_lr:
        return {}
    layers = {root: _layers(model, addresses, root) for root in decay_lr}
    found = {}
    for name, place in addresses.items():
        root = place.address.partition(".")[0]
        if root in decay_lr:
            found[name] = decay_lr[root] ** depth(place.address, place.kinds, layers[root])
    return found


def said_of_decay(
    model: VisionLanguageModel,
    addresses: Mapping[str, ParameterAddress],
    decay_lr: Mapping[str, float],
) -> Iterator[str]:
    """Yield a sentence for each root: which share of the learning rate its layers have."""
    for root, factor in decay_lr.items():
        count = _layers(model, addresses, root)
        inside = [one for one in addresses.values() if one.address.partition(".")[0] == root]
        depths = {depth(place.address, place.kinds, count) for place in inside}
        embedded = any("embeddings" in place.kinds for place in inside)
        shares = [
            f"{factor**at:.3g} {where}"
            for at, where in (
                (count + 1, "in its embeddings" if embedded else "in front of its layers"),
                (count, "in its first layer"),
                (1, "in its last layer"),
                (0, "behind it"),
            )
            if at in depths
        ]
        # A root with one layer has its first and its last in one.
        shares = [text for text in shares if count != 1 or "first" not in text]
        yield (
            f"`decay_lr` of `{root}` is {number_text(factor)} a layer: the learning rate times "
            f"{', '.join(shares)}"
        )


def _layers(
    model: VisionLanguageModel, addresses: Mapping[str, ParameterAddress], root: str
) -> int:
    """Return the layers from a root on, counted where the declaration does not say."""
    known = layers_above(model.anatomy, root)
    if known is not None:
        return known
    counts = layer_counts(place.address for place in addresses.values())
    return counts.get(f"{root}.layers", 0)

"""How to get COCO and Flickr30k with Karpathy's splits."""

from renaissance.grammar.kinds.how import How
from renaissance.grammar.record import replace
from renaissance.runtime.formats.karpathy.schema import KarpathyPairs
from renaissance.runtime.tasks.retrieval.how import how_of_set, sizes_of


def how(block: KarpathyPairs) -> How:
    """Return what to get."""
    found = how_of_set(block.root, block.set, block.split)
    size = sizes_of(block.set).get(block.split)
    return found if size is None else replace(found, sizes={"": size})

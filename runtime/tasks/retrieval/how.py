"""How to get COCO or Flickr30k with Karpathy's splits."""

from renaissance.grammar.kinds.how import How
from renaissance.grammar.record import replace
from renaissance.runtime.formats.karpathy.how import SIZES, how_of_set
from renaissance.runtime.tasks.retrieval.schema import Retrieval


def how(block: Retrieval) -> How:
    """Return what to get."""
    found = how_of_set(block.root, block.set)
    whole = {split: size for (name, split), size in SIZES.items() if name == block.set}
    return replace(found, sizes=whole if block.captions == "all" else {})

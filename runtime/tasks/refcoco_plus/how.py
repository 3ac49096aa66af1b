"""How to get RefCOCO+."""

from renaissance.grammar.kinds.how import How, Size
from renaissance.runtime.tasks.refcoco_plus.schema import RefCocoPlus
from renaissance.runtime.tasks.referring_how import how_of

SIZES = {
    "unc": {
        "train": Size(texts=120_191, images=16_992),
        "val": Size(texts=10_758, images=1_500),
        "testA": Size(texts=5_726, images=750),
        "testB": Size(texts=4_889, images=750),
    }
}


def how(block: RefCocoPlus) -> How:
    """Return what to get."""
    return how_of(block, SIZES)

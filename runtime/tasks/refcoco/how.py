"""How to get RefCOCO."""

from renaissance.grammar.kinds.how import How, Size
from renaissance.runtime.tasks.refcoco.schema import RefCoco
from renaissance.runtime.tasks.referring_how import how_of

SIZES = {
    "unc": {
        "train": Size(texts=120_624, images=16_994),
        "val": Size(texts=10_834, images=1_500),
        "testA": Size(texts=5_657, images=750),
        "testB": Size(texts=5_095, images=750),
    },
    # Objects are split, not images: one image may be in several. Source: TensorFlow Datasets.
    "google": {
        "train": Size(images=19_213),
        "val": Size(images=4_559),
        "test": Size(images=4_527),
    },
}


def how(block: RefCoco) -> How:
    """Return what to get."""
    return how_of(block, SIZES)

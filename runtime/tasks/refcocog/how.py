"""How to get RefCOCOg."""

from renaissance.grammar.kinds.how import How, Size
from renaissance.runtime.tasks.refcocog.schema import RefCocoG
from renaissance.runtime.tasks.referring_how import how_of

SIZES = {
    "umd": {
        "train": Size(texts=80_512, images=21_899),
        "val": Size(texts=4_896, images=1_300),
        "test": Size(texts=9_602, images=2_600),
    },
    "google": {"train": Size(images=24_698), "val": Size(images=4_650)},
}


def how(block: RefCocoG) -> How:
    """Return what to get."""
    return how_of(block, SIZES)

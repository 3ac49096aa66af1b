"""How to get RefCOCO, RefCOCO+ and RefCOCOg."""

from collections.abc import Mapping

from renaissance.grammar.kinds.how import How, Place, Size
from renaissance.runtime.tasks.referring_keys import IMAGES, Referring

REPOSITORY = "https://github.com/lichengunc/refer"


def how_of(block: Referring, sizes: Mapping[str, Mapping[str, Size]]) -> How:
    """Return what to get; `sizes` are those of each split, by who made the splits."""
    folder = block.folder
    files = (
        (f"refs({block.made_by}).p", "expressions, and which annotation each means"),
        ("instances.json", "boxes of all objects in the photographs"),
    )
    return How(
        name=f"{folder}, splits by {block.made_by}",
        root=block.root,
        places=(
            *(
                Place(
                    path=f"{folder}/{name}",
                    instead=(f"data/{folder}/{name}",),
                    holds=holds,
                    where=REPOSITORY,
                )
                for name, holds in files
            ),
            Place(
                path=IMAGES[0],
                instead=(*IMAGES[1:], f"data/{IMAGES[0]}"),
                holds="photographs of COCO's train2014",
                where="http://images.cocodataset.org/zips/train2014.zip",
            ),
        ),
        licence="boxes CC BY 4.0; photographs of COCO under terms of their own",
        published=(REPOSITORY,),
        sizes=sizes.get(block.made_by, {}),
        note="the server that the repository names is down; its issues say where copies are",
    )

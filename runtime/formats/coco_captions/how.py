"""How to get COCO's captions."""

from renaissance.grammar.kinds.how import How, Place, Size
from renaissance.runtime.formats.coco_captions.schema import CocoCaptions

SIZES = {
    "train2014": Size(images=82_783, texts=414_113),
    "val2014": Size(images=40_504, texts=202_654),
}
HOST = "http://images.cocodataset.org"


def how(block: CocoCaptions) -> How:
    """Return what to get."""
    year = block.split[-4:]
    name = f"captions_{block.split}.json"
    return How(
        name="COCO captions",
        root=block.root,
        places=(
            Place(
                path=f"annotations/{name}",
                instead=(name,),
                holds="captions, and where each photograph is from",
                where=f"{HOST}/annotations/annotations_trainval{year}.zip",
            ),
            Place(
                path=block.split,
                instead=(f"images/{block.split}",),
                holds="photographs",
                where=f"{HOST}/zips/{block.split}.zip",
            ),
        ),
        licence="captions CC BY 4.0; photographs under terms of their own",
        published=("https://cocodataset.org/#download",),
        sizes={"": SIZES[block.split]} if block.split in SIZES else {},
    )

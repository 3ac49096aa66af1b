"""How to get COCO and Flickr30k with Karpathy's splits."""

from renaissance.grammar.kinds.how import How, Place, Size
from renaissance.grammar.record import replace
from renaissance.runtime.tasks.retrieval.schema import (
    FLICKR_FOLDERS,
    SIZES,
    Retrieval,
    files_of,
    folders_of,
)

CAPTIONS = "https://cs.stanford.edu/people/karpathy/deepimagesent/caption_datasets.zip"


def how(block: Retrieval) -> How:
    """Return what to get."""
    found = how_of_set(block.root, block.set)
    return replace(found, sizes=sizes_of(block.set) if block.captions == "all" else {})


def sizes_of(name: str) -> dict[str, Size]:
    """Return how much each split of `coco` or `flickr30k` holds."""
    return {split: Size(images=one, texts=other) for split, (one, other) in SIZES[name].items()}


def how_of_set(root: str, name: str, split: str | None = None) -> How:
    """Return what to get of `coco` or `flickr30k`, for one split or all."""
    coco = name == "coco"
    published, *others = files_of(name)
    file = Place(
        path=published,
        instead=tuple(others),
        holds="captions and splits",
        where=CAPTIONS,
    )
    images = (
        (
            Place(
                path="train2014",
                holds="82,783 photographs",
                where="http://images.cocodataset.org/zips/train2014.zip",
                instead=folders_of("train2014")[1:],
                needed=split in (None, "train", "train_restval"),
            ),
            Place(
                path="val2014",
                holds="40,504 photographs, those of `restval`, `val` and `test`",
                where="http://images.cocodataset.org/zips/val2014.zip",
                instead=folders_of("val2014")[1:],
                needed=split != "train",
            ),
        )
        if coco
        else (
            Place(
                path=FLICKR_FOLDERS[0],
                holds="31,783 photographs `<id>.jpg`",
                where="https://shannon.cs.illinois.edu/DenotationGraph/ (a form to fill in)",
                instead=FLICKR_FOLDERS[1:],
            ),
        )
    )
    return How(
        name="COCO captions, Karpathy's splits" if coco else "Flickr30k, Karpathy's splits",
        root=root,
        places=(file, *images),
        licence="captions CC BY 4.0; photographs under terms of their own"
        if coco
        else "research and education, not for sale; photographs under Flickr's terms",
        published=(CAPTIONS, "https://cocodataset.org/#download" if coco else images[0].where),
        note="the host of caption_datasets.zip is often down; there are many mirrors",
    )

"""How to get COCO and Flickr30k with Karpathy's splits."""

from renaissance.grammar.kinds.how import How, Place, Size
from renaissance.grammar.record import replace
from renaissance.runtime.tasks.retrieval.schema import Retrieval

SIZES = {
    ("coco", "train"): Size(images=82_783),
    ("coco", "restval"): Size(images=30_504),
    ("coco", "train_restval"): Size(images=113_287, texts=566_747),
    ("coco", "val"): Size(images=5_000),
    ("coco", "test"): Size(images=5_000, texts=25_010),
    ("flickr30k", "train"): Size(images=29_000, texts=145_000),
    ("flickr30k", "train_restval"): Size(images=29_000, texts=145_000),
    ("flickr30k", "val"): Size(images=1_014, texts=5_070),
    ("flickr30k", "test"): Size(images=1_000, texts=5_000),
}
CAPTIONS = "https://cs.stanford.edu/people/karpathy/deepimagesent/caption_datasets.zip"


def how(block: Retrieval) -> How:
    """Return what to get."""
    found = how_of_set(block.root, block.set)
    whole = {split: size for (name, split), size in SIZES.items() if name == block.set}
    return replace(found, sizes=whole if block.captions == "all" else {})


def how_of_set(root: str, name: str, split: str | None = None) -> How:
    """Return what to get of `coco` or `flickr30k`, for one split or all."""
    coco = name == "coco"
    file_name = f"dataset_{name}.json"
    file = Place(
        path=file_name,
        instead=(f"karpathy/{file_name}", f"annotations/{file_name}"),
        holds="captions and splits",
        where=CAPTIONS,
    )
    images = (
        (
            Place(
                path="train2014",
                holds="82,783 photographs",
                where="http://images.cocodataset.org/zips/train2014.zip",
                instead=("images/train2014",),
                needed=split in (None, "train", "train_restval"),
            ),
            Place(
                path="val2014",
                holds="40,504 photographs, those of `restval`, `val` and `test`",
                where="http://images.cocodataset.org/zips/val2014.zip",
                instead=("images/val2014",),
                needed=split != "train",
            ),
        )
        if coco
        else (
            Place(
                path="flickr30k-images",
                holds="31,783 photographs `<id>.jpg`",
                where="https://shannon.cs.illinois.edu/DenotationGraph/ (a form to fill in)",
                instead=("flickr30k_images", "Flickr30K/images", "images"),
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

"""Keys of the task `retrieval`, and where its published files lie."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from renaissance.grammar.declaration import Share, key
from renaissance.grammar.kinds.data import (
    AllPairs,
    PublishedPart,
    ResultFile,
    Split,
    TaskBlock,
)
from renaissance.grammar.kinds.head import Form
from renaissance.grammar.kinds.quantity import MEAN_RANK, MEDIAN_RANK, SHARE, Quantity
from renaissance.runtime.tasks.splits import with_validation

FIRST_FIVE = 5
"""Captions of an image that `captions = five` keeps."""
SIZES: Mapping[str, Mapping[str, tuple[int, int]]] = {
    "coco": {
        "train": (82_783, 414_113),
        "restval": (30_504, 152_634),
        "train_restval": (113_287, 566_747),
        "val": (5_000, 25_010),
        "test": (5_000, 25_010),
    },
    "flickr30k": {
        "train": (29_000, 145_000),
        "train_restval": (29_000, 145_000),
        "val": (1_014, 5_070),
        "test": (1_000, 5_000),
    },
}
"""Images and captions of published splits."""

FLICKR_FOLDERS = ("flickr30k-images", "flickr30k_images", "Flickr30K/images", "images")
"""What the folder of Flickr30k's photographs is called, the published name first."""


OF_A_SEARCH: Mapping[str, Quantity] = {
    **dict.fromkeys(("r@1", "r@5", "r@10"), SHARE),
    "mean_rank": MEAN_RANK,
    "median_rank": MEDIAN_RANK,
    "scored": SHARE,
}
"""What is measured where texts or images are looked for."""


class Retrieval(TaskBlock):
    """Which image belongs to a text, and which texts to an image? Source: Karpathy & Fei-Fei 2015.

    It is learned as ViLT learns it: the caption of an image among other ones, by cross entropy
    (Kim et al. 2021). It is measured on all pairs of a split; each image and text is encoded once.
    """

    outputs: ClassVar[int] = 1
    head_form: ClassVar[Form] = "linear"
    inherits: ClassVar[tuple[str, int] | None] = ("itm", 1)
    zero_shot: ClassVar[bool] = True
    asks: ClassVar[tuple[str, ...]] = ("set", "captions")
    quantities: ClassVar[Mapping[str, Quantity]] = {
        f"{side}_{name}": each for side in ("text", "image") for name, each in OF_A_SEARCH.items()
    }
    reported: ClassVar[tuple[str, ...]] = tuple(quantities)
    searches: ClassVar[bool] = True
    result_file: ClassVar[ResultFile] = ResultFile(
        form="an `.npz` with `scores` [images, captions], `image_ids` and `text_ids`, in any order",
        line=None,
        ids="COCO's number, `imgid` or the name of the file of an image, and `sentid` of a caption",
    )

    task: Literal["retrieval"] = "retrieval"
    root: str = key(
        doc="folder that holds `dataset_coco.json` with `train2014` and `val2014`, or "
        "`dataset_flickr30k.json` with `flickr30k-images`",
        impact="training",
        path="folder",
    )
    set: Literal["coco", "flickr30k"] = key("coco", doc="the data set", impact="training")
    train: Literal["train", "train_restval"] = key(
        "train_restval",
        doc="what is learned from; `train_restval`: the rest of COCO's validation images too",
        impact="training",
    )
    validation: Share | Literal["val"] = key(
        "val",
        doc="split that selects the best checkpoint, or a share of the images that are learned "
        "from",
        impact="training",
    )
    captions: Literal["all", "five"] = key(
        "all",
        doc="of each image that is measured: all, or the first five, as some papers count (of COCO "
        "25,000 instead of 25,010)",
        impact="eval",
    )
    negatives: int = key(
        15,
        doc="other captions that the true one of an image is chosen among",
        impact="training",
        unit="texts",
        ge=1,
        le=1000,
    )
    best: Annotated[int, Field(ge=10, le=1_000_000)] | Literal["all"] = key(
        "all",
        doc="pairs that are scored in full in an evaluation: all, or for each text the so many "
        "images, and for each image the so many texts, that a cheaper score finds; what that "
        "misses is not found, and the result says how much it is",
        impact="eval",
        unit="candidates",
    )
    coarse: int = key(
        4,
        doc="the cheaper score: the same one on so many means of the image's tokens",
        impact="eval",
        unit="tokens",
        ge=1,
        le=4096,
    )

    def splits(self) -> Mapping[str, Split]:
        """Return the published splits and `validation`: `val`, or a share of what is learned."""
        names = (*(("restval",) if self.set == "coco" else ()), "val", "test")
        published = {name: Split(file=name, use="report") for name in names}
        return with_validation(self.validation, published, train=self.train)

    def part(self, file: str) -> PublishedPart:
        """Return a part of the data; `train_restval` holds what `restval` does."""
        split = "restval" if file == "train_restval" else file
        # One file holds all of them, so that they are told apart by name alone.
        return PublishedPart(dataset=f"karpathy {self.set}", folder=None, split=split)

    def pairs(self, split: str) -> AllPairs | None:
        """Return what is scored of a published split: every image with every caption."""
        declared = self.split(split)
        if declared is None or declared.held_out is not None or declared.use == "train":
            return None
        size = SIZES[self.set].get(declared.file)
        if size is None:
            return None
        images, texts = size
        if self.captions == "five":
            texts = min(texts, FIRST_FIVE * images)
        return self.every_pair(images, texts)

    def every_pair(self, images: int, texts: int) -> AllPairs:
        """Return what is scored of so many images and captions."""
        scored = images * texts
        if self.best != "all":
            scored = min(scored, self.best * (images + texts))
        return AllPairs(images=images, texts=texts, scored=scored)


def files_of(name: str) -> tuple[str, ...]:
    """Return where the file with all captions of a set is looked for, as published and not."""
    file = f"dataset_{name}.json"
    return file, f"karpathy/{file}", f"annotations/{file}"


def folders_of(folder: str) -> tuple[str, ...]:
    """Return where a folder of COCO's photographs, or that of Flickr30k's, is looked for."""
    return FLICKR_FOLDERS if folder == FLICKR_FOLDERS[0] else (folder, f"images/{folder}")

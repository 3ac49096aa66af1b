"""Karpathy's files of captions, as published: `dataset_coco.json` and `dataset_flickr30k.json`."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from renaissance.runtime.data.errors import DataError
from renaissance.runtime.data.published import (
    entry,
    first_folder,
    listed,
    published,
    read_json,
    text,
)
from renaissance.runtime.tasks.retrieval.schema import (
    FIRST_FIVE,
    FLICKR_FOLDERS,
    Retrieval,
    files_of,
    folders_of,
)

HINT = "it is in Karpathy's caption_datasets.zip; `renaissance data FILE --how` says where"
UNNUMBERED = -1
"""The number of what need not have one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Captioned:
    """An image with its captions.

    Attributes:
        number: `imgid`, by which the file counts its images.
        coco: number of COCO's photograph; None for other sets.
        path: of the image, from the folder of the data on.
        captions: the number of each (`sentid`) and its text.
    """

    number: int
    coco: int | None
    path: str
    captions: tuple[tuple[int, str], ...]

    @property
    def name(self) -> str | int:
        """What files of scores call it: COCO's number, or the name of the photograph."""
        return Path(self.path).name if self.coco is None else self.coco


def read_captioned(block: Retrieval, file: str) -> list[Captioned]:
    """Read a split, or `train_restval`, in the order of the file.

    Raises:
        DataError: if the file is missing or malformed, or has no image of that split.
    """
    found = read_images(block.root, block.set, file, block.word(), numbered=True)
    if block.captions == "all" or file in ("train", "train_restval"):
        return found
    return [replace(one, captions=one.captions[:FIRST_FIVE]) for one in found]


def read_images(
    root: str, name: str, split: str, called: str, *, numbered: bool
) -> list[Captioned]:
    """Read a split of a set, or `train_restval`, in the order of its file.

    Args:
        root: folder that holds file and images.
        name: of the set: `coco` or `flickr30k`.
        split: which part.
        called: what messages call the data.
        numbered: whether images and captions are known by their numbers; if not, the file need not
            number them, and an image need not have a caption.

    Raises:
        DataError: if the file is missing or malformed, or has no image of that split.
    """
    path = published(root, files_of(name), called, hint=HINT)
    splits = ("train", "restval") if split == "train_restval" else (split,)

    @cache
    def lies_in(folder: str) -> str:
        return first_folder(root, folders_of(folder))

    found, seen = [], set[int]()
    for place, image in enumerate(listed(read_json(path), "images", path)):
        with entry(path, place, "image"):
            if text(image["split"]) not in splits:
                continue
            one = _image(image, name == "coco", lies_in, numbered=numbered)
            numbers = [number for number, _ in one.captions]
            if numbered and not numbers:
                raise ValueError("it has no sentence")
        repeated = next((n for n in numbers if n in seen or numbers.count(n) > 1), None)
        if numbered and repeated is not None:
            raise DataError(f"image {place} of `{path}` repeats the `sentid` {repeated}")
        seen.update(numbers)
        found.append(one)
    if not found:
        raise DataError(f"`{path}` has no image of the split `{split}`")
    return found


def _image(
    image: dict[str, Any], coco: bool, lies_in: Callable[[str], str], *, numbered: bool
) -> Captioned:
    file = text(image["filename"])
    # COCO_val2014_000000391895.jpg lies in `val2014`, which some files do not say.
    folder = (image.get("filepath") or file.split("_")[1]) if coco else FLICKR_FOLDERS[0]
    return Captioned(
        number=int(image["imgid"]) if numbered else UNNUMBERED,
        coco=int(image["cocoid"]) if coco else None,
        path=f"{lies_in(text(folder))}/{file}",
        captions=tuple(
            (int(sentence["sentid"]) if numbered else UNNUMBERED, _said(sentence))
            for sentence in image["sentences"]
        ),
    )


def _said(sentence: dict[str, Any]) -> str:
    said = text(sentence["raw"]).strip() if "raw" in sentence else ""
    return said or " ".join(sentence["tokens"])

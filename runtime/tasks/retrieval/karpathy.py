"""Karpathy's files of captions, as published: `dataset_coco.json` and `dataset_flickr30k.json`."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from renaissance.runtime.data.errors import DataError
from renaissance.runtime.tasks.retrieval.schema import FIRST_FIVE, Retrieval, dataset_of

FLICKR_FOLDERS = ("flickr30k-images", "flickr30k_images", "Flickr30K/images", "images")
"""What the folder of Flickr30k's photographs is called, the published name first."""


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
    path = dataset_of(block.root, block.set)
    splits = ("train", "restval") if file == "train_restval" else (file,)
    found = list(_images(block, path, splits))
    if not found:
        raise DataError(f"`{path}` has no image of the split `{file}`")
    most = FIRST_FIVE if block.captions == "five" and "train" not in splits else None
    if most is None:
        return found
    return [
        Captioned(number=one.number, coco=one.coco, path=one.path, captions=one.captions[:most])
        for one in found
    ]


def _images(block: Retrieval, path: Path, splits: tuple[str, ...]) -> Iterator[Captioned]:
    flickr = _flickr_folder(block.root) if block.set == "flickr30k" else ""
    within = _within(block.root)
    captions: set[int] = set()
    for place, entry in enumerate(_entries(path)):
        try:
            if entry["split"] not in splits:
                continue
            image = _image(entry, flickr, within)
        except KeyError as missing:
            raise DataError(f"image {place} of `{path}` has no {missing}") from None
        except (TypeError, ValueError, AttributeError) as problem:
            raise DataError(f"image {place} of `{path}` is no captioned image: {problem}") from None
        for number, _ in image.captions:
            if number in captions:
                raise DataError(f"image {place} of `{path}` repeats the `sentid` {number}")
            captions.add(number)
        yield image


def _entries(path: Path) -> list[dict[str, Any]]:
    try:
        content = json.loads(path.read_bytes())
    except OSError as problem:
        raise DataError(
            f"`{path}` cannot be read: {problem.strerror}; `root` holds a file of Karpathy's "
            "caption_datasets.zip, and the images"
        ) from None
    except (ValueError, RecursionError) as problem:
        raise DataError(f"`{path}` is no JSON: {problem}") from None
    entries = content.get("images") if isinstance(content, dict) else None
    if not isinstance(entries, list):
        raise DataError(f'`{path}` has no list `images`, as {{"images": […], "dataset": …}} has')
    return entries


def _image(entry: dict[str, Any], flickr: str, within: str) -> Captioned:
    name, coco = entry["filename"], entry.get("cocoid")
    folder = flickr or within + (entry.get("filepath") or name.split("_")[1])
    captions = []
    for sentence in entry["sentences"]:
        text = sentence["raw"].strip() or " ".join(sentence["tokens"])
        captions.append((int(sentence["sentid"]), text))
    if not captions:
        raise ValueError("it has no sentence")
    return Captioned(
        number=int(entry["imgid"]),
        coco=None if coco is None else int(coco),
        path=f"{folder}/{name}",
        captions=tuple(captions),
    )


def _within(root: str) -> str:
    """Return where the folders of COCO's photographs lie: in `root`, or in `images` there."""
    return "images/" if (Path(root) / "images" / "val2014").is_dir() else ""


def _flickr_folder(root: str) -> str:
    there = (name for name in FLICKR_FOLDERS if (Path(root) / name).is_dir())
    return next(there, FLICKR_FOLDERS[0])

"""Models that read regions, or several images at once, and files of regions for them."""

from pathlib import Path
from typing import Any

import numpy as np

from renaissance.compiler.fusions.cross_attention.schema import CrossAttention
from renaissance.compiler.fusions.merged_attention.schema import MergedAttention
from renaissance.compiler.fusions.single_stream.schema import SingleStream
from renaissance.compiler.sources.patches.schema import Patches
from renaissance.compiler.sources.plain.schema import PlainStack
from renaissance.compiler.sources.plain_regions.schema import PlainRegions
from renaissance.compiler.sources.plain_text.schema import PlainText
from renaissance.compiler.sources.plain_vision.schema import PlainVision
from renaissance.compiler.sources.regions.schema import Regions
from renaissance.compiler.sources.wordpiece.schema import Wordpiece
from renaissance.grammar.schema.model import Model

CHANNELS, MOST = 5, 4
SIZES: dict[str, Any] = {"width": 16, "heads": 2, "dropout": 0.0}
TEXT = PlainText(layers=1, max_tokens=12, vocabulary=64, **SIZES)
VISION = PlainVision(layers=1, image_size=16, patch=8, **SIZES)
WORDS = Wordpiece(max_tokens=12, vocabulary=64)
PATCHES = Patches(image_size=16, patch=8)


def detected(folder: Path | str = "features") -> PlainRegions:
    """A tower over regions."""
    return PlainRegions(features=str(folder), channels=CHANNELS, regions=MOST, layers=1, **SIZES)


def embedded(folder: Path | str = "features", **keys: Any) -> Regions:
    """Embeddings of regions."""
    return Regions(features=str(folder), channels=CHANNELS, regions=MOST, **keys)


def of_towers(folder: Path | str = "features", **other: Any) -> Model:
    """LXMERT's form."""
    fusion = CrossAttention(inputs=("text", "vision"), layers=1, **SIZES)
    streams = {"text": TEXT, "vision": detected(folder)}
    keys = {"name": "tiny", "fusion_name": "cross", "fusion": fusion, "pool": "first"} | other
    return Model(streams=streams, **keys)


def of_words_and_regions(folder: Path | str = "features", **other: Any) -> Model:
    """VisualBERT's form."""
    return _joint({"text": WORDS, "vision": embedded(folder, boxes=False)}, pool="first", **other)


def of_two_images(**other: Any) -> Model:
    """A sentence and two images in one sequence."""
    return _joint({"text": WORDS, "left": PATCHES, "right": PATCHES}, **other)


def of_pixels_and_regions(folder: Path | str = "features", **other: Any) -> Model:
    """A text, an image and its regions behind towers of their own."""
    streams = {"text": TEXT, "vision": VISION, "objects": detected(folder)}
    fusion = MergedAttention(inputs=tuple(streams), layers=2, **SIZES)
    keys = {"name": "tiny", "fusion_name": "joint", "fusion": fusion, "pool": "mean"} | other
    return Model(streams=streams, **keys)


def _joint(streams: dict[str, Any], **other: Any) -> Model:
    fusion = SingleStream(inputs=tuple(streams), encoder=PlainStack(layers=2, **SIZES))
    return Model(streams=streams, name="tiny", fusion_name="joint", fusion=fusion, **other)


def write_regions(folder: Path, names: list[str], *, least: int = 1) -> Path:
    """Write a file for each image, called as it is; they differ in their numbers of regions."""
    draw = np.random.default_rng(0)
    for number, name in enumerate(names):
        count = least + number % (MOST + 2)
        path = folder / f"{name}.npz"
        path.parent.mkdir(parents=True, exist_ok=True)
        left, right = np.sort(draw.uniform(0, 20, (2, count)), axis=0)
        top, bottom = np.sort(draw.uniform(0, 10, (2, count)), axis=0)
        np.savez(
            path,
            features=draw.standard_normal((count, CHANNELS)).astype(np.float16),
            boxes=np.stack((left, top, right, bottom), axis=1),
            width=20,
            height=10,
        )
    return folder


def write_easy_regions(folder: Path, *, train: int = 16, test: int = 8) -> Path:
    """Write those of the images that `write_easy_vqa` writes."""
    counts = {"train": train, "test": test}
    names = [f"{part}/images/{one}" for part, count in counts.items() for one in range(count)]
    return write_regions(folder, names)

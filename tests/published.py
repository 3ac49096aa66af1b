"""Small folders in the layouts in which data sets are published."""

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image


def published_samples(name: str) -> Path:
    """Return the folder of published records of a data set; the test is skipped without it."""
    root = os.environ.get("RENAISSANCE_SAMPLES")
    if root is None:
        pytest.skip("RENAISSANCE_SAMPLES does not name a folder of published records")
    return Path(root, name)


def draw(path: Path, shade: int, format: str | None = None) -> None:
    """Write a small image of one shade, in a format that its name need not tell."""
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(shade).integers(-8, 9, (16, 20, 3))
    pixels = (np.full((16, 20, 3), shade) + noise).clip(0, 255).astype(np.uint8)
    Image.fromarray(pixels).save(path, format)


def json_lines(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write a line of JSON for each row."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def write_nlvr2(root: Path) -> Path:
    """Write NLVR2's layout: sets of two sentences, each said of two or three pairs of images."""
    for split, sets, pairs in (("train", 6, 3), ("dev", 4, 2), ("test1", 3, 2), ("test2", 2, 2)):
        rows = [_nlvr2_row(root, split, *place) for place in np.ndindex(sets, pairs, 2)]
        json_lines(root / f"nlvr2/data/{split}.json", rows)
        if split == "dev":
            for name, part in (("balanced", rows[:6]), ("unbalanced", rows[6:12])):
                json_lines(root / f"nlvr2/data/{name}/{name}_dev.json", part)
    phenomena = (
        "Both images are lighter than 0.\r\n* comparison\r\n* universal quantifier\r\n\r\n"
        "The left image is darker than the right one 1.\r\n* comparison\r\n\r\n"
    )
    (root / "nlvr2/util").mkdir()
    (root / "nlvr2/util/annotated_dev_examples.txt").write_bytes(phenomena.encode())
    return root


def _nlvr2_row(root: Path, split: str, images: int, pair: int, sentence: int) -> dict[str, Any]:
    """Return a row, with its images on the disk: JPEGs, GIFs and PNGs that are all called PNG."""
    stem = f"{split}-{images}-{pair}"
    folder = root / f"images/train/{images % 3}" if split == "train" else root / split
    shades = [(images * 50 + pair * 90 + side * 40) % 256 for side in range(2)]
    for side, shade in enumerate(shades):
        file = folder / f"{stem}-img{side}.png"
        if not file.exists():
            draw(file, shade, ("PNG", "JPEG", "GIF")[(images + side) % 3])
    said = ("Both images are lighter than", "The left image is darker than the right one")
    true = min(shades) > 90 if sentence == 0 else shades[0] < shades[1]
    row = {
        "identifier": f"{stem}-{sentence}",
        "sentence": f"{said[sentence]} {images}.",
        "label": str(true),
        "left_url": "https://example.com/0.jpg",
        "right_url": "https://example.com/1.jpg",
        "synset": "beer bottle",
        "query": "bottles0",
        "writer": "61",
        "validation": {"61": str(true)},
    }
    return row | ({"directory": images % 3} if split == "train" else {"extra_validations": {}})

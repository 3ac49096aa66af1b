"""Small folders of image-text pairs in the layouts in which data sets are published."""

import json
import zlib
from pathlib import Path
from typing import Any

from tests.published import draw

CAPTIONS = ("A man on a moped. ", "a bike", "a bike")


def write_json(path: Path, content: Any) -> Path:
    """Write JSON, with the folders that lead to it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def write_karpathy_coco(
    root: Path, split_of: dict[int, str], *, images: bool = True, home: str = ""
) -> Path:
    """Write Karpathy's COCO: three captions an image, of the splits that numbers of COCO have."""
    records = []
    for place, (coco, split) in enumerate(split_of.items()):
        folder = "train2014" if split == "train" else "val2014"
        name = f"COCO_{folder}_{coco:012d}.jpg"
        if images:
            draw(root / folder / name, coco % 256)
        records.append(
            {
                "filepath": folder,
                "filename": name,
                "imgid": place,
                "split": split,
                "sentids": [3 * place + k for k in range(3)],
                "sentences": [
                    {"tokens": text.split(), "raw": text, "imgid": place, "sentid": 3 * place + k}
                    for k, text in enumerate(CAPTIONS)
                ],
                "cocoid": coco,
            }
        )
    write_json(root / home / "dataset_coco.json", {"images": records, "dataset": "coco"})
    return root


def write_karpathy_flickr(root: Path, split_of: dict[str, str], *, images: bool = True) -> Path:
    """Write Karpathy's Flickr30k, of the splits that numbers of photographs have."""
    records = []
    for place, (photograph, split) in enumerate(split_of.items()):
        if images:
            draw(root / f"flickr30k-images/{photograph}.jpg", int(photograph) % 256)
        sentences = [{"tokens": ["a", "dog"], "raw": f"A dog {photograph}.", "sentid": place}]
        records.append(
            {
                "filename": f"{photograph}.jpg",
                "imgid": place,
                "sentids": [place],
                "split": split,
                "sentences": sentences,
            }
        )
    write_json(root / "dataset_flickr30k.json", {"images": records, "dataset": "flickr30k"})
    return root


def write_coco_captions(root: Path, numbers: list[int], split: str = "val2014") -> Path:
    """Write COCO's captions: two an image, one of them far away in the file."""
    prefix = f"COCO_{split}_" if split.endswith("2014") else ""
    images = [
        {
            "license": 3,
            "file_name": f"{prefix}{number:012d}.jpg",
            "flickr_url": f"http://farm9.staticflickr.com/8186/81193{number:05d}_4e622c8349_z.jpg",
            "height": 16,
            "width": 20,
            "id": number,
        }
        for number in numbers
    ]
    for number, image in zip(numbers, images, strict=True):
        draw(root / split / str(image["file_name"]), number % 256)
    annotations = [
        {"image_id": number, "id": 2 * number + k, "caption": f"caption {k} of {number}. "}
        for k in range(2)
        for number in numbers
    ]
    content = {"info": {}, "licenses": [], "images": images, "annotations": annotations}
    write_json(root / f"annotations/captions_{split}.json", content)
    return root


def write_visual_genome(
    root: Path, coco_of: dict[int, int | None], flickr_of: dict[int, int] | None = None
) -> Path:
    """Write Visual Genome: three regions an image, two of which say the same."""
    regions, data = [], []
    for number, coco in coco_of.items():
        folder = "VG_100K" if number % 2 else "VG_100K_2"
        draw(root / folder / f"{number}.jpg", number % 256)
        regions.append(
            {
                "regions": [
                    {"region_id": 1, "image_id": number, "phrase": phrase, "x": 1, "y": 2}
                    for phrase in ("a green clock", "shade along the street ", "a green clock ")
                ],
                "id": number,
            }
        )
        data.append(
            {
                "width": 20,
                "height": 16,
                "url": f"https://cs.stanford.edu/people/rak248/{folder}/{number}.jpg",
                "image_id": number,
                "coco_id": coco,
                "flickr_id": (flickr_of or {}).get(number),
            }
        )
    write_json(root / "region_descriptions.json", regions)
    write_json(root / "image_data.json", data)
    return root


def sbu_address(number: int) -> str:
    """Return the address of a photograph."""
    return f"http://static.flickr.com/2723/{4385058960 + number}_b0f291553e.jpg"


def write_sbu(root: Path, count: int, there: set[int]) -> Path:
    """Write SBU's lists, and those of its photographs that could be had."""
    addresses = [sbu_address(number) for number in range(count)]
    for number in there:
        draw(root / "dataset" / addresses[number].rpartition("/")[2], number)
    content = {
        "image_urls": addresses,
        "user_ids": ["1"] * count,
        "captions": [f"photograph {number} " for number in range(count)],
    }
    write_json(root / "sbu-captions-all.json", content)
    return root


def write_conceptual(root: Path, count: int, there: set[int]) -> Path:
    """Write the published table of Conceptual Captions, and images as a downloader names them."""
    addresses = [f"http://example.com/{number}/IMG.JPG?imgmax=800" for number in range(count)]
    for number in there:
        checksum = zlib.crc32(addresses[number].encode())
        draw(root / f"training/{number}_{checksum}", number, "JPEG")
    rows = [f"background {number} .\t{address}\n" for number, address in enumerate(addresses)]
    (root / "Train_GCC-training.tsv").write_text("".join(rows), encoding="utf-8")
    return root

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
    """Write a small image of one shade, like no other name's, in a format that none need tell."""
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng([shade, *path.name.encode()]).integers(-8, 9, (16, 20, 3))
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


def write_vqav2(root: Path) -> Path:
    """Write VQA v2's layout: four questions about each of some images; some answers are rare."""
    for subset, first, images in (("train2014", 0, 8), ("val2014", 20, 5), ("test2015", 40, 3)):
        questions, annotations = [], []
        for number in range(images):
            image, dark = first + number, number % 2 == 0
            draw(root / subset / f"COCO_{subset}_{image:012d}.jpg", 20 + number * 24, "JPEG")
            for place, (question, kind, start, said) in enumerate(_vqav2_questions(image, dark)):
                key = image * 1000 + place
                questions.append({"image_id": image, "question": question, "question_id": key})
                annotations.append(_vqav2_annotation(key, image, kind, start, said))
        vqav2_file(root, f"v2_OpenEnded_mscoco_{subset}_questions", "questions", questions)
        if subset == "test2015":
            some = [entry for entry in questions if entry["image_id"] != first]
            name = "v2_OpenEnded_mscoco_test-dev2015_questions"
            vqav2_file(root, name, "questions", some)
        else:
            vqav2_file(root, f"v2_mscoco_{subset}_annotations", "annotations", annotations)
    return root


def vqav2_file(root: Path, name: str, kind: str, entries: list[dict[str, Any]]) -> None:
    """Write a file of questions or annotations with its head."""
    head = {"info": {"version": "2.0"}, "license": {"name": "CC BY 4.0"}, "data_type": "mscoco"}
    root.mkdir(parents=True, exist_ok=True)
    (root / f"{name}.json").write_text(json.dumps(head | {kind: entries}), encoding="utf-8")


def _vqav2_questions(image: int, dark: bool) -> list[tuple[str, str, str, list[str]]]:
    """Return question, type of its answer, how it begins, and what ten people say."""
    yes, no = ("yes", "no") if dark else ("no", "yes")
    return [
        ("Is this dark?", "yes/no", "is this", [yes] * 8 + [no, "Yes."]),
        ("How many things are there? ", "number", "how many", ["2"] * 3 + ["two"] * 4 + ["1"] * 3),
        ("What color is it?", "other", "what color is", ["gray"] * 5 + ["t-shirt gray"] * 5),
        ("What is written there?", "other", "what is", [f"Word {image}"] * 10),
    ]


def _vqav2_annotation(
    key: int, image: int, kind: str, start: str, said: list[str]
) -> dict[str, Any]:
    return {
        "question_id": key,
        "image_id": image,
        "question_type": start,
        "answer_type": kind,
        "multiple_choice_answer": said[0],
        "answers": [
            {"answer": answer, "answer_confidence": "yes", "answer_id": number}
            for number, answer in enumerate(said, 1)
        ],
    }


def write_karpathy(root: Path, name: str = "coco") -> Path:
    """Write Karpathy's layout of COCO or Flickr30k: five captions an image, once six."""
    splits = ("train",) * 8 + ("restval",) * 2 + ("val",) * 4 + ("test",) * 6
    images, sentence = [], 0
    for number, split in enumerate(splits):
        entry: dict[str, Any] = {"imgid": number, "split": split}
        if name == "coco":
            folder = "train2014" if split == "train" else "val2014"
            entry |= {"filepath": folder, "cocoid": 1000 + number}
            entry["filename"] = f"COCO_{folder}_{1000 + number:012d}.jpg"
        else:
            folder, entry["filename"] = "flickr30k-images", f"{90000 + number}.jpg"
        draw(root / folder / entry["filename"], number * 12, "JPEG")
        words = ("dark" if number < 10 else "light", f"shade {number}")
        said = [f"A {words[0]} thing, {words[1]}, seen {place}. " for place in range(4)]
        said.append(f"{words[0].capitalize()} and plain.")
        said += ["One more."] * (number == 15)
        entry["sentids"] = list(range(sentence, sentence + len(said)))
        entry["sentences"] = [
            {"tokens": raw.lower().split(), "raw": raw, "imgid": number, "sentid": sentence + place}
            for place, raw in enumerate(said)
        ]
        sentence += len(said)
        images.append(entry)
    root.mkdir(parents=True, exist_ok=True)
    content = {"images": images, "dataset": name}
    (root / f"dataset_{name}.json").write_text(json.dumps(content), encoding="utf-8")
    return root


def write_snli_ve(root: Path) -> Path:
    """Write SNLI-VE's layout: photographs with three sentences each, and two rows not of the set.

    The letter of a pair is what its writer was asked for, which is not the label.
    """
    for base, (split, count) in enumerate((("train", 8), ("dev", 3), ("test", 4)), 1):
        rows = []
        for number in range(1000 * base, 1000 * base + count):
            draw(root / "flickr30k-images" / f"{number}.jpg", number % 200)
            rows += [_snli_ve_row(number, place, label) for place, label in enumerate(RELATIONS)]
        rows.append(_snli_ve_row(1000 * base, 9, "-"))
        rows.append(_snli_ve_row(1000 * base, 8, "neutral") | {"Flickr30K_ID": "vg_17"})
        json_lines(root / f"snli_ve_{split}.jsonl", rows)
    return root


RELATIONS = ("contradiction", "neutral", "entailment")


def _snli_ve_row(photograph: int, place: int, label: str) -> dict[str, Any]:
    caption = f"{photograph}.jpg#{place % 5}"
    return {
        "Flickr30K_ID": str(photograph),
        "annotator_labels": [label],
        "captionID": caption,
        "gold_label": label,
        "pairID": f"{caption}r{place}e",
        "sentence1": "A SECRET caption.",
        "sentence2": f"sentence {place} about a {label} thing",
    }

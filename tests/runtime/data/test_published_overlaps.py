"""Overlaps of published sets, on the lists of their photographs."""

import gzip
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from renaissance.grammar import load
from renaissance.runtime.data.leaks import leaks
from renaissance.runtime.data.overlap import Overlap, overlaps
from renaissance.runtime.data.part import Part
from renaissance.runtime.data.reading import read_task
from renaissance.runtime.data.repeats import repeated
from renaissance.runtime.tasks.nlvr2.schema import Nlvr2
from tests.published import json_lines, published_samples, vqav2_file
from tests.published_pairs import write_json, write_karpathy_flickr
from tests.runtime.data.test_leaks import write_spec


def coco_numbers() -> list[int]:
    """Return the photographs of Karpathy's `val`."""
    lines = (published_samples("coco") / "karpathy_val_images.txt").read_text().splitlines()
    return [int(line.split()[1]) for line in lines]


def write_karpathy(root: Path, numbers: Iterable[int]) -> Path:
    """Write Karpathy's file with some photographs of COCO's val2014 as `restval`, others beside."""
    entries = [
        {
            "filepath": "val2014",
            "filename": f"COCO_val2014_{number:012d}.jpg",
            "imgid": place,
            "split": split,
            "sentids": [place],
            "sentences": [{"raw": f"Caption {number}.", "tokens": [], "sentid": place}],
            "cocoid": number,
        }
        for place, (number, split) in enumerate(
            [*((number, "restval") for number in numbers), (1, "train"), (2, "val"), (3, "test")]
        )
    ]
    write_json(root / "dataset_coco.json", {"images": entries, "dataset": "coco"})
    return root


def write_questions(root: Path, numbers: Iterable[int]) -> Path:
    """Write VQA v2 with two questions about each of some photographs of val2014."""
    for subset, chosen in (("train2014", [9]), ("val2014", numbers)):
        asked = [
            {"image_id": n, "question": f"What is {k}?", "question_id": n * 1000 + k}
            for n in chosen
            for k in range(2)
        ]
        ten = [{"answer": "x", "answer_confidence": "yes", "answer_id": k} for k in range(1, 11)]
        said = [
            {k: one[k] for k in ("image_id", "question_id")}
            | {"question_type": "what", "answer_type": "other", "answers": ten}
            | {"multiple_choice_answer": "x"}
            for one in asked
        ]
        vqav2_file(root, f"v2_OpenEnded_mscoco_{subset}_questions", "questions", asked)
        vqav2_file(root, f"v2_mscoco_{subset}_annotations", "annotations", said)
    return root


def overlap(path: Path, train: str) -> Overlap:
    """Return what an evaluation has in common with a source of training."""
    [found] = [
        one
        for one in overlaps(load(path), jobs=["measure"])
        if one.train == train and one.eval == "measure"
    ]
    return found


def test_vqa_val_and_karpathy_restval(tmp_path: Path) -> None:
    numbers = coco_numbers()
    write_karpathy(tmp_path / "coco", numbers[:4000])
    write_questions(tmp_path / "vqa", numbers)
    path = write_spec(
        tmp_path / "mine.vl",
        f'vqav2 {{ root = "{tmp_path / "vqa"}", min_count = 1, answers = 1, train = train }}',
        "split = val",
        f'format = karpathy, root = "{tmp_path / "coco"}", split = train_restval',
    )
    found = overlap(path, "pairs")
    assert (found.images, found.eval_images) == (4000, 5000)
    assert (found.rows, found.eval_rows) == (8000, 10_000)
    assert (found.by, found.undecided) == ("coco", 0)
    # Seen with other texts: that is told, and no mistake.
    assert list(leaks(load(path))) == []


@pytest.mark.parametrize("folder", ["train2017", "val2014"])
def test_names_of_2014_and_2017_are_one_photograph(tmp_path: Path, folder: str) -> None:
    numbers = coco_numbers()
    write_questions(tmp_path / "vqa", numbers)
    stem = "" if folder.endswith("2017") else f"COCO_{folder}_"
    pairs = [{"image": f"{folder}/{stem}{n:012d}.jpg", "caption": "A thing."} for n in numbers]
    json_lines(tmp_path / "pairs.jsonl", [*pairs, {"image": "mine.jpg", "caption": "Mine."}])
    path = write_spec(
        tmp_path / "mine.vl",
        f'vqav2 {{ root = "{tmp_path / "vqa"}", min_count = 1, answers = 1, train = train }}',
        "split = val",
        f'format = image_caption, table = "{tmp_path / "pairs.jsonl"}"',
    )
    found = overlap(path, "pairs")
    assert (found.images, found.rows, found.by) == (5000, 10_000, "coco")


@pytest.mark.parametrize(
    "name", ["captions_val2014_fakecap_results", "instances_val2014_fakebbox100_results"]
)
def test_official_result_files_and_karpathy_val(tmp_path: Path, name: str) -> None:
    content = json.loads((published_samples("coco") / f"{name}.json").read_text())
    named = sorted({entry["image_id"] for entry in content})
    both = set(named) & set(coco_numbers())
    assert 0 < len(both) < len(named)
    write_questions(tmp_path / "vqa", named)
    write_karpathy(tmp_path / "coco", coco_numbers())
    path = write_spec(
        tmp_path / "mine.vl",
        f'vqav2 {{ root = "{tmp_path / "vqa"}", min_count = 1, answers = 1, train = train }}',
        "split = val",
        f'format = karpathy, root = "{tmp_path / "coco"}", split = restval',
    )
    found = overlap(path, "pairs")
    assert (found.images, found.eval_images) == (len(both), len(named))


def entailments(photographs: Iterable[str]) -> list[dict[str, Any]]:
    return [
        {
            "Flickr30K_ID": photograph,
            "pairID": f"{photograph}.jpg#0r1c",
            "gold_label": "neutral",
            "sentence1": "A dog.",
            "sentence2": "It sleeps.",
            "annotator_labels": ["neutral"],
        }
        for photograph in photographs
    ]


def test_snli_ve_dev_and_karpathy_val_of_flickr30k(tmp_path: Path) -> None:
    samples = published_samples("snli_ve")
    dev = (samples / "flickr30k_dev_from_train_val.lst").read_text().split()
    val = (samples / "flickr30k_karpathy_val_ids.txt").read_text().split()
    for split, photographs in (("train", ["10001"]), ("dev", dev), ("test", ["10002"])):
        json_lines(tmp_path / f"ve/snli_ve_{split}.jsonl", entailments(photographs))
    (tmp_path / "ve/flickr30k-images").mkdir()
    write_karpathy_flickr(tmp_path / "flickr", dict.fromkeys(val, "val"), images=False)
    path = write_spec(
        tmp_path / "mine.vl",
        f'snli_ve {{ root = "{tmp_path / "ve"}" }}',
        "split = dev",
        f'format = karpathy, root = "{tmp_path / "flickr"}", set = flickr30k, split = val',
    )
    found = overlap(path, "pairs")
    assert (found.images, found.eval_images, found.by) == (35, 1000, "flickr")


def test_nlvr2_balanced_and_unbalanced_are_of_dev(tmp_path: Path) -> None:
    samples = published_samples("nlvr2")
    for name, place in (
        ("dev", "dev"),
        ("balanced_dev", "balanced/balanced_dev"),
        ("unbalanced_dev", "unbalanced/unbalanced_dev"),
    ):
        file = tmp_path / f"nlvr2/data/{place}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(gzip.decompress((samples / f"{name}.json.gz").read_bytes()))
    (tmp_path / "dev").mkdir()
    task = Nlvr2(root=str(tmp_path))
    dev, balanced, unbalanced = (
        Part(file=file, table=table, rows=np.arange(len(table)))
        for file in ("dev", "balanced_dev", "unbalanced_dev")
        for table in [read_task(task, file)]
    )
    assert len(repeated(balanced, dev)) == 2300 and repeated(balanced, dev).all()
    assert len(repeated(unbalanced, dev)) == 3562 and repeated(unbalanced, dev).all()
    assert repeated(dev, balanced).sum() == 2300
    assert not repeated(balanced, unbalanced).any()

"""Folders with nothing but what is right in one split: no image, no other split.

Each function writes one and returns what is right by the names of rows in files of predictions.
"""

import json
import pickle
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tests.published import (
    draw,
    write_karpathy,
    write_nlvr2,
    write_snli_ve,
    write_vqav2,
)
from tests.published_glue import write_glue
from tests.published_referring import write_refcoco
from tests.tiny import write_easy_vqa, write_nlvr

Right = dict[Any, Any]
Layer = Callable[[Path], Right]


def only(root: Path, *kept: str) -> list[Path]:
    """Remove all of a folder but some files, which are returned."""
    files = [root / name for name in kept]
    for path in sorted(root.rglob("*"), reverse=True):
        if path.is_dir():
            if not any(path.iterdir()):
                path.rmdir()
        elif path not in files:
            path.unlink()
    return files


def lines_of(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]


def vqav2(root: Path) -> Right:
    names = "v2_OpenEnded_mscoco_val2014_questions.json", "v2_mscoco_val2014_annotations.json"
    _, annotations = only(write_vqav2(root), *names)
    said = json.loads(annotations.read_text("utf-8"))["annotations"]
    counts = {
        one["question_id"]: Counter(answer["answer"] for answer in one["answers"]) for one in said
    }
    return {number: count.most_common(1)[0][0] for number, count in counts.items()}


def nlvr2(root: Path) -> Right:
    [file] = only(write_nlvr2(root), "nlvr2/data/dev.json")
    return {row["identifier"]: row["label"] for row in lines_of(file)}


def snli_ve(root: Path) -> Right:
    [file] = only(write_snli_ve(root), "snli_ve_dev.jsonl")
    rows = lines_of(file)
    kept = [row for row in rows if row["gold_label"] != "-" and "vg_" not in row["Flickr30K_ID"]]
    return {row["pairID"]: row["gold_label"] for row in kept}


def referring(folder: str, by: str) -> Layer:
    def lay(root: Path) -> Right:
        names = "refcoco/refs(unc).p", "refcoco/instances.json"
        published, instances = only(write_refcoco(root), *names)
        references = [one for one in pickle.loads(published.read_bytes()) if one["split"] == "val"]
        images = {one["image_id"] for one in references}
        drawn = json.loads(instances.read_text())
        boxes = [box for box in drawn["annotations"] if box["image_id"] in images]
        mine = [image for image in drawn["images"] if image["id"] in images]
        instances.write_text(json.dumps({"images": mine, "annotations": boxes}))
        published.unlink()
        (root / f"refcoco/refs({by}).p").write_bytes(pickle.dumps(references, protocol=2))
        (root / "refcoco").rename(root / folder)
        right = {}
        for one in references:
            there = [box["id"] for box in boxes if box["image_id"] == one["image_id"]]
            place = there.index(one["ann_id"])
            right |= {sentence["sent_id"]: place for sentence in one["sentences"]}
        return right

    return lay


def retrieval(name: str) -> Layer:
    def lay(root: Path) -> Right:
        [file] = only(write_karpathy(root, name), f"dataset_{name}.json")
        images = json.loads(file.read_text())["images"]
        kept = [image for image in images if image["split"] == "test"]
        file.write_text(json.dumps({"images": kept, "dataset": name}))
        return {image.get("cocoid", image["filename"]): image["sentids"] for image in kept}

    return lay


def glue(folder: str, name: str = "dev.tsv") -> Layer:
    """Of a subtask whose label stands last, or second in CoLA, which has no header."""

    def lay(root: Path) -> Right:
        [file] = only(write_glue(root), f"{folder}/{name}")
        rows = [row.split("\t") for row in file.read_text("utf-8").splitlines()]
        said = [row[1] for row in rows] if folder == "CoLA" else [row[-1] for row in rows[1:]]
        return dict(enumerate(said))

    return lay


def mrpc(root: Path) -> Right:
    names = "MRPC/msr_paraphrase_train.txt", "MRPC/mrpc_dev_ids.tsv"
    published, chosen = only(write_glue(root), *names)
    ids = chosen.read_text().splitlines()
    rows = [row.split("\t") for row in published.read_text("utf-8").splitlines()[1:]]
    return dict(enumerate(row[0] for row in rows if "\t".join(row[1:3]) in ids))


def diagnostic(root: Path) -> Right:
    words = ("entailment", "neutral", "contradiction")
    rows = [f"premise {number}\thypothesis\t{words[number % 3]}" for number in range(7)]
    (root / "diagnostic").mkdir(parents=True)
    text = "\n".join(["Premise\tHypothesis\tLabel", *rows]) + "\n"
    (root / "diagnostic/diagnostic-full.tsv").write_text(text)
    return {number: words[number % 3] for number in range(7)}


def cifar(classes: int) -> Layer:
    def lay(root: Path) -> Right:
        ten = classes == 10
        home = root / ("cifar-10-batches-py" if ten else "cifar-100-python")
        home.mkdir(parents=True)
        batch, meta = ("test_batch", "batches.meta") if ten else ("test", "meta")
        names = [f"class {number}" for number in range(classes)]
        labels = [7 * number % classes for number in range(5)]
        pixels = np.zeros((5, 3072), np.uint8)
        said = {"data": pixels, "labels" if ten else "fine_labels": labels}
        (home / batch).write_bytes(pickle.dumps(said))
        called = "label_names" if ten else "fine_label_names"
        (home / meta).write_bytes(pickle.dumps({called: names}))
        return {f"{batch}/{number}": names[label] for number, label in enumerate(labels)}

    return lay


def table(column: str, *values: Any) -> Layer:
    """Of data of one's own, of which a table says what is right and nothing else."""

    def lay(root: Path) -> Right:
        root.mkdir(parents=True)
        rows = [f"n{number},{value}" for number, value in enumerate(values)]
        (root / "test.csv").write_text("\n".join([f"name,{column}", *rows]) + "\n")
        return {f"n{number}": value for number, value in enumerate(values)}

    return lay


def folders(root: Path) -> Right:
    """Of a folder a class, which has no other file that says what is right than images."""
    right = {}
    for number, name in enumerate(("cat", "dog", "cat")):
        draw(root / "test" / name / f"{number}.png", 40 * number)
        right[f"{name}/{number}.png"] = name
    return right


def easy_vqa(root: Path) -> Right:
    [file] = only(write_easy_vqa(root), "test/questions.json")
    return {number: answer for number, (_, answer, _) in enumerate(json.loads(file.read_text()))}


def nlvr(root: Path) -> Right:
    [file] = only(write_nlvr(root), "dev/dev.json")
    return dict(enumerate(row["label"] for row in lines_of(file) for _ in range(6)))

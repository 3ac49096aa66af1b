"""Where a box lies, read beside the crop: what says left and right is then answered."""

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from renaissance.compiler import build, plan
from renaissance.grammar.diff import diff_specs
from renaissance.grammar.schema.jobs import Evaluate, Finetune
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime.data import job_data
from renaissance.runtime.optimizers.adamw.schema import AdamW
from renaissance.runtime.tasks.refcoco.schema import RefCoco
from renaissance.runtime.tasks.referring import coordinates_of
from tests.runs import run_in_two, train
from tests.tiny import tiny_model


def write_sides(root: Path) -> Path:
    """Write photographs of two boxes that look the same, of which one is meant by its side."""
    home, folder = root / "refcoco", root / "images/mscoco/images/train2014"
    home.mkdir(parents=True)
    folder.mkdir(parents=True)
    images, annotations, references = [], [], []
    for number, split in enumerate(("train",) * 4 + ("val", "testA", "testA", "testB")):
        image, name = 100 + number, f"COCO_train2014_{100 + number:012d}.jpg"
        Image.fromarray(np.full((20, 40, 3), 90, np.uint8)).save(folder / name)
        images.append({"id": image, "file_name": name, "width": 40, "height": 20})
        for place, left in enumerate((1, 25)):
            box = [left, 4, 10, 10]
            annotations.append({"id": 10 * image + place, "image_id": image, "bbox": box})
            text = ("left one", "right one")[place]
            references.append(
                {
                    "ref_id": 2 * number + place,
                    "ann_id": 10 * image + place,
                    "image_id": image,
                    "category_id": 1,
                    "split": split,
                    "file_name": "none.jpg",
                    "sent_ids": [2 * number + place],
                    "sentences": [
                        {
                            "sent_id": 2 * number + place,
                            "raw": text,
                            "sent": text,
                            "tokens": text.split(),
                        }
                    ],
                }
            )
    (home / "instances.json").write_text(json.dumps({"images": images, "annotations": annotations}))
    (home / "refs(unc).p").write_bytes(pickle.dumps(references, protocol=2))
    return root


def spec_of(root: Path, *, coordinates: bool, steps: int = 40) -> Spec:
    learn = Finetune(
        name="learn",
        on="tiny",
        task=RefCoco(root=str(root), coordinates=coordinates),
        optimizer=AdamW(lr=1e-2),
        batch=4,
        micro_batch=2,
        steps=steps,
    )
    exam = Evaluate(name="exam", of="learn", split="testA", batch=3, write="exam.jsonl")
    return Spec(models={"tiny": tiny_model(dropout=0.0)}, jobs={"learn": learn, "exam": exam})


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sides(tmp_path_factory.mktemp("sides"))


def accuracy(folder: Path) -> float:
    found: float = json.loads((folder / "exam/result.json").read_text())["metrics"]["accuracy"]
    return found


def test_sides_are_learned_with_coordinates_alone(root: Path, tmp_path: Path) -> None:
    for coordinates, share in ((True, 1.0), (False, 0.5)):
        folder = tmp_path / str(coordinates)
        train(spec_of(root, coordinates=coordinates), folder)
        assert accuracy(folder) == share
    run_in_two(spec_of(root, coordinates=True), tmp_path / "two")
    assert accuracy(tmp_path / "two") == 1.0


def test_numbers_of_each_box_stand_beside_its_pair(root: Path) -> None:
    data = job_data(spec_of(root, coordinates=True), "learn")
    batches = next(data.train(0, 0, 1))
    for batch in batches:
        items = batch.items["answer"]
        wanted = [[1 / 40, 4 / 20, 11 / 40, 14 / 20, 1 / 8], [25 / 40, 0.2, 35 / 40, 0.7, 1 / 8]]
        expected = torch.tensor(wanted).repeat(batch.rows, 1)
        torch.testing.assert_close(items.numbers, expected)
    plain = next(job_data(spec_of(root, coordinates=False), "learn").train(0, 0, 1))
    assert plain[0].items["answer"].numbers is None


def test_the_head_is_wider_in_plan_and_model_and_diff_says_so(root: Path) -> None:
    plain, with_places = (spec_of(root, coordinates=value) for value in (False, True))
    counts = []
    for spec in (plain, with_places):
        model = build(spec, job="learn")
        counts.append(sum(part.numel() for part in model.parameters()))
        [planned] = [job for job in plan(spec).jobs if job.name == "learn"]
        assert planned.model.parameters.total == counts[-1]
    [width] = {part.inner.out_features for part in (build(plain, job="learn").heads["answer"],)}
    assert counts[1] - counts[0] == 5 * width
    [block] = [block for block in diff_specs(plain, with_places).blocks if block.changes]
    [change] = block.changes
    assert (change.address, change.old, change.new) == ("task.coordinates", "false", "true")
    assert change.impact == "weights" and plain.hash != with_places.hash


def test_coordinates_are_shares_of_the_photograph() -> None:
    assert coordinates_of((0, 0, 40, 20), (0, 0, 40, 20)) == (0, 0, 1, 1, 1)
    assert coordinates_of((10, 5, 20, 10), (0, 0, 40, 20)) == (0.25, 0.25, 0.75, 0.75, 0.25)

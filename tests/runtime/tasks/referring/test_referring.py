"""Referring expressions from the published layout to a file of choices, and back."""

import json
import os
import pickle
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from renaissance.grammar.kinds.head import UNKNOWN
from renaissance.grammar.kinds.registry import facet
from renaissance.grammar.schema.jobs import Evaluate, Finetune
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime.crops import crop_path, cropped, whole_and_box
from renaissance.runtime.data import images as of_images
from renaissance.runtime.data.decode import decode
from renaissance.runtime.data.errors import DataError
from renaissance.runtime.data.expected_sizes import expected
from renaissance.runtime.data.parts import parts_of
from renaissance.runtime.data.reading import read_task
from renaissance.runtime.evaluation.scoring import score
from renaissance.runtime.optimizers.adamw.schema import AdamW
from renaissance.runtime.tasks.refcoco.schema import RefCoco
from renaissance.runtime.tasks.refcoco_plus.schema import RefCocoPlus
from renaissance.runtime.tasks.refcocog.schema import RefCocoG
from renaissance.runtime.tasks.referring import intersection_over_union
from tests.published import published_samples
from tests.published_referring import SPLITS, write_refcoco
from tests.runs import run_in_two, train
from tests.tiny import tiny_model


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A finished run, and what it read."""

    root: Path
    spec: Spec
    folder: Path

    def metrics(self, job: str) -> dict[str, float]:
        found: dict[str, float] = json.loads((self.folder / job / "result.json").read_text())[
            "metrics"
        ]
        return found


def spec_of(root: Path, steps: int, **task: Any) -> Spec:
    learn = Finetune(
        name="learn",
        on="tiny",
        task=RefCoco(root=str(root), **task),
        optimizer=AdamW(lr=1e-2),
        batch=6,
        micro_batch=3,
        steps=steps,
    )
    exams = {
        name: Evaluate(name=name, of="learn", split=split, batch=batch, write=f"{name}.jsonl")
        for name, split, batch in (("a", "testA", 4), ("b", "testB", 8), ("by_one", "testA", 1))
    }
    return Spec(models={"tiny": tiny_model(dropout=0.0)}, jobs={"learn": learn, **exams})


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    home = tmp_path_factory.mktemp("refcoco")
    root = write_refcoco(home / "data")
    spec, folder = spec_of(root, 30), home / "run"
    train(spec, folder)
    return Trained(root=root, spec=spec, folder=folder)


def test_something_is_learned_and_the_file_says_the_same(trained: Trained) -> None:
    for job, split, rows in (("a", "testA", 6), ("b", "testB", 4)):
        metrics = trained.metrics(job)
        assert metrics.pop("loss") > 0
        found = score(RefCoco(root=str(trained.root)), trained.folder / f"{job}.jsonl", split)
        assert found.metrics == pytest.approx(metrics) and found.rows == rows
        lines = [
            json.loads(line) for line in (trained.folder / f"{job}.jsonl").read_text().splitlines()
        ]
        right = [line["pred_box"] == line["tgt_box"] for line in lines]
        assert metrics["accuracy"] == pytest.approx(sum(right) / rows)
        assert 0.25 < metrics["chance"] < 1 / 3
    assert trained.metrics("a")["accuracy"] > 0.6


def test_batches_and_processes_change_nothing(trained: Trained, tmp_path: Path) -> None:
    alone = (trained.folder / "a.jsonl").read_bytes()
    assert (trained.folder / "by_one.jsonl").read_bytes() == alone
    assert trained.metrics("by_one") == pytest.approx(trained.metrics("a"), abs=1e-6)
    folder = Path(shutil.copytree(trained.folder, tmp_path / "run"))
    shutil.rmtree(folder / "a")
    (folder / "a.jsonl").unlink()
    run_in_two(trained.spec, folder, "a")
    assert (folder / "a.jsonl").read_bytes() == alone


def test_a_photograph_is_decoded_once_for_its_boxes(
    trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded: list[str] = []
    plain = of_images.as_stored

    def count(path: str) -> np.ndarray:
        decoded.append(path)
        return plain(path)

    monkeypatch.setattr(of_images, "as_stored", count)
    folder = Path(shutil.copytree(trained.folder, tmp_path / "run"))
    train(trained.spec, folder, "a", again=True)
    assert len(decoded) == len(set(decoded)) == 3


def test_candidates_are_all_drawn_boxes_of_the_photograph(tmp_path: Path) -> None:
    task = RefCoco(root=str(write_refcoco(tmp_path)))
    table = read_task(task, "testA")
    assert table.texts.to_pylist()[:2] == ["the dark one", "dark"]
    assert table.column("id").to_pylist() == [16, 17, 18, 19, 20, 21]
    assert [len(boxes) for boxes in table.column("boxes").to_pylist()] == [3, 3, 4, 4, 3, 3]
    targets = facet(task, "reader").targets(task, table, ())
    rows = np.arange(6)
    assert targets.of(rows).tolist() == [0, 0, 1, 1, 1, 1]
    for row, place in enumerate(targets.of(rows).tolist()):
        image = table.column("candidates")[row].as_py()[place]
        assert whole_and_box(table.path(image))[1] == tuple(table.column("box")[row].as_py())
    credit = targets.credit(rows, targets.of(rows))
    assert credit.tolist() == [1.0] * 6
    assert targets.credit(rows, np.full(6, 99)).tolist() == [0.0] * 6


def test_found_boxes_are_right_that_share_half(tmp_path: Path) -> None:
    root = write_refcoco(tmp_path)
    task = RefCoco(root=str(root), boxes="given")
    table = read_task(task, "testB")
    targets = facet(task, "reader").targets(task, table, ())
    assert (targets.of(np.arange(4)) != UNKNOWN).all()
    file = root / "refcoco/detections.json"
    # Half as wide is enough; a little less is not. The third box is meant in all but the last.
    for width, missed in ((4.5, 2), (4.4, 4)):
        found = [{"image_id": 100 + n, "box": [20, 2, width, 16]} for n in range(len(SPLITS) - 1)]
        file.write_text(json.dumps({"dets": found}))
        table = read_task(task, "testB")
        targets = facet(task, "reader").targets(task, table, ())
        assert targets.impossible(np.arange(4)) == missed
    # Nothing was found in the last photograph, so that all of it is what can be chosen.
    assert table.column("boxes")[3].as_py() == [[0, 0, 40, 20]]
    # It is learned on drawn boxes all the same.
    assert len(read_task(task, "train").column("boxes")[0]) == 3


def test_boxes_in_common() -> None:
    assert intersection_over_union((0, 0, 10, 10), (0, 0, 10, 10)) == 1
    assert intersection_over_union((0, 0, 10, 10), (5, 0, 10, 10)) == pytest.approx(1 / 3)
    assert intersection_over_union((0, 0, 10, 10), (0, 0, 10, 5)) == pytest.approx(0.5)
    assert intersection_over_union((0, 0, 10, 10), (10, 0, 10, 10)) == 0
    assert intersection_over_union((3, 3, 0, 0), (3, 3, 0, 0)) == 1


def test_parts_of_images(tmp_path: Path) -> None:
    pixels = np.arange(20 * 40 * 3, dtype=np.uint32).reshape(20, 40, 3).astype(np.uint8)
    path = str(tmp_path / "whole#1.png")
    Image.fromarray(pixels).save(path)
    assert (decode(crop_path(path, (3, 4, 5, 6))) == pixels[4:10, 3:8]).all()
    assert whole_and_box(path) == (path, None)
    assert whole_and_box(crop_path(path, (0.25, 1, 2, 3))) == (path, (0.25, 1, 2, 3))
    assert cropped(pixels, (39.4, 19.5, 0.5, 0.4)).shape == (1, 1, 3)
    assert cropped(pixels, (-5, -5, 1e9, 1e9)).shape == pixels.shape
    assert cropped(pixels, (100, 100, 1, 1)).shape == (1, 1, 3)


def test_boxes_are_those_of_the_image_as_it_is_stored(tmp_path: Path) -> None:
    pixels = np.zeros((20, 40, 3), np.uint8)
    pixels[:10, :10] = 255
    exif = Image.Exif()
    exif[0x0112] = 6
    path = str(tmp_path / "turned.png")
    Image.fromarray(pixels).save(path, exif=exif)
    assert decode(path).shape == (40, 20, 3)
    assert (decode(crop_path(path, (0, 0, 10, 10))) == 255).all()


class Program:
    def __reduce__(self) -> Any:
        return os.system, ("touch /tmp/run-by-a-pickle",)


def test_a_pickle_runs_nothing(tmp_path: Path) -> None:
    root = write_refcoco(tmp_path)
    (root / "refcoco/refs(unc).p").write_bytes(pickle.dumps([Program()]))
    with pytest.raises(DataError, match=r"no pickle of references: it asks for `\w+\.system`"):
        read_task(RefCoco(root=str(root)), "val")
    assert not Path("/tmp/run-by-a-pickle").exists()


def test_the_published_record(tmp_path: Path) -> None:
    """A pickle of Python 2, whose texts are bytes and whose references have no box."""
    samples = published_samples("refcoco")
    home = tmp_path / "data/refcoco"
    home.mkdir(parents=True)
    shutil.copy(samples / "refs(unc).p", home)
    shutil.copy(samples / "instances.sample.json", home / "instances.json")
    table = read_task(RefCoco(root=str(tmp_path)), "train")
    assert table.texts.to_pylist() == [
        "the lady with the blue shirt",
        "lady with back to us",
        "blue shirt",
    ]
    assert table.column("box")[0].as_py() == [103.93, 299.99, 134.22, 177.42]
    assert table.path(0).endswith("train2014/COCO_train2014_000000581857.jpg")


def test_splits_by_who_made_them() -> None:
    splits = {
        (task.folder, task.made_by): tuple(task.splits())
        for task in (
            RefCoco(root=""),
            RefCoco(root="", by="google"),
            RefCocoPlus(root=""),
            RefCocoG(root=""),
            RefCocoG(root="", by="google"),
        )
    }
    assert splits == {
        ("refcoco", "unc"): ("train", "val", "testA", "testB", "validation"),
        ("refcoco", "google"): ("train", "val", "test", "validation"),
        ("refcoco+", "unc"): ("train", "val", "testA", "testB", "validation"),
        ("refcocog", "umd"): ("train", "val", "test", "validation"),
        ("refcocog", "google"): ("train", "val", "validation"),
    }


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("refs(unc).p", None, "refer says where the files"),
        ("refs(unc).p", b"no pickle", "is no pickle of references"),
        ("refs(unc).p", pickle.dumps({}), "holds no list of references"),
        ("refs(unc).p", pickle.dumps([{"split": "val"}]), "reference 0 of .* has no 'image_id'"),
        ("refs(unc).p", pickle.dumps([3]), "reference 0 of .* is none"),
        ("instances.json", None, "refer says where the files"),
        ("instances.json", b"{", "is no JSON"),
        ("instances.json", b"[]", "is no file of COCO's instances"),
        ("instances.json", b'{"images": []}', "of COCO's instances: 'annotations' is missing"),
        ("instances.json", b'{"images": [], "annotations": []}', "means annotation 106001"),
    ],
)
def test_a_wrong_file_is_one_sentence(
    tmp_path: Path, name: str, content: bytes | None, problem: str
) -> None:
    file = write_refcoco(tmp_path) / "refcoco" / name
    file.unlink()
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(DataError, match=problem) as error:
        read_task(RefCoco(root=str(tmp_path)), "val")
    assert str(file) in str(error.value) or "instances.json" in str(error.value)
    assert "\n" not in str(error.value)


def test_how_to_get_it_says_what_is_missing(tmp_path: Path) -> None:
    task = RefCoco(root=str(write_refcoco(tmp_path)))
    how = facet(task, "how").how(task)
    assert list(how.missing()) == [] and how.sizes["testA"].texts == 5657
    (tmp_path / "refcoco/refs(unc).p").unlink()
    assert [place.path for place in how.missing()] == ["refcoco/refs(unc).p"]
    google = RefCoco(root=str(tmp_path), by="google")
    assert next(facet(google, "how").how(google).missing()).path == "refcoco/refs(google).p"
    assert facet(google, "how").how(google).sizes["val"].images == 4559


def test_parts_of_photographs_are_no_photographs(tmp_path: Path) -> None:
    spec = spec_of(write_refcoco(tmp_path), 1)
    [found] = expected(spec, learned(spec), parts_of(spec)["learn"], "testA")
    assert (found.found_texts, found.found_images, found.images) == (6, 3, 750)


def learned(spec: Spec) -> Finetune:
    job = spec.jobs["learn"]
    assert isinstance(job, Finetune)
    return job


def test_published_boxes_are_what_is_chosen_among(tmp_path: Path) -> None:
    """Six boxes of one photograph; each is right for itself alone."""
    drawn = json.loads((published_samples("refcoco") / "coco_instances_39769.json").read_text())
    home = tmp_path / "refcoco"
    home.mkdir()
    image = {"id": 39769, "file_name": "a.jpg", "width": 640, "height": 480}
    (home / "instances.json").write_text(json.dumps({"images": [image], "annotations": drawn}))
    references = [
        {
            "ann_id": one["id"],
            "image_id": 39769,
            "split": "val",
            "sentences": [{"sent_id": place, "sent": "it", "raw": "it"}],
        }
        for place, one in enumerate(drawn)
    ]
    (home / "refs(unc).p").write_bytes(pickle.dumps(references, protocol=2))
    task = RefCoco(root=str(tmp_path))
    lines = [{"id": place, "prediction": place} for place in range(len(drawn))]
    found = score(task, said_in(tmp_path, lines), "val").metrics
    assert found == {"accuracy": 1.0, "chance": pytest.approx(1 / 6)}
    boxes: list[dict[str, Any]] = [
        {"sent_id": place, "pred_box": one["bbox"]} for place, one in enumerate(drawn)
    ]
    assert score(task, said_in(tmp_path, boxes), "val").metrics == {"accuracy": 1.0}


def lines_of_boxes(root: Path, **more: Any) -> list[dict[str, Any]]:
    """Return what the field writes about `testB`, right everywhere."""
    table = read_task(RefCoco(root=str(root)), "testB")
    ids, boxes = table.column("id").to_pylist(), table.column("box").to_pylist()
    return [{"sent_id": row, "pred_box": box} | more for row, box in zip(ids, boxes, strict=True)]


def said_in(folder: Path, lines: list[dict[str, Any]]) -> Path:
    file = folder / "said.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return file


def test_a_box_that_shares_half_is_right(tmp_path: Path) -> None:
    root = write_refcoco(tmp_path / "data")
    task = RefCoco(root=str(root))
    lines = lines_of_boxes(root)
    found = score(task, said_in(tmp_path, lines), "testB")
    # Nothing is chosen, so that nothing is chosen by chance.
    assert (found.metrics, found.rows) == ({"accuracy": 1.0}, 4) and found.remarks == ()
    assert found.protocol is not None and found.protocol.startswith("boxes are given")
    left, top, width, height = lines[0]["pred_box"]
    lines[0]["pred_box"] = [left, top, width / 2, height]
    lines[1] = {"id": lines[1]["sent_id"], "prediction": [left, top, width / 2 - 0.1, height]}
    lines[2]["pred_box"] = [-5, 1e308, 1e308, -1e308]
    lines[3]["pred_box"] = None
    file = said_in(tmp_path, lines)
    assert score(task, file, "testB").metrics == {"accuracy": 0.25}
    file.write_text(json.dumps(lines, indent=1))
    found = score(task, file, "testB")
    assert found.metrics == {"accuracy": 0.25}
    assert found.remarks == (
        "1 of 4 rows have no prediction and count as wrong; the first is `25` (entry 4)",
    )


def test_boxes_of_a_file_of_ones_own_are_worth_what_its_places_are(
    trained: Trained, tmp_path: Path
) -> None:
    written = (trained.folder / "a.jsonl").read_text().splitlines()
    lines = [json.loads(line) for line in written]
    task = RefCoco(root=str(trained.root))
    places = score(task, said_in(tmp_path, lines), "testA")
    assert places.protocol is not None and places.protocol.startswith("chosen among all annotated")
    for line in lines:
        del line["prediction"]
    boxes = score(task, said_in(tmp_path, lines), "testA")
    assert boxes.metrics == {"accuracy": places.metrics["accuracy"]}


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ({"prediction": 1}, "line 2 predicts the place of one and line 1 a box; places and boxes"),
        ({"prediction": [1, 2, 3]}, r"line 2 predicts `\[1, 2, 3\]`, which is no box of four fi"),
        ({"prediction": [1, 2, 3, float("nan")]}, "which is no box of four finite numbers: left"),
        ({"prediction": [1, 2, 3, 10**400]}, "which is no box of four finite numbers"),
        ({"prediction": [1, 2, 3, "4"]}, "which is no box of four finite numbers"),
        ({"prediction": [1, 2, 3, True]}, "which is no box of four finite numbers"),
        ({"prediction": {}}, "line 2 predicts neither a place nor a box"),
        ({"sent_id": 1.5}, "line 2 has an `id` that is neither a text nor a whole number"),
    ],
)
def test_a_wrong_box_is_one_sentence(tmp_path: Path, line: dict[str, Any], problem: str) -> None:
    root = write_refcoco(tmp_path / "data")
    lines = lines_of_boxes(root)
    lines[1] |= line
    with pytest.raises(DataError, match=problem) as error:
        score(RefCoco(root=str(root)), said_in(tmp_path, lines), "testB")
    assert "\n" not in str(error.value) and "wanted: JSON Lines" in str(error.value)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("{", "line 1 is no JSON: {"),
        ("[", "begins as a list, and is no JSON"),
        ("3", "line 1 is no"),
    ],
)
def test_a_file_of_another_form_is_one_sentence(tmp_path: Path, content: str, problem: str) -> None:
    (tmp_path / "said").write_text(content)
    root = write_refcoco(tmp_path / "data")
    with pytest.raises(DataError, match=problem):
        score(RefCoco(root=str(root)), tmp_path / "said", "testB")

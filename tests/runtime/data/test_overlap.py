"""Images that are learned from and measured on."""

import json
from pathlib import Path
from typing import Any

import pytest

from renaissance.cli import main
from renaissance.data_overlap import consequence
from renaissance.grammar import load
from renaissance.runtime.data.leaks import Leak
from renaissance.runtime.data.overlap import Overlap, measured_splits, overlaps
from tests.published import draw, json_lines, write_vqav2
from tests.published_pairs import (
    write_coco_captions,
    write_karpathy_coco,
    write_karpathy_flickr,
    write_visual_genome,
)
from tests.tiny import write_nlvr

MODEL = """
model tiny {
  backbone text   = plain_text { layers = 1, width = 8, heads = 1, max_tokens = 16 }
  backbone vision = plain_vision { layers = 1, width = 8, heads = 1, image_size = 8, patch = 4 }
  fusion cross = cross_attention(text, vision)
}
"""


def write_spec(path: Path, data: dict[str, str], task: str, split: str = "test") -> Path:
    """Write a spec that pretrains on some data, learns a task and measures it."""
    blocks = "".join(f"data {name} {{ {keys} }}\n" for name, keys in data.items())
    keys = "optimizer adamw { lr = 1e-3 }\n  batch = 4\n  epochs = 1\n"
    path.write_text(
        f"{MODEL}{blocks}"
        f"pretrain base on tiny {{\n  data = [{', '.join(data)}]\n  objective itm\n  {keys}}}\n"
        f"finetune learn from base {{\n  task = {task}\n  {keys}}}\n"
        f"evaluate measure of learn {{ split = {split} }}\n"
    )
    return path


def found(path: Path, capsys: pytest.CaptureFixture[str]) -> dict[tuple[str, str], dict[str, Any]]:
    """Return what the command says as JSON, by source and split."""
    assert main(["data", str(path), "--overlap", "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    return {(one["train"], one["eval"]): one for one in document["overlaps"]}


@pytest.fixture
def sets(tmp_path: Path) -> Path:
    """VQA v2, whose val images are in COCO's captions and, two of them, in Visual Genome."""
    write_vqav2(tmp_path / "vqa")
    write_karpathy_coco(tmp_path / "coco", {20: "restval", 21: "test", 22: "val", 0: "train"})
    write_visual_genome(tmp_path / "vg", {1: 21, 2: 24, 3: None})
    return tmp_path


def block(root: Path, name: str, **keys: str) -> str:
    said = "".join(f", {key} = {value}" for key, value in keys.items())
    return f'format = {name}, root = "{root}"{said}'


def test_by_number_of_coco(sets: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = {
        "coco": block(sets / "coco", "karpathy", split="train_restval"),
        "regions": block(sets / "vg", "visual_genome"),
    }
    task = f'vqav2 {{ root = "{sets / "vqa"}", answers = 4, min_count = 1, validation = 20% }}'
    path = write_spec(sets / "mine.vl", data, task, "val")
    shared = found(path, capsys)
    assert set(shared) == {
        (train, eval)
        for train in ("coco", "regions", "learn.train")
        for eval in ("learn.validation", "measure")
    }
    coco = shared["coco", "measure"]
    assert (coco["images"], coco["eval_images"], coco["rows"]) == (1, 5, 4)
    assert (coco["by"], coco["undecided"]) == ("coco", 0)
    regions = shared["regions", "measure"]
    assert (regions["images"], regions["rows"], regions["undecided"]) == (2, 8, 0)
    assert shared["learn.train", "measure"]["images"] == 0
    assert main(["data", f"{path}:learn"]) == 0
    assert "  unanswered  6 texts left out: no answer that" in capsys.readouterr().out
    assert main(["data", f"{path}:measure", "--overlap"]) == 0
    printed = capsys.readouterr().out
    said = (
        "2 of the 5 images of `measure` are in `regions` by COCO's number, 8 of its 20 rows (40.0%)"
    )
    follows = (
        "same image, other text, which is allowed; `exclude` of data `regions` leaves them out"
    )
    assert f"{said}: {follows}\n" in printed
    assert "validation" not in printed


def test_what_check_refuses_is_shown_all_the_same(
    sets: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = {"coco": block(sets / "coco", "karpathy", split="val")}
    task = f'vqav2 {{ root = "{sets / "vqa"}", answers = 4, min_count = 1 }}'
    path = write_spec(sets / "mine.vl", data, task, "train")
    assert main(["data", str(path), "--overlap"]) == 1
    printed = capsys.readouterr()
    assert "error[VL505]: split `train` was trained on" in printed.err
    own, before = (
        next(line for line in printed.out.splitlines() if line.startswith(start))
        for start in ("8 of the 8 images of `measure`", "1 of the 5 images of `learn.validation`")
    )
    assert own.endswith("same text in 24 of 24 rows (100.0%), an error in `plan` and `train`")
    # What a job starts from leaves out by itself what selects its checkpoint.
    assert before.endswith("4 of its 20 rows (20.0%): job `base` leaves these rows out")
    assert main(["data", str(path)]) == 1
    assert "VL505" in capsys.readouterr().err


def test_of_a_share_that_is_held_out_nobody_leaves_out_more(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # Two drawings are equal, of scenes of which one selects: other sentences are said of them.
    root = write_nlvr(tmp_path / "nlvr", {"train": 12})
    drawings = sorted((root / "train/images/4").glob("*.png"))
    for drawing in drawings:
        drawing.write_bytes(drawings[0].read_bytes())
    data = {"own": f'format = nlvr, root = "{root}", split = train'}
    task = f'nlvr {{ root = "{root}", validation = 20% }}'
    path = write_spec(tmp_path / "mine.vl", data, task, "validation")
    one = found(path, capsys)["learn.train", "learn.validation"]
    assert (one["images"], one["repeated"], one["withheld"]) == (one["eval_images"], 0, False)
    assert one["consequence"] == "same image, other text, which is allowed"


def test_what_is_excluded_is_left_out(sets: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = {"regions": block(sets / "vg", "visual_genome", exclude='[measure, "learn.test"]')}
    task = f'vqav2 {{ root = "{sets / "vqa"}", answers = 4, min_count = 1, validation = 20% }}'
    path = write_spec(sets / "mine.vl", data, task, "val")
    assert found(path, capsys)["regions", "measure"]["images"] == 0
    assert main(["data", f"{path}:base"]) == 0
    assert "excluded    4 texts about images of `measure`" in capsys.readouterr().out
    assert main(["plan", str(path), "--format", "json"]) == 0
    planned = json.loads(capsys.readouterr().out)
    assert [one["job"] for one in planned["mixtures"]] == ["base"] and planned["overlaps"] == []
    assert main(["compile", str(path), "--job", "base", "-o", str(sets / "out")]) == 1
    assert "`regions` excludes what `measure` is measured on" in capsys.readouterr().err


def test_plans_refuse_data_of_which_nothing_is_left(
    sets: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = {
        "coco": block(sets / "coco", "karpathy", split="train"),
        "held": block(sets / "coco", "karpathy", split="test", exclude="[measure]"),
    }
    path = write_spec(sets / "mine.vl", data, f'retrieval {{ root = "{sets / "coco"}" }}', "test")
    assert main(["plan", str(path), "--format", "json"]) == 1
    [failure] = json.loads(capsys.readouterr().out)["failures"]
    assert failure["message"] == "`exclude` leaves nothing of `held`"


def test_plans_say_what_an_epoch_shows(sets: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = {
        "coco": block(sets / "coco", "karpathy", split="train", weight="2"),
        "regions": block(sets / "vg", "visual_genome"),
    }
    task = f'vqav2 {{ root = "{sets / "vqa"}", answers = 4, min_count = 1, validation = 20% }}'
    path = write_spec(sets / "mine.vl", data, task, "val")
    assert main(["plan", str(path)]) == 0
    printed = capsys.readouterr().out
    assert "2 of 5 images of `measure` are in `regions`, 8 of 20 rows" in printed
    assert "an epoch of job `base` shows" in printed and "`coco` (3 texts × 2)" in printed
    assert main(["data", f"{path}:base"]) == 0
    assert "coco: 3 texts, each 2 times an epoch" in capsys.readouterr().out


def test_by_content_where_nothing_else_tells(
    sets: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copied = (sets / "vqa/val2014/COCO_val2014_000000000020.jpg").read_bytes()
    (sets / "own").mkdir()
    (sets / "own/a.jpg").write_bytes(copied)
    draw(sets / "own/b.jpg", 250)
    json_lines(sets / "own/pairs.jsonl", [{"image": f"{n}.jpg", "caption": n} for n in "ab"])
    data = {"own": f'format = image_caption, table = "{sets / "own/pairs.jsonl"}"'}
    task = f'vqav2 {{ root = "{sets / "vqa"}", answers = 4, min_count = 1, validation = 20% }}'
    path = write_spec(sets / "mine.vl", data, task, "val")
    own = found(path, capsys)["own", "measure"]
    assert (own["images"], own["by"], own["undecided"]) == (1, "digest", 0)
    (sets / "own/b.jpg").unlink()
    assert found(path, capsys)["own", "measure"]["undecided"] == 4
    assert main(["data", str(path), "--overlap"]) == 0
    told = "; of 4 images it cannot be told: files of theirs or of `own` cannot be read"
    assert told in capsys.readouterr().out
    plain = next(o for o in overlaps(load(path), digests=False) if o.train == "own")
    assert (plain.images, plain.undecided) == (0, plain.eval_images)


def test_by_number_of_flickr(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photographs = [str(1000092795 + number) for number in range(6)]
    write_karpathy_flickr(
        tmp_path / "karpathy", {p: "val" if n % 2 else "train" for n, p in enumerate(photographs)}
    )
    root = tmp_path / "ve"
    for split, chosen in (("train", photographs[4:]), ("dev", photographs[2:5]), ("test", ["7"])):
        rows = [
            {
                "Flickr30K_ID": photograph,
                "pairID": f"{photograph}.jpg#0r1c",
                "gold_label": "neutral",
                "sentence1": "A dog.",
                "sentence2": f"It sleeps {k}.",
                "annotator_labels": ["neutral"],
            }
            for photograph in chosen
            for k in range(2)
        ]
        json_lines(root / f"snli_ve_{split}.jsonl", rows)
    (root / "flickr30k-images").mkdir()
    data = {"captions": block(tmp_path / "karpathy", "karpathy", set="flickr30k", split="val")}
    path = write_spec(tmp_path / "mine.vl", data, f'snli_ve {{ root = "{root}" }}', "dev")
    shared = found(path, capsys)
    for name in ("learn.validation", "measure"):
        one = shared["captions", name]
        assert (one["images"], one["eval_images"], one["rows"]) == (1, 3, 2)
        assert (one["by"], one["undecided"]) == ("flickr", 0)


def test_photographs_of_coco_at_flickr(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_coco_captions(tmp_path / "coco", [20, 21, 9])
    write_visual_genome(tmp_path / "vg", dict.fromkeys((1, 2)), {1: 8119300020})
    write_vqav2(tmp_path / "vqa")
    data = {
        "coco": block(tmp_path / "coco", "coco_captions", split="val2014"),
        "vg": block(tmp_path / "vg", "visual_genome"),
    }
    task = f'vqav2 {{ root = "{tmp_path / "vqa"}", answers = 4, min_count = 1, validation = 20% }}'
    path = write_spec(tmp_path / "mine.vl", data, task, "val")
    shared = found(path, capsys)
    assert shared["coco", "measure"]["images"] == 2
    # Visual Genome says which of its photographs are of COCO: none here.
    assert (shared["vg", "measure"]["images"], shared["vg", "measure"]["undecided"]) == (0, 0)


def test_rows_that_are_held_out_are_no_part_of_a_leak(tmp_path: Path) -> None:
    task = 'vqav2 { root = "vqa", answers = 4, min_count = 1 }'
    spec = load(
        write_spec(tmp_path / "mine.vl", {"own": 'format = sbu, root = "sbu"'}, task, "val")
    )
    shared = Overlap(train="own", job="base", eval="measure", use="report", repeated=9, eval_rows=9)
    [*_, measured] = measured_splits(spec)
    for count, held in ((9, ""), (7, "2 of which are held out of what job `base` learns from, ")):
        leak = Leak(job="base", blocks=("own",), measured=measured, repeated=count, rows=9)
        said = consequence(spec, shared, {"measure": leak})
        assert f"same text in 9 of 9 rows (100.0%), {held}an error in `plan`" in said

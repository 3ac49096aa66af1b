"""Rows that are learned from select and measure nothing, however and wherever they are stored."""

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from renaissance.cli import main
from renaissance.grammar import load
from renaissance.runtime.data.leaks import leaks
from renaissance.runtime.data.parts import Parts
from tests.published_glue import write_glue
from tests.published_pairs import write_karpathy_coco
from tests.tiny import write_nlvr

MODEL = """
model tiny {
  backbone text   = plain_text { layers = 1, width = 8, heads = 1, max_tokens = 16 }
  backbone vision = plain_vision { layers = 1, width = 8, heads = 1, image_size = 8, patch = 4 }
  fusion cross = cross_attention(text, vision)
}
"""
KEYS = "optimizer adamw { lr = 1e-3 }\n  batch = 4\n  epochs = 1\n"


def write_spec(path: Path, task: str, evaluation: str = "", data: str | None = None) -> Path:
    """Write a fine-tuning, with a pretraining before it where there are data."""
    source = "learn on tiny" if data is None else "learn from base"
    text = MODEL
    if data is not None:
        text += f"data pairs {{ {data} }}\n"
        text += f"pretrain base on tiny {{\n  data = [pairs]\n  objective itm\n  {KEYS}}}\n"
    text += f"finetune {source} {{\n  task = {task}\n  {KEYS}}}\n"
    if evaluation:
        text += f"evaluate measure of learn {{ {evaluation} }}\n"
    path.write_text(text)
    return path


def failures(document: str) -> list[str]:
    return [one["message"] for one in json.loads(document)["failures"]]


def draw(path: Path, seed: int, size: int = 48) -> None:
    """Write noise, so many bytes that it is like nothing else by chance."""
    noise = np.random.default_rng(seed).integers(0, 256, (size, size, 3), np.uint8)
    Image.fromarray(noise).save(path)


def write_table(path: Path, rows: list[tuple[str, str, str]]) -> None:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("image", "text", "label"), *rows])


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    """A table of 40 images, a copy of the images, and tables in another order that are of both."""
    (tmp_path / "images").mkdir()
    for number in range(60):
        draw(tmp_path / f"images/{number}.png", number)
    shutil.copytree(tmp_path / "images", tmp_path / "copied")
    rows = [(f"images/{n}.png", f"what is thing {n}?", "ab"[n % 2]) for n in range(60)]
    copied = [(image.replace("images", "copied"), text, "a") for image, text, _ in rows]
    write_table(tmp_path / "train.csv", rows[:40])
    write_table(tmp_path / "seen.csv", copied[39:19:-1])
    write_table(tmp_path / "some.csv", copied[38:58])
    write_table(tmp_path / "one.csv", copied[39:])
    write_table(tmp_path / "new.csv", copied[40:])
    asked = [(image, f"and {text}", label) for image, text, label in copied[:20]]
    write_table(tmp_path / "asked.csv", asked)
    return tmp_path


def task(root: Path, test: str, validation: str = "10%") -> str:
    return (
        f'classify {{ train = "{root}/train.csv", test = "{root}/{test}.csv", image = "image", '
        f'classes = [a, b], text = "text", label = "label", validation = {validation} }}'
    )


@pytest.mark.parametrize(
    ("test", "said"),
    [
        ("seen", "all 20 rows of `test` have the same texts and images"),
        ("some", "2 of the 20 rows of `test` have the same texts and images"),
        ("one", None),
        ("new", None),
        ("asked", None),
    ],
)
def test_rows_of_a_copy_measure_nothing(tables: Path, test: str, said: str | None) -> None:
    path = write_spec(tables / "mine.vl", task(tables, test, "0%"), "split = test")
    found = [leak.sentence for leak in leaks(load(path))]
    assert len(found) == (said is not None)
    if said is not None:
        assert "`measure` measures what job `learn` learns from" in found[0]
        assert said in found[0]


def test_plan_and_train_refuse_before_anything_runs(
    tables: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_spec(tables / "mine.vl", task(tables, "seen"), "split = test")
    assert main(["check", str(path)]) == 0
    capsys.readouterr()
    assert main(["plan", str(path), "--format", "json"]) == 1
    [failure] = failures(capsys.readouterr().out)
    assert "`trained_on = allow` measures them all the same" in failure
    assert main(["train", str(path), "--out", str(tables / "run"), "--device", "cpu"]) != 0
    assert failure in capsys.readouterr().err
    assert not (tables / "run/learn").exists()


def test_whoever_wants_to_know_says_so(tables: Path) -> None:
    evaluation = "split = test, trained_on = allow"
    path = write_spec(tables / "mine.vl", task(tables, "seen"), evaluation)
    assert list(leaks(load(path))) == []
    assert main(["train", str(path), "--out", str(tables / "run"), "--device", "cpu"]) == 0
    again = write_spec(
        tables / "again.vl", task(tables, "new"), "split = train, trained_on = allow"
    )
    assert main(["check", str(again)]) == 0
    assert main(["train", str(again), "--out", str(tables / "two"), "--device", "cpu"]) == 0


def test_a_copy_selects_nothing(tables: Path) -> None:
    path = write_spec(tables / "mine.vl", task(tables, "new", f'"{tables}/seen.csv"'))
    [leak] = leaks(load(path))
    assert leak.measured.use == "select" and leak.repeated == leak.rows == 20
    assert "hold out a share of what is learned from" in leak.sentence


def test_placeholders_are_no_photographs(tables: Path) -> None:
    for number in range(60):
        for folder in ("images", "copied"):
            draw(tables / f"{folder}/{number}.png", number % 3)
    path = write_spec(tables / "mine.vl", task(tables, "seen", "0%"), "split = test")
    assert list(leaks(load(path))) == []


@pytest.mark.parametrize(("different", "rows"), [(60, 20), (15, 0)])
def test_small_pictures_are_alike_by_chance_where_many_are(
    tables: Path, different: int, rows: int
) -> None:
    for number in range(60):
        for folder in ("images", "copied"):
            draw(tables / f"{folder}/{number}.png", number % different, 16)
    path = write_spec(tables / "mine.vl", task(tables, "seen", "0%"), "split = test")
    assert sum(leak.repeated for leak in leaks(load(path))) == rows


def test_texts_without_images(glue: Path) -> None:
    path = write_spec(glue / "mine.vl", f'glue {{ root = "{glue}", task = rte }}', "split = dev")
    assert list(leaks(load(path))) == []
    header, *lines = (glue / "RTE/train.tsv").read_text().splitlines()
    (glue / "RTE/dev.tsv").write_text("\n".join([header, *lines[7:3:-1]]) + "\n")
    found = list(leaks(load(path)))
    assert [leak.measured.use for leak in found] == ["select", "report"]
    assert all(leak.repeated == leak.rows == 4 for leak in found)


@pytest.mark.parametrize("kept", [1.0, 0.5])
def test_a_renamed_copy_of_drawings(tmp_path: Path, kept: float) -> None:
    root = write_nlvr(tmp_path / "nlvr")
    lines = (root / "dev/dev.json").read_text().splitlines()
    rows = []
    for line in lines[: round(kept * len(lines))]:
        example = json.loads(line)
        for order in range(6):
            name = f"dev-{example['identifier']}-{order}.png"
            copy = f"{len(rows):05}.png"
            shutil.copy(root / "dev/images/4" / name, tmp_path / copy)
            rows.append((copy, example["sentence"], "a"))
    write_table(tmp_path / "pairs.csv", rows)
    table = f'table = "{tmp_path}/pairs.csv", image = "image", caption = "text"'
    data = f"format = image_caption, {table}"
    learned = f'nlvr {{ root = "{root}", train = train, validation = 50% }}'
    path = write_spec(tmp_path / "mine.vl", learned, "split = dev", data)
    path.write_text(path.read_text().replace("objective itm", "objective itm\n  validation = 0%"))
    [leak] = leaks(load(path))
    assert (leak.job, leak.blocks, leak.repeated) == ("base", ("pairs",), len(rows))


@pytest.fixture
def glue(tmp_path: Path) -> Path:
    return write_glue(tmp_path / "glue")


@pytest.fixture
def drawings(tmp_path: Path) -> Path:
    root = write_nlvr(tmp_path / "nlvr")
    for seed, path in enumerate(sorted(root.rglob("*.png"))):
        draw(path, seed)
    shutil.copytree(root, tmp_path / "copy")
    file = tmp_path / "copy/train/train.json"
    file.write_text("\n".join(file.read_text().splitlines()[1:]))  # no copy of the whole any more
    return tmp_path


@pytest.mark.parametrize("folder", ["nlvr", "copy"])
def test_what_selects_is_left_out_of_pretraining(
    drawings: Path, folder: str, capsys: pytest.CaptureFixture[str]
) -> None:
    data = f'format = nlvr, root = "{drawings / folder}", split = train'
    learned = f'nlvr {{ root = "{drawings / "nlvr"}", train = train, validation = 50% }}'
    path = write_spec(drawings / "mine.vl", learned, "split = test", data)
    text = path.read_text().replace("objective itm", "objective itm\n  validation = 0%")
    path.write_text(text)
    spec = load(path)
    base = Parts(spec, spec.training_job("base"))["train"]
    selecting = Parts(spec, spec.training_job("learn"))["validation"]
    names = {Path(base.table.path(image)).name for image in base.images.tolist()}
    held_out = {Path(selecting.table.path(image)).name for image in selecting.images.tolist()}
    assert names and held_out and not names & held_out
    assert main(["plan", str(path)]) == 0
    said = f"job `base` leaves out {base.withheld} texts about images by which `learn` selects its"
    assert said in capsys.readouterr().out


def test_what_selects_can_be_excluded(drawings: Path) -> None:
    data = f'format = nlvr, root = "{drawings / "copy"}", split = train, exclude = [learn]'
    learned = f'nlvr {{ root = "{drawings / "nlvr"}", train = train, validation = 50% }}'
    path = write_spec(drawings / "mine.vl", learned, "split = test", data)
    spec = load(path)
    base = Parts(spec, spec.training_job("base"))["train"]
    assert list(base.table.excluded) == ["learn"] and base.table.excluded["learn"] > 0
    assert base.withheld == 0


def test_captions_of_what_is_retrieved(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = tmp_path / "coco"
    write_karpathy_coco(root, {n: ("test", "val", "train", "restval")[n % 4] for n in range(16)})
    content = json.loads((root / "dataset_coco.json").read_text())
    entries: list[dict[str, Any]] = [
        {"image": f"elsewhere/{e['filepath']}/{e['filename']}", "caption": s["raw"]}
        for e in content["images"]
        for s in e["sentences"]
        if e["split"] == "test"
    ]
    table = tmp_path / "pairs.jsonl"
    table.write_text("\n".join(map(json.dumps, entries)))
    for extra, code in (("", 1), (", exclude = [measure]", 0)):
        path = write_spec(
            tmp_path / "mine.vl",
            f'retrieval {{ root = "{root}" }}',
            "split = test",
            f'format = image_caption, table = "{table}"{extra}',
        )
        more = [{"image": "elsewhere/more.jpg", "caption": "a thing"}]
        table.write_text("\n".join(map(json.dumps, [*entries, *more])))
        assert main(["plan", str(path)]) == code
        said = capsys.readouterr().err
        assert ("`exclude = [measure]` in data `pairs` leaves them out" in said) == bool(code)


def test_missing_files_leave_one_pair_undecided(
    drawings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = f'format = nlvr, root = "{drawings / "copy"}", split = train'
    learned = f'nlvr {{ root = "{drawings / "nlvr"}", validation = dev }}'
    path = write_spec(drawings / "mine.vl", learned, "split = test", data)
    shutil.rmtree(drawings / "copy")
    assert main(["data", str(path), "--overlap", "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    found = {(one["train"], one["eval"]): one for one in document["overlaps"]}
    lost, there = found["pairs", "measure"], found["learn.train", "measure"]
    assert (lost["images"], lost["undecided"], lost["by"]) == (0, lost["eval_images"], None)
    assert lost["eval_images"] == 18 and "nlvr has no folder" in lost["problem"]
    assert (there["images"], there["undecided"], there["problem"]) == (0, 0, None)
    assert [one["message"] for one in document["failures"]] == [lost["problem"]]
    shutil.rmtree(drawings / "nlvr")
    assert main(["data", str(path), "--overlap"]) == 2
    printed = capsys.readouterr()
    # Each cause is told once, with the pairs that it concerns.
    assert printed.out == ""
    causes = [line.partition(": ")[2] for line in printed.err.splitlines()]
    assert all("it cannot be told which images" in cause for cause in causes)
    assert len(causes) == len({cause.partition(": ")[2] for cause in causes})

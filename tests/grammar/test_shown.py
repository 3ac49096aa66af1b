"""Streams of images that fit neither each other nor what a row brings."""

from pathlib import Path

import pytest

from renaissance.grammar.check import check
from renaissance.grammar.diagnostics import Diagnostic
from renaissance.grammar.source import read_source

WORDS = "embed text = wordpiece { max_tokens = 12 }"
PIXELS = "patches { image_size = 16, patch = 8 }"
REGIONS = 'regions("features") { channels = 20 }'
STACK = "{ encoder = random { layers = 1, width = 32, heads = 2 } }"
JOB = """finetune learn on tiny {{
  task = {task}
  optimizer adamw {{ lr = 1e-3 }}
  batch = 8
  steps = 4
}}
"""


def found(
    folder: Path, streams: dict[str, str], *, pool: str = "mean", job: str = ""
) -> list[Diagnostic]:
    lines = [WORDS, *(f"embed {name} = {source}" for name, source in streams.items())]
    names = ", ".join(("text", *streams))
    lines += [f"fusion joint = single_stream({names}) {STACK}", f"pool = {pool}"]
    path = folder / "example.vl"
    path.write_text("model tiny {\n  " + "\n  ".join(lines) + "\n}\n" + job)
    return [one for one in check(read_source(str(path))) if one.code != "VL110"]


@pytest.mark.parametrize(
    "streams",
    [
        {"left": PIXELS, "right": PIXELS},
        {"left": PIXELS, "middle": PIXELS, "right": PIXELS},
        {"objects": REGIONS},
        {"vision": PIXELS, "objects": REGIONS},
    ],
)
def test_several_streams_of_images_are_joined(streams: dict[str, str], tmp_path: Path) -> None:
    assert found(tmp_path, streams) == []


def test_as_many_regions_as_pixels(tmp_path: Path) -> None:
    [one] = found(tmp_path, {"left": PIXELS, "right": PIXELS, "objects": REGIONS})
    assert one.code == "VL301" and "2 streams of pixels and 1 of regions" in one.message


def test_pixels_of_one_size(tmp_path: Path) -> None:
    [one] = found(tmp_path, {"left": PIXELS, "right": PIXELS.replace("16", "32")})
    assert one.code == "VL301" and "different `image_size`" in one.message


def test_pixels_prepared_alike(tmp_path: Path) -> None:
    fit = "fit { shorter = 16, longer = 32, multiple = 8 }"
    kept = PIXELS.replace("patch = 8", f"patch = 8, resize = {fit}")
    [one] = found(tmp_path, {"left": PIXELS, "right": kept})
    assert one.code == "VL301" and one.label == f"is `{fit}` here and `crop` there"


def test_regions_have_no_class_token(tmp_path: Path) -> None:
    [one] = found(tmp_path, {"objects": REGIONS}, pool="cls")
    assert one.code == "VL309"
    assert found(tmp_path, {"objects": REGIONS}, pool="first") == []


def test_towers_that_attend_to_each_other_are_two(tmp_path: Path) -> None:
    path = tmp_path / "example.vl"
    streams = [
        f"  backbone {name} = plain_vision {{ layers = 1, width = 32, heads = 2 }}" for name in "ab"
    ]
    text = "  backbone text = plain_text { layers = 1, width = 32, heads = 2 }"
    fusion = "  fusion cross = cross_attention(text, a, b)"
    path.write_text("\n".join(["model tiny {", text, *streams, fusion, "}"]))
    [one] = [one for one in check(read_source(str(path))) if one.code == "VL301"]
    assert one.label == "one text stream and one vision stream are wanted"


@pytest.mark.parametrize("task", ['nlvr2 { root = "nlvr2" }', "easy_vqa"])
def test_a_row_brings_as_many_images_as_are_read_at_once(task: str, tmp_path: Path) -> None:
    job, both = JOB.format(task=task), {"left": PIXELS, "right": PIXELS}
    codes = [one.code for one in found(tmp_path, both, job=job)]
    assert codes == ([] if task.startswith("nlvr2") else ["VL531"])
    assert not found(tmp_path, {"one": PIXELS}, job=job)


def test_every_pair_is_scored_of_one_stream(tmp_path: Path) -> None:
    job = JOB.format(task='retrieval { root = "data/coco" }')
    findings = found(tmp_path, {"vision": PIXELS, "objects": REGIONS}, job=job)
    assert "VL531" in {one.code for one in findings}


def test_regions_are_not_augmented(tmp_path: Path) -> None:
    job = JOB.format(task="easy_vqa").replace("batch = 8", "batch = 8\n  augment = [flip]")
    [one] = found(tmp_path, {"objects": REGIONS}, job=job)
    assert one.code == "VL506" and "no pixels" in one.label
    assert not found(tmp_path, {"vision": PIXELS, "objects": REGIONS}, job=job)


@pytest.mark.parametrize("task", ["refcoco", "refcoco_plus", "refcocog"])
def test_there_are_no_regions_of_parts_of_photographs(task: str, tmp_path: Path) -> None:
    job = JOB.format(task=f'{task} {{ root = "data/refcoco" }}')
    for streams in ({"objects": REGIONS}, {"vision": PIXELS, "objects": REGIONS}):
        [one] = found(tmp_path, streams, job=job)
        assert one.code == "VL531" and one.message == f"`{task}` shows parts of photographs"
    assert not found(tmp_path, {"vision": PIXELS}, job=job)


def test_one_thing_is_said_about_an_objective_and_two_images(tmp_path: Path) -> None:
    job = JOB.format(task="easy_vqa").replace("finetune", "pretrain")
    job = job.replace("task = easy_vqa", "data = [pairs], objective mim")
    job += "data pairs { format = easy_vqa }\n"
    [one] = found(tmp_path, {"left": PIXELS, "right": PIXELS}, job=job)
    assert one.code == "VL531"
    [one] = found(tmp_path, {"vision": PIXELS, "objects": REGIONS}, job=job)
    assert one.code == "VL545"

"""What to get where, and what is missing."""

import json
from pathlib import Path
from typing import Any

import pytest

from renaissance.cli import main
from renaissance.data_how import how_of
from renaissance.grammar.kinds.data import FormatBlock, TaskBlock
from renaissance.grammar.kinds.registry import Kinds, optional_facet
from renaissance.grammar.schema.vocabulary import keys_of
from renaissance.runtime.formats.coco_captions.schema import CocoCaptions
from renaissance.runtime.formats.conceptual_captions.schema import ConceptualCaptions
from renaissance.runtime.formats.sbu.schema import Sbu
from renaissance.runtime.formats.visual_genome.schema import VisualGenome
from renaissance.runtime.tasks.cifar10.schema import Cifar10
from renaissance.runtime.tasks.cifar100.schema import Cifar100
from renaissance.runtime.tasks.glue.schema import Glue
from renaissance.runtime.tasks.nlvr2.schema import Nlvr2
from renaissance.runtime.tasks.refcoco.schema import RefCoco
from renaissance.runtime.tasks.refcoco_plus.schema import RefCocoPlus
from renaissance.runtime.tasks.refcocog.schema import RefCocoG
from renaissance.runtime.tasks.retrieval.schema import Retrieval
from renaissance.runtime.tasks.snli_ve.schema import SnliVe
from renaissance.runtime.tasks.vqav2.schema import Vqav2
from tests.published import published_samples
from tests.published_pairs import write_karpathy_coco

SPEC = """
model tiny {{
  backbone text   = plain_text {{ layers = 1, width = 8, heads = 1 }}
  backbone vision = plain_vision {{ layers = 1, width = 8, heads = 1 }}
  fusion cross = cross_attention(text, vision)
}}
data coco {{ format = karpathy, root = "{root}/coco", split = val }}
data own  {{ format = image_caption, table = "{root}/pairs.csv" }}
"""


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    """A spec of two data blocks, of which no file is there."""
    path = tmp_path / "mine.vl"
    path.write_text(SPEC.format(root=tmp_path))
    return path


def test_what_is_missing_is_said(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", str(spec), "--how"]) == 0
    printed = capsys.readouterr().out
    assert "missing     dataset_coco.json" in printed and "not needed  train2014" in printed
    assert "caption_datasets.zip" in printed and "CC BY 4.0" in printed
    assert f"missing     {spec.parent}/pairs.csv" in printed
    assert "columns of the table: `image` (image paths), `caption` (captions); sets as" in printed


def test_as_json(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_karpathy_coco(spec.parent / "coco", {7: "val"})
    assert main(["data", str(spec), "--how", "--format", "json"]) == 0
    coco, own = json.loads(capsys.readouterr().out)["sets"]
    assert coco["missing"] == [] and coco["sizes"] == {"": {"texts": 25010, "images": 5000}}
    assert (own["block"], own["missing"]) == ("data own", [f"{spec.parent}/pairs.csv"])


def published() -> list[type[Any]]:
    """Return the kinds of data that say how to get them."""
    kinds = [*Kinds(FormatBlock).values(), *Kinds(TaskBlock).values()]
    return [kind for kind in kinds if optional_facet(kind, "how") is not None]


@pytest.mark.parametrize("kind", published(), ids=lambda kind: f"{kind.family} {kind.word()}")
def test_each_says_all_that_there_is_to_say(kind: type[Any]) -> None:
    keys = {"root": "nowhere"} if "root" in keys_of(kind) else {}
    if "subtask" in kind.model_fields:
        keys["subtask"] = "rte"
    if kind.word() == "vilt_arrow":
        keys["names"] = ("coco_caption_karpathy_train",)
    how = how_of(kind(**keys))
    assert how.places and how.licence and how.published
    assert all(place.holds for place in how.places)
    assert {place.path for place in how.missing()} or kind.word() == "easy_vqa"


def test_sizes_are_those_of_the_published_sets() -> None:
    counts = json.loads((published_samples("") / "expected_counts.json").read_text())
    vqa, nlvr2, snli = counts["vqav2"], counts["nlvr2"], counts["snli_ve"]
    assert sizes(Vqav2(root="")) == {
        "train": (vqa["train2014"]["questions"], vqa["train2014"]["images"]),
        "val": (vqa["val2014"]["questions"], vqa["val2014"]["images"]),
        "train_val": tuple(
            vqa["train2014"][what] + vqa["val2014"][what] for what in ("questions", "images")
        ),
        "test": (vqa["test2015"]["questions"], vqa["test2015"]["images"]),
        "test_dev": (vqa["test-dev2015"]["questions"], None),
    }
    assert {name: texts for name, (texts, _) in sizes(Nlvr2(root="")).items()} == {
        name: said["rows"] if isinstance(said, dict) else said for name, said in nlvr2.items()
    }
    assert sizes(SnliVe(root="")) == {
        name: (said["rows"], said["images"]) for name, said in snli.items()
    }
    for block, name in (
        (RefCoco(root=""), "refcoco_unc"),
        (RefCocoPlus(root=""), "refcoco+_unc"),
        (RefCocoG(root=""), "refcocog_umd"),
    ):
        texts = {split: texts for split, (texts, _) in sizes(block).items()}
        assert texts == counts[name]["expressions"]
    coco, flickr = counts["coco_karpathy"], counts["flickr30k_karpathy"]
    found = sizes(Retrieval(root=""))
    assert {split: found[split][1] for split in coco["images"]} == coco["images"]
    assert found["train_restval"][0] == coco["captions_train_restval"]
    assert found["test"][0] == coco["captions_test"]
    found = sizes(Retrieval(root="", set="flickr30k"))
    each = flickr["captions_per_image"]
    assert {split: found[split] for split in flickr["images"]} == {
        split: (each * images, images) for split, images in flickr["images"].items()
    }
    for name in ("cola", "sst2", "mrpc", "qqp", "stsb", "qnli", "rte", "wnli"):
        assert [texts for texts, _ in sizes(Glue(root="", subtask=name)).values()] == counts[
            "glue"
        ][name]
    official = counts["coco_official"]
    for split in ("train2014", "val2014"):
        assert sizes(CocoCaptions(root="", split=split))[""][0] == official[f"captions_{split}"]
    assert sizes(VisualGenome(root=""))[""][1] == counts["visual_genome"]["images"]
    assert sizes(Sbu(root=""))[""][0] == counts["sbu"]["pairs"]
    for key, split in (("train", "train"), ("val", "validation")):
        block = ConceptualCaptions(root="", split=split)
        assert sizes(block)[""][0] == counts["cc3m"][key]
    assert sizes(ConceptualCaptions(root="", set="cc12m"))[""][0] == counts["cc12m"]["rows"]
    for kind in (Cifar10, Cifar100):
        texts = {split: rows for split, (rows, _) in sizes(kind(root="")).items()}
        assert texts == {split: counts[kind.word()][split] for split in ("train", "test")}


def sizes(block: FormatBlock | TaskBlock) -> dict[str, tuple[int | None, int | None]]:
    """Return texts and images of the parts of a set, as published."""
    return {name: (size.texts, size.images) for name, size in how_of(block).sizes.items()}

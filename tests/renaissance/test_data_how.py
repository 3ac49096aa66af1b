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
    assert coco["missing"] == [] and coco["sizes"] == {"": {"texts": None, "images": 5000}}
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

"""Masked regions: what is hidden and asked for, and runs that learn from it."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from renaissance.compiler.batch import RegionRows
from renaissance.grammar.check import check
from renaissance.grammar.declaration import Share
from renaissance.grammar.schema.spec import Spec
from renaissance.grammar.source import Source
from renaissance.runtime.data import job_data
from renaissance.runtime.errors import InterruptionError
from renaissance.runtime.objectives.mlm.schema import Mlm
from renaissance.runtime.objectives.mrm.examples import _drawn
from renaissance.runtime.objectives.mrm.schema import Mrm
from renaissance.runtime.results import read_result
from tests.runs import StopAt, events, last_bytes, train
from tests.streams import CHANNELS, of_towers, of_words_and_regions, write_easy_regions
from tests.tiny import tiny_experiment, write_easy_vqa

CLASSES = 3


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Spec]:
    """An experiment on regions with classes."""
    root = write_easy_vqa(tmp_path / "pictures")
    features = write_easy_regions(tmp_path / "features")
    draw = np.random.default_rng(1)
    for path in sorted(features.rglob("*.npz")):
        with np.load(path) as file:
            arrays = dict(file)
        classes = draw.dirichlet(np.ones(CLASSES), len(arrays["features"]))
        np.savez(path, **arrays, classes=classes.astype(np.float32))

    def made(block: Mrm, *, form: Callable[..., object] = of_towers, **base: object) -> Spec:
        spec = tiny_experiment(root, base={"objectives": (block, Mlm()), **base})
        return spec.model_copy(update={"models": {"tiny": form(features)}})

    return made


def test_what_is_hidden_and_asked_for(make: Callable[..., Spec]) -> None:
    block = Mrm(classes=CLASSES, probability=Share(0.5), random=Share(0.3), keep=Share(0.2))
    data = job_data(make(block, batch=11, steps=1), "base")
    [batch] = next(data.train(0, 0, 1))
    items, hidden = batch.items["mrm"], batch.hidden
    assert isinstance(hidden, RegionRows) and isinstance(batch.images, RegionRows)
    assert items.patches is not None and items.target is not None
    assert items.target.shape == (items.known, CHANNELS + CLASSES)
    torch.testing.assert_close(items.target[:, CHANNELS:].sum(1), torch.ones(items.known))
    whole = batch.images.features
    place = items.image[items.patches.pair] - len(batch.images)
    # What is wanted is what the image shows as it is, and nothing else has changed.
    torch.testing.assert_close(items.target[:, :CHANNELS], whole[place, items.patches.patch])
    asked = torch.zeros(whole.shape[:2], dtype=torch.bool)
    asked[place, items.patches.patch] = True
    assert torch.equal(hidden.features[~asked], whole[~asked])
    assert torch.equal(hidden.boxes, batch.images.boxes)
    regions = torch.full((len(whole),), whole.shape[1])
    if hidden.mask is not None:
        regions = hidden.mask.sum(1)
        assert not (asked & ~hidden.mask).any()
    count = (regions * 0.5).round().clamp(min=1).long()
    assert torch.equal(asked.sum(1), count)
    blank = (hidden.features == 0).all(2) & asked
    kept = (hidden.features == whole).all(2) & asked
    assert blank.any() and kept.any() and (asked & ~blank & ~kept).any()


def test_every_part_of_a_batch_sees_the_same(make: Callable[..., Spec]) -> None:
    data = job_data(make(Mrm(classes=CLASSES), batch=12, steps=1), "base")
    [whole] = next(data.train(0, 0, 1))
    parts = [batch for rank in (0, 1) for batch in next(data.train(0, rank, 2))]
    assert len(parts) == 2
    wanted = whole.items["mrm"].target
    assert wanted is not None
    found = torch.cat([part.items["mrm"].target for part in parts])
    assert sorted(found.tolist()) == sorted(wanted.tolist())


@pytest.mark.parametrize("form", [of_towers, of_words_and_regions])
def test_runs_learn_and_go_on_bit_for_bit(
    make: Callable[..., Spec], tmp_path: Path, form: Callable[..., object]
) -> None:
    base = {"batch": 12, "steps": 4, "checkpoint_every": 1}
    spec = make(Mrm(classes=CLASSES), form=form, **base)
    train(spec, tmp_path / "whole", "base")
    with pytest.raises(InterruptionError):
        train(spec, tmp_path / "parts", "base", observer=StopAt(2))
    train(spec, tmp_path / "parts", "base")
    assert last_bytes(tmp_path / "parts", "base", 4) == last_bytes(tmp_path / "whole", "base", 4)
    result = read_result(tmp_path / "whole/base")
    shown = [] if result is None else [one for one in result.samples if one.explained is not None]
    assert shown and all(one.pictures and one.correct is None for one in shown)
    told = [choice for one in shown for choice in one.choices]
    assert all(choice.text.startswith("region ") and "class" in choice.text for choice in told)
    assert {choice.right for choice in told} <= {True, False}
    lines = events(tmp_path / "whole", "base", "step")
    assert all(np.isfinite(line["losses"]["mrm"]) for line in lines)
    assert {"mrm_explained", "mrm_class_accuracy"} <= lines[-1]["metrics"].keys()
    train(make(Mrm(classes=CLASSES), form=form, **base, micro_batch=4), tmp_path / "cut", "base")
    for one, cut in zip(lines, events(tmp_path / "cut", "base", "step"), strict=True):
        assert cut["losses"] == pytest.approx(one["losses"], rel=2e-4)


def test_a_box_may_be_narrower_than_a_pixel() -> None:
    boxes = np.array([[0.5, 0.2, 0.501, 0.9], [0.1, 0.3, 0.8, 0.3001]])
    assert _drawn("no such image", np.arange(2), boxes).startswith("data:image")


def test_pixels_have_no_regions() -> None:
    text = """
model tiny {
  backbone text   = plain_text { layers = 2, width = 64, heads = 4 }
  backbone vision = plain_vision { layers = 2, width = 64, heads = 4 }
  fusion cross = cross_attention(text, vision)
}
data shapes { format = easy_vqa }
pretrain base on tiny {
  data = [shapes]
  objective mrm
  optimizer adamw { lr = 1e-3 }
  batch = 64
  epochs = 2
}
"""
    found = [one for one in check(Source(name="main.vl", text=text)) if one.code == "VL545"]
    assert [one.label for one in found] == ["`vision` reads pixels"]

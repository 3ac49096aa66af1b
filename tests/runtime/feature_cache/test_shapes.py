"""Features of images that keep their shape: kept with as many tokens as each has."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from renaissance.grammar.kinds.source import Fit
from renaissance.grammar.schema.model import Freeze
from renaissance.grammar.schema.spec import Spec
from tests.runs import train
from tests.runtime.feature_cache.runs import counts, first_step, outcome
from tests.tiny import tiny_experiment, write_easy_vqa

FIT = Fit(shorter=16, longer=32, multiple=8)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny questions, about images of many shapes."""
    root = write_easy_vqa(tmp_path_factory.mktemp("shapes"))
    draw = np.random.default_rng(0)
    for path in sorted(root.rglob("*.png")):
        with Image.open(path) as image:
            image.resize(tuple(draw.integers(12, 60, 2).tolist())).save(path)
    return root


def spec(root: Path, cache: bool) -> Spec:
    freeze = (Freeze(selectors=("vision",), cache=cache),)
    return tiny_experiment(root, freeze=freeze, vision={"resize": FIT})


def test_off_cold_and_warm_are_equal_bit_for_bit(root: Path, tmp_path: Path) -> None:
    off, on = spec(root, False), spec(root, True)
    train(off, tmp_path / "off")
    expected = outcome(tmp_path / "off", off)
    for name in ("cold", "warm"):
        train(on, tmp_path / name)
        assert outcome(tmp_path / name, on) == expected
    assert counts(tmp_path / "cold", "base")[2] > 0
    for job in on.jobs:
        read, anew, kept = counts(tmp_path / "warm", job)
        assert read > 0 and (anew, kept) == (0, 0)


def test_a_batch_of_which_some_are_known(root: Path) -> None:
    with first_step(spec(root, False)) as step:
        expected = step.objectives.encode_images(step.batch.images)
    assert expected.mask is not None
    with first_step(spec(root, True)) as step:
        cold = step.objectives.encode_images(step.batch.images)
        order = sorted(cold.mask.sum(1).tolist())
        assert order == sorted(expected.mask.sum(1).tolist()) and len(set(order)) > 1
    with first_step(spec(root, True)) as step:
        assert step.batch.images.lengths is not None
        warm = step.objectives.encode_images(step.batch.images)
        assert sorted(warm.mask.sum(1).tolist()) == order

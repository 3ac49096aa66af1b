"""Regions and several images in training: stopped and gone on with, in two processes, frozen."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from renaissance.grammar.declaration import Share
from renaissance.grammar.schema.model import Freeze, Model
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime import InterruptionError
from renaissance.runtime.data import job_data
from tests.kinds.two_images.schema import TwoImages
from tests.runs import StopAt, events, last_bytes, notices, run_in_two, train
from tests.streams import (
    of_pixels_and_regions,
    of_towers,
    of_two_images,
    of_words_and_regions,
    write_easy_regions,
)
from tests.tiny import tiny_experiment, write_easy_vqa


def experiment(model: Model, root: Path, **vqa: object) -> Spec:
    made = tiny_experiment(root, base={"steps": 4, "batch": 11}, vqa={"steps": 4, **vqa})
    return made.model_copy(update={"models": {"tiny": model}})


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_easy_regions(tmp_path / "features")
    return write_easy_vqa(tmp_path / "pictures")


def test_two_processes_are_as_one(root: Path, tmp_path: Path) -> None:
    model = of_pixels_and_regions(tmp_path / "features")
    spec = experiment(model, root, batch=11, micro_batch=4)
    train(spec, tmp_path / "one")
    run_in_two(spec, tmp_path / "two", *spec.jobs)
    for job in ("base", "vqa"):
        for event in ("step", "validate"):
            one, two = (events(tmp_path / name, job, event) for name in ("one", "two"))
            assert len(one) == len(two) > 0
            for ours, theirs in zip(one, two, strict=True):
                assert theirs["losses"] == pytest.approx(ours["losses"], rel=2e-4)


@pytest.mark.parametrize("make", [of_towers, of_words_and_regions, of_pixels_and_regions])
def test_a_run_goes_on_with_the_same_bits(
    make: Callable[..., Model], root: Path, tmp_path: Path
) -> None:
    freeze = (Freeze(selectors=("text",)),)
    model = make(tmp_path / "features", freeze=freeze)
    spec = experiment(model, root, source=None, checkpoint_every=1)
    train(spec, tmp_path / "whole", "vqa")
    with pytest.raises(InterruptionError):
        train(spec, tmp_path / "parts", "vqa", observer=StopAt(2))
    train(spec, tmp_path / "parts", "vqa")
    assert any("goes on after step" in text for text in notices(tmp_path / "parts", "vqa"))
    whole, parts = (last_bytes(tmp_path / name, "vqa", 4) for name in ("whole", "parts"))
    assert whole == parts


def test_both_images_of_a_row_are_read_at_once(root: Path, tmp_path: Path) -> None:
    task = TwoImages(root=str(root), max_unreadable=Share(0.2))
    made = experiment(of_two_images(), root, task=task, source=None)
    spec = made.model_copy(update={"jobs": {"vqa": made.jobs["vqa"], "exam": made.jobs["exam"]}})
    data = job_data(spec, "vqa")
    [batch] = next(data.train(0, 0, 1))
    items, table = batch.items["answer"], data.part("train").table
    assert items.pairs == items.known == batch.rows
    wanted = table.images_of_row[items.row.numpy()]
    assert items.image.shape == wanted.shape
    for column, shown in enumerate((batch.images, batch.more["right"])):
        numbers = np.unique(wanted[:, column])
        assert len(shown) == len(numbers)
        assert np.array_equal(numbers[items.image[:, column].numpy()], wanted[:, column])
    results = {result.job: result for result in train(spec, tmp_path / "run").results}
    assert {"accuracy", "consistency", "loss"} == results["exam"].metrics.keys()

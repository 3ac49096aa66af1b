"""Images that keep their shape: read, kept, put together, changed at random."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch
from PIL import Image
from transformers.models.vilt.image_processing_pil_vilt import get_resize_output_image_size

from renaissance.compiler.batch import ShapedImages
from renaissance.grammar.kinds.source import Fit
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime.augmentations.flip.schema import Flip
from renaissance.runtime.augmentations.random_crop.change import change as change_of_crop
from renaissance.runtime.augmentations.random_crop.schema import RandomCrop
from renaissance.runtime.crops import crop_path
from renaissance.runtime.data import job_data
from renaissance.runtime.data.decode import read_image
from renaissance.runtime.data.images import Images
from renaissance.runtime.data.table import Source, Table, make_table
from renaissance.runtime.objectives.mim.schema import Mim
from renaissance.runtime.objectives.mlm.schema import Mlm
from tests.runs import events, train

FIT = Fit(shorter=16, longer=32, multiple=8)
SIZES = ((12, 10), (40, 20), (20, 40), (30, 30), (90, 10), (12, 10))
SHAPES = [(16, 16), (16, 32), (32, 16), (16, 16), (8, 32), (16, 16)]


def table(root: Path, paths: list[str]) -> Table:
    source = Source(name="pairs", max_unreadable=0.2)
    return make_table(source, root, pa.array(["text"] * len(paths)), pa.array(paths))


@pytest.fixture
def files(tmp_path: Path) -> Path:
    draw = np.random.default_rng(3)
    for number, (width, height) in enumerate(SIZES):
        pixels = draw.integers(0, 256, (height, width, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
    return tmp_path


@pytest.mark.parametrize("height", [100, 375, 427, 480, 640, 1000])
@pytest.mark.parametrize("width", [120, 427, 500, 640, 2000])
def test_shapes_are_those_of_vilt(height: int, width: int) -> None:
    # ViLT takes 1333 / 800 of the shorter side, in whole pixels, for the longer one.
    fit = Fit(shorter=384, longer=639, multiple=32)
    wanted = get_resize_output_image_size(
        np.zeros((3, height, width), np.uint8), shorter=384, longer=639, size_divisor=32
    )
    if min(wanted):
        assert fit.shape(height, width) == tuple(wanted)


@pytest.mark.parametrize("cache_bytes", [0, 2 * 3 * 16 * 32, 10**6], ids=["held", "some", "kept"])
def test_pixels_are_those_of_the_files(files: Path, cache_bytes: int) -> None:
    images = Images(table(files, [f"{n}.png" for n in range(6)]), 16, FIT, cache_bytes=cache_bytes)
    for _ in range(2):
        assert images.readable(np.arange(6)).all()
        assert images.shapes(np.arange(6)).tolist() == [list(shape) for shape in SHAPES]
        for image, shape in enumerate(SHAPES):
            [pixels] = images.pixels(np.array([image]))
            assert pixels.shape == (3, *shape)
            assert (pixels == read_image(str(files / f"{image}.png"), 16, FIT)).all()
        assert images.pixels(np.array([0, 3, 5])).shape == (3, 3, 16, 16)
        images.release()


def test_scaling_is_that_of_pillow(files: Path) -> None:
    found = read_image(str(files / "1.png"), 16, FIT).transpose(1, 2, 0).astype(int)
    with Image.open(files / "1.png") as image:
        wanted = np.asarray(image.resize((32, 16), Image.Resampling.BICUBIC)).astype(int)
    assert np.abs(found - wanted).max() <= 1


def test_boxes_are_cut_out_before_they_are_scaled(files: Path) -> None:
    path = crop_path("1.png", (5.0, 2.0, 10.0, 18.0))
    images = Images(table(files, [path]), 16, FIT)
    assert images.readable(np.array([0])).all()
    [pixels] = images.pixels(np.array([0]))
    with Image.open(files / "1.png") as image:
        image.crop((5, 2, 15, 20)).save(files / "part.png")
    assert (pixels == read_image(str(files / "part.png"), 16, FIT)).all()
    assert pixels.shape == (3, 24, 16)


@pytest.fixture
def mixed(tiny_spec: Callable[..., Spec], tmp_path: Path) -> Callable[..., Spec]:
    """The tiny experiment, on images of many shapes that keep them."""
    from tests.tiny import tiny_experiment, write_easy_vqa

    root = write_easy_vqa(tmp_path / "vqa")
    draw = np.random.default_rng(0)
    for path in sorted(root.rglob("*.png")):
        with Image.open(path) as image:
            image.resize(tuple(draw.integers(12, 60, 2).tolist())).save(path)
    return lambda **changes: tiny_experiment(root, vision={"resize": FIT}, **changes)


def test_a_batch_holds_each_shape_apart(mixed: Callable[..., Spec]) -> None:
    data = job_data(mixed(), "base")
    [batch] = next(data.train(0, 0, 1))
    assert isinstance(batch.images, ShapedImages)
    shapes = [tuple(group.shape[2:]) for group in batch.images.groups]
    assert len(set(shapes)) == len(shapes) > 1
    images = [image for group in batch.images.groups for image in group]
    corpus = data._corpora["train"].corpus
    for name in batch.items:
        assert set(batch.items[name].image.tolist()) <= set(range(len(images)))
    own = batch.items["mlm"].image.tolist()
    table = corpus.table
    whole = {read_image(str(table.path(n)), 16, FIT).tobytes() for n in range(len(table.images))}
    assert {images[place].numpy().tobytes() for place in own} <= whole
    assert len(batch.images) == len({image.numpy().tobytes() for image in images})


def test_patches_of_every_shape_are_hidden(mixed: Callable[..., Spec], tmp_path: Path) -> None:
    base: Any = {"objectives": (Mim(mask="block"), Mlm()), "batch": 12, "steps": 2}
    [batch] = next(job_data(mixed(base=base), "base").train(0, 0, 1))
    items = batch.items["mim"]
    assert isinstance(batch.hidden, tuple) and len(batch.hidden) > 1 and items.patches is not None
    covered = 0
    for group in batch.hidden:
        patches = group.pixels.shape[2] // 8 * (group.pixels.shape[3] // 8)
        assert group.mask.shape == (len(group.pixels), patches)
        assert (group.mask.sum(1) == max(round(0.6 * patches), 1)).all()
        covered += len(group.pixels)
    # Every item is a hidden patch of the image of its pair.
    hidden = torch.cat([group.mask.flatten() for group in batch.hidden])
    lengths = torch.tensor([len(row) for group in batch.hidden for row in group.mask])
    place = items.image[items.patches.pair] - len(batch.images)
    starts = (lengths.cumsum(0) - lengths)[place]
    assert hidden[items.patches.hidden].all() and covered == len(lengths)
    assert torch.equal(items.patches.hidden, starts + items.patches.patch)
    train(mixed(dropout=0.0, base=base), tmp_path / "whole", "base")
    train(mixed(dropout=0.0, base={**base, "micro_batch": 4}), tmp_path / "cut", "base")
    whole, cut = (events(tmp_path / name, "base", "step") for name in ("whole", "cut"))
    for one, other in zip(whole, cut, strict=True):
        assert other["losses"] == pytest.approx(one["losses"], rel=2e-4)


def test_random_changes_keep_shapes_and_do_not_depend_on_the_batch(
    mixed: Callable[..., Spec],
) -> None:
    changes: Any = {"augment": (RandomCrop(), Flip())}
    plain = job_data(mixed(), "base")
    [batch] = next(plain.train(0, 0, 1))
    [changed] = next(job_data(mixed(base=changes), "base").train(0, 0, 1))
    assert isinstance(batch.images, ShapedImages) and isinstance(changed.images, ShapedImages)
    assert [g.shape for g in batch.images.groups] == [g.shape for g in changed.images.groups]
    assert not torch.equal(batch.images.groups[0], changed.images.groups[0])


def test_a_random_crop_is_about_as_wide_as_the_image() -> None:
    # Columns count up from 0 to 255, and so do rows: slopes tell how much was stretched.
    image = torch.stack(
        [
            torch.linspace(0, 255, 64).expand(16, 64),
            torch.linspace(0, 255, 16)[:, None].expand(16, 64),
            torch.zeros(16, 64),
        ]
    ).to(torch.uint8)
    crop = change_of_crop(RandomCrop())
    torch.manual_seed(0)
    for _ in range(20):
        found = crop(image).float()
        assert found.shape == image.shape
        wide = (found[0, 8, -8] - found[0, 8, 7]) / (255 * 49 / 63)
        high = (found[1, -4, 30] - found[1, 3, 30]) / (255 * 9 / 15)
        assert 0.65 < wide / high < 1.5

"""Decoded images: kept or held, and those that cannot be read."""

import hashlib
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch

from renaissance.compiler.normalisation import Normalisation
from renaissance.grammar.declaration import Share
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime.augmentations.flip.schema import Flip
from renaissance.runtime.augmentations.randaugment.schema import RandAugment
from renaissance.runtime.augmentations.random_crop.change import change as change_of_crop
from renaissance.runtime.augmentations.random_crop.schema import RandomCrop
from renaissance.runtime.data import images as images_module
from renaissance.runtime.data import job_data
from renaissance.runtime.data.decode import read_image
from renaissance.runtime.data.errors import DataError
from renaissance.runtime.data.images import Images, room_for_images
from renaissance.runtime.data.joining import join
from renaissance.runtime.data.pixels import augmented
from renaissance.runtime.data.randomness import generator
from renaissance.runtime.data.resize import Resize
from renaissance.runtime.data.table import Source, Table, make_table

Draw = Callable[[Path, int], list[Path]]


def table(root: Path, count: int, share: float = 0.2, name: str = "pairs") -> Table:
    paths = [f"{number}.png" for number in range(count)]
    source = Source(name=name, max_unreadable=share)
    return make_table(source, root, pa.array(["text"] * count), pa.array(paths))


@pytest.mark.parametrize("cache_bytes", [0, 3 * 3 * 8 * 8, 10**6], ids=["held", "some", "kept"])
def test_pixels_are_those_of_the_files(tmp_path: Path, draw_images: Draw, cache_bytes: int) -> None:
    paths = draw_images(tmp_path, 6)
    images = Images(table(tmp_path, 6), 8, "crop", cache_bytes=cache_bytes)
    wanted = np.array([4, 1, 4])
    for _ in range(2):
        assert images.readable(wanted).tolist() == [True] * 3
        expected = [read_image(str(paths[image]), 8, "crop") for image in wanted]
        assert (images.pixels(wanted) == np.stack(expected)).all()
        images.release()


def test_as_many_are_kept_as_there_is_room_for(
    tmp_path: Path, draw_images: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw_images(tmp_path, 6)
    images = Images(table(tmp_path, 6), 8, "crop", cache_bytes=4 * 3 * 8 * 8 + 5)
    assert images.cache_bytes == 4 * 3 * 8 * 8
    read: list[str] = []

    def counted(path: str, size: int, resize: Resize) -> np.ndarray:
        read.append(path)
        return read_image(path, size, resize)

    monkeypatch.setattr(images_module, "read_image", counted)
    for _ in range(3):
        assert images.readable(np.arange(6)).all()
        assert images.pixels(np.arange(6)).any(axis=(1, 2, 3)).all()
        images.release()
    assert len(read) == 6 + 2 + 2


def test_room_is_a_share_of_what_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images_module, "free_memory", lambda: 10 * 2**30)
    assert room_for_images() == 4 * 2**30
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "4")
    assert room_for_images() == 2**30
    monkeypatch.setattr(images_module, "free_memory", lambda: None)
    assert room_for_images() == 2**29


def test_tables_of_a_job_share_the_room(
    finetuning: Callable[..., Spec], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(images_module, "free_memory", lambda: 180 * 3 * 8 * 8)
    data = job_data(finetuning(), "learn")
    for split in ("train", "validation", "test"):
        assert len(list(data.split(split, 7, 0, 1))) > 1
    kept = [corpus.images.cache_bytes // (3 * 8 * 8) for corpus in data._corpora.read]
    assert len(kept) == 3 and sum(kept) == 72 and kept[0] == 72


def test_a_small_set_is_read_once(tmp_path: Path, draw_images: Draw) -> None:
    paths = draw_images(tmp_path, 3)
    images = Images(table(tmp_path, 3), 8, "crop")
    images.readable(np.arange(3))
    before = images.pixels(np.arange(3))
    for path in paths:
        path.unlink()
    images.release()
    assert images.readable(np.arange(3)).all()
    assert (images.pixels(np.arange(3)) == before).all()
    # A pickled copy, for a worker that is not forked, starts afresh.
    copy = pickle.loads(pickle.dumps(Images(table(tmp_path, 3, share=1.0), 8, "crop")))
    assert not copy.readable(np.arange(3)).any()


@pytest.mark.parametrize("cache_bytes", [0, 3 * 3 * 8 * 8, 10**6], ids=["held", "some", "kept"])
def test_unreadable_images_are_named_with_reasons(
    tmp_path: Path, draw_images: Draw, cache_bytes: int
) -> None:
    paths = draw_images(tmp_path, 10)
    paths[3].write_text("no image")
    paths[7].unlink()
    images = Images(table(tmp_path, 10), 8, "crop", cache_bytes=cache_bytes)
    for _ in range(2):
        readable = images.readable(np.arange(10))
        assert np.flatnonzero(~readable).tolist() == [3, 7]
        assert list(images.unreadable) == [
            (str(paths[3]), "not an image"),
            (str(paths[7]), "missing"),
        ]


def test_too_many_unreadable_images_stop_the_run(tmp_path: Path, draw_images: Draw) -> None:
    paths = draw_images(tmp_path, 10)
    for path in paths[2:5]:
        path.write_text("no image")
    images = Images(table(tmp_path, 10), 8, "crop")
    with pytest.raises(DataError) as error:
        images.readable(np.arange(10))
    message = str(error.value)
    assert message.startswith("more than 20% of the 10 images of `pairs` cannot be read")
    assert all(f"`{path}`: not an image" in message for path in paths[2:5])
    assert "raise `max_unreadable`" in message and "\n" not in message


def test_every_block_has_a_limit_of_its_own(tmp_path: Path, draw_images: Draw) -> None:
    draw_images(tmp_path / "good", 20)
    bad = draw_images(tmp_path / "bad", 10)
    for path in bad[:2]:
        path.unlink()
    both = join(
        [table(tmp_path / "good", 20, 0.5, "good"), table(tmp_path / "bad", 10, 0.1, "bad")]
    )
    images = Images(both, 8, "crop")
    assert images.readable(np.arange(20)).all()
    with pytest.raises(DataError, match="more than 10% of the 10 images of `bad`"):
        images.readable(np.arange(30))


def test_normalisation() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (2, 3, 4, 4), dtype=np.uint8)
    mean, std = (0.1, 0.5, 0.9), (0.5, 0.25, 1.0)
    result = Normalisation(mean, std)(torch.from_numpy(pixels))
    scale = torch.tensor([1 / (255 * s) for s in std]).view(1, 3, 1, 1)
    shift = torch.tensor([-m / s for m, s in zip(mean, std, strict=True)]).view(1, 3, 1, 1)
    # One product and one sum, in float32: the bits do not depend on where it is done.
    assert torch.equal(result, torch.from_numpy(pixels).float() * scale + shift)
    assert result.dtype == torch.float32 and Normalisation(mean, std)(result) is result
    expected = (pixels / 255 - np.reshape(mean, (3, 1, 1))) / np.reshape(std, (3, 1, 1))
    assert result.shape == (2, 3, 4, 4)
    np.testing.assert_allclose(result.numpy(), expected, atol=1e-5)


CHANGES = (RandomCrop(), Flip(), RandAugment())


def test_augmentation_depends_on_seed_step_and_image_alone() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (8, 3, 16, 16), dtype=np.uint8)
    numbers = np.arange(100, 108)
    for changes in (CHANGES[2:], CHANGES):
        whole = augmented(pixels.copy(), numbers, changes, seed=0, step=5)
        assert (whole != pixels).any(axis=(1, 2, 3)).sum() >= 4
        part = augmented(pixels[3:5].copy(), numbers[3:5], changes, seed=0, step=5)
        assert (part == whole[3:5]).all()
        assert (augmented(pixels.copy(), numbers, changes, seed=0, step=6) != whole).any()
        assert (augmented(pixels.copy(), numbers, changes, seed=1, step=5) != whole).any()


def test_augmentations_follow_one_another() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (4, 3, 16, 16), dtype=np.uint8)
    mirrored = Flip(probability=Share(1.0))
    # Mirroring draws one number before the crop does.
    crop = augmented(pixels.copy(), np.arange(4), (mirrored, CHANGES[0]), seed=0, step=0)
    wanted = []
    for number, image in enumerate(torch.from_numpy(pixels)):
        torch.manual_seed(int(generator(0, "augment", 0, number).integers(2**62)))
        torch.rand(1)
        wanted.append(change_of_crop(CHANGES[0])(image.flip(-1)))
    assert (crop == torch.stack(wanted).numpy()).all()
    other = augmented(pixels.copy(), np.arange(4), (CHANGES[0], mirrored), seed=0, step=0)
    assert (crop != other).any()


def test_without_keys_augmentation_is_what_it_has_always_been() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (16, 3, 16, 16), dtype=np.uint8)
    changed = augmented(pixels, np.arange(16), (RandAugment(),), seed=7, step=3)
    assert hashlib.sha256(changed.tobytes()).hexdigest()[:16] == "9444cc23c8ad8558"

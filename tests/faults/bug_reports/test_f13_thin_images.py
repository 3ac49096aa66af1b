"""A long thin image costs no more than another one, and shows its middle."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.transforms import v2
from torchvision.transforms.v2 import InterpolationMode

from renaissance.runtime.data import resize as resize_module
from renaissance.runtime.data.decode import UnreadableImageError, read_image
from renaissance.runtime.data.image_file import MAX_SIDE
from renaissance.runtime.data.resize import resized


@pytest.mark.parametrize("shape", [(1, 30000), (1, 4000), (8000, 1), (3, 60000), (65536, 2)])
def test_what_is_scaled_is_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shape: tuple[int, int]
) -> None:
    scaled: list[int] = []
    real = resize_module.F.interpolate

    def counted(*arguments: object, **options: object) -> torch.Tensor:
        result: torch.Tensor = real(*arguments, **options)
        scaled.append(result.numel())
        return result

    monkeypatch.setattr(resize_module.F, "interpolate", counted)
    Image.fromarray(np.zeros((*shape, 3), np.uint8)).save(tmp_path / "a.png")
    assert read_image(str(tmp_path / "a.png"), 224, "crop").shape == (3, 224, 224)
    assert max(scaled) <= 20 * 3 * 224 * 224


@pytest.mark.parametrize("shape", [(1, 1000), (900, 1), (10, 100), (64, 600), (30, 129)])
def test_pixels_are_those_of_scaling_the_whole(shape: tuple[int, int]) -> None:
    size = 32
    draw = np.random.default_rng(0)
    coarse = draw.integers(0, 256, (*(max(side // 8, 1) for side in shape), 3), np.uint8)
    pixels = np.asarray(Image.fromarray(coarse).resize(shape[::-1], Image.Resampling.BICUBIC))
    image = torch.from_numpy(pixels.copy()).permute(2, 0, 1)
    whole = v2.functional.resize(image, [size], InterpolationMode.BICUBIC, antialias=True)
    expected = v2.functional.center_crop(whole, [size, size]).numpy().astype(int)
    assert np.abs(resized(pixels, size, "crop") - expected).max() <= 4
    if shape[0] in (1, 10, 64):
        assert (resized(pixels, size, "crop") == expected).all()


def test_a_longer_side_than_any_camera_has_is_refused(tmp_path: Path) -> None:
    Image.new("L", (MAX_SIDE + 1, 1)).save(tmp_path / "a.png")
    tracemalloc.start()
    with pytest.raises(UnreadableImageError, match="too large: 65537 × 1 pixels"):
        read_image(str(tmp_path / "a.png"), 224, "squash")
    assert tracemalloc.get_traced_memory()[1] < 2**24
    tracemalloc.stop()

"""What the features of an input depend on besides the input."""

import hashlib
from collections.abc import Sequence

import torch
from torch import Tensor

from renaissance.compiler.backbones.content import content_hash, tensor_hash
from renaissance.compiler.model.tower import Tower
from renaissance.runtime.feature_cache.grouping import LENGTH_STEP, grouped_images, grouped_texts
from renaissance.runtime.feature_cache.tower import EncodeImages, EncodeTexts

LAYOUT = 2
"""Number of the format of the files."""


def probe_images(encode: EncodeImages, shape: tuple[int, int], device: torch.device) -> Tensor:
    """Encode an image of noise that is the same each time: `[1, tokens, width]`.

    Of images that keep their shape, `shape` is the height and width of the largest, in pixels.

    Its features are equal bit for bit where the function of the tower is: architecture, attention,
    precision, libraries and the kernels that they choose on this device.
    """
    noise = torch.randn(1, 3, *shape, generator=torch.Generator().manual_seed(0))
    return grouped_images(encode, noise.to(device))


def probe_texts(encode: EncodeTexts, vocabulary: int, longest: int, device: torch.device) -> Tensor:
    """Encode two texts of random words that are the same each time: `[tokens, width]`.

    One of them is padded and one is not, as far as `longest` allows.
    """
    lengths = [min(LENGTH_STEP, longest), min(LENGTH_STEP + 1, longest)]
    drawn = torch.Generator().manual_seed(0)
    ids = torch.randint(vocabulary, (sum(lengths),), generator=drawn)
    return grouped_texts(encode, ids.to(device), lengths, longest)


def feature_key(tower: Tower, probed: Tensor, origin: Sequence[object] = ()) -> str:
    """Return a name under which features of equal origin are found.

    Args:
        tower: with the weights that it has throughout the job.
        probed: what `probe_images` or `probe_texts` gave for it.
        origin: what its inputs depend on besides the file that they are read from.
    """
    parts: list[object] = [LAYOUT, content_hash(tower), tensor_hash(probed), probed.dtype]
    parts.append(tuple(probed.shape))
    parts += origin
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()[:32]

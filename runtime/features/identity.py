"""What the features of an image depend on besides the image."""

import hashlib
from importlib.metadata import version

import torch
from torch import Tensor

from renaissance.compiler.backbones.content import content_hash, tensor_hash
from renaissance.compiler.backbones.tower import Tower
from renaissance.runtime.data.streams import ImageNeeds
from renaissance.runtime.features.tower import Encode, grouped

LAYOUT = 1
"""Number of the format of the files."""

DECODING = ("pillow", "torchvision")
"""Packages that turn a file into pixels."""


def probe(encode: Encode, size: int, device: torch.device) -> Tensor:
    """Encode an image of noise that is the same each time: `[1, tokens, width]`.

    Its features are equal bit for bit where the function of the tower is: architecture, attention,
    precision, libraries and the kernels that they choose on this device.
    """
    noise = torch.randn(1, 3, size, size, generator=torch.Generator().manual_seed(0))
    return grouped(encode, noise.to(device))


def feature_key(tower: Tower, needs: ImageNeeds, probed: Tensor) -> str:
    """Return a name under which features of equal origin are found.

    Args:
        tower: with the weights that it has throughout the job.
        needs: how files become pixels.
        probed: what `probe` gave for it.
    """
    parts = (
        LAYOUT,
        content_hash(tower),
        tensor_hash(probed),
        probed.dtype,
        tuple(probed.shape),
        (needs.size, needs.resize, needs.mean, needs.std),
        *(f"{package} {version(package)}" for package in DECODING),
    )
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()[:32]

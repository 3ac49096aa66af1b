"""From the bytes of images to what a model reads, on the device that they are on."""

from collections.abc import Sequence

import torch
from torch import Tensor


class Normalisation:
    """From pixels to what a model takes, on the device that the pixels are on.

    Args:
        mean: of each channel, on a scale from 0 to 1.
        std: of each channel, on the same scale.
    """

    def __init__(self, mean: Sequence[float], std: Sequence[float]) -> None:
        """Put both into one factor and one summand a channel."""
        self._scale = tuple(1 / (255 * s) for s in std)
        self._shift = tuple(-m / s for m, s in zip(mean, std, strict=True))
        self._on: dict[torch.device, tuple[Tensor, Tensor]] = {}

    def __call__(self, pixels: Tensor) -> Tensor:
        """Normalise images.

        Args:
            pixels: `[images, 3, height, width]` uint8; floating-point ones are normalised already.

        Returns:
            `[images, 3, height, width]` float32 on the same device.
        """
        if pixels.is_floating_point():
            return pixels
        scale, shift = self.factors(pixels.device)
        return pixels.float().mul_(scale).add_(shift)

    def factors(self, device: torch.device) -> tuple[Tensor, Tensor]:
        """Return both as `[1, 3, 1, 1]`; a device is sent them once, as it waits for them."""
        if device not in self._on:
            scale = torch.tensor(self._scale, device=device).view(1, 3, 1, 1)
            shift = torch.tensor(self._shift, device=device).view(1, 3, 1, 1)
            self._on[device] = scale, shift
        return self._on[device]

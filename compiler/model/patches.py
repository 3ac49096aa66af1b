"""Hiding patches of images, and reading them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from renaissance.compiler.errors import CompileError


@dataclass(frozen=True, slots=True, kw_only=True)
class HiddenImages:
    """Images of which patches are hidden.

    Attributes:
        pixels: `[images, 3, height, width]`, normalised, all of one shape.
        mask: `[images, patches]` bool, True where a patch is hidden.
        token: `[channels of embedded patches]`, takes the place of embeddings of hidden patches.
        side: height and width of a patch, pixels.
        stream: that reads them, for messages.
    """

    pixels: Tensor
    mask: Tensor
    token: Tensor
    side: int
    stream: str

    @property
    def grid(self) -> tuple[int, int]:
        """Patches from top to bottom and from left to right."""
        height, width = self.pixels.shape[2:]
        return height // self.side, width // self.side

    def blank(self) -> Tensor:
        """Return the pixels with zeros where they are hidden, whatever embeds them then."""
        (images, channels), (down, across) = self.pixels.shape[:2], self.grid
        shape = (images, channels, down, self.side, across, self.side)
        seen = ~self.mask.view(images, 1, down, 1, across, 1)
        return (self.pixels.view(shape) * seen).view(self.pixels.shape)

    @contextmanager
    def embedded_by(self, embedding: nn.Module) -> Iterator[None]:
        """Let the token take the place of what a module makes of hidden patches."""
        hook = embedding.register_forward_hook(self._replaced)
        try:
            yield
        finally:
            hook.remove()

    def _replaced(self, embedding: nn.Module, inputs: Any, patches: Any) -> Tensor:
        """Replace `[images, patches, c]`, or, where nothing flattens, rows of patches.

        Those are `[images, c, down, across]`, or `[images, down, across, c]`.

        Raises:
            CompileError: if there are others.
        """
        shape = tuple(patches.shape[1:]) if isinstance(patches, Tensor) else ()
        width, (down, across) = len(self.token), self.grid
        token = self.token.to(patches.dtype) if shape else self.token
        if shape == (down * across, width):
            return torch.where(self.mask[..., None], token, patches)
        if shape == (width, down, across):
            return torch.where(self.mask.view(-1, 1, down, across), token[:, None, None], patches)
        if shape == (down, across, width):
            return torch.where(self.mask.view(-1, down, across, 1), token, patches)
        raise CompileError(
            f"`{self.stream}` does not embed {down} × {across} patches as {width} channels each, "
            "as a ViT does: none can be hidden; take a tower that keeps its patches"
        )

    def check(self, tokens: int, prefix: int) -> None:
        """Refuse a tower whose tokens are not its patches.

        Args:
            tokens: that it gives of each image.
            prefix: of these, how many stand before the patches.

        Raises:
            CompileError: if there are others.
        """
        down, across = self.grid
        if tokens != prefix + down * across:
            raise CompileError(
                f"`{self.stream}` gives {tokens} tokens of an image of {down} × {across} patches: "
                "which of them stands for a hidden patch nobody knows; take a tower that keeps its "
                "patches"
            )

    def patches(self) -> Tensor:
        """Return the pixels of all patches, `[images * patches, pixels of a patch]`.

        Patches stand row by row, image by image; each pixel has its channels side by side.
        """
        (images, channels), (down, across) = self.pixels.shape[:2], self.grid
        cut = self.pixels.view(images, channels, down, self.side, across, self.side)
        ordered = cut.permute(0, 2, 4, 3, 5, 1)  # [images, down, across, side, side, channels]
        return ordered.reshape(images * down * across, self.side**2 * channels)


def patch_embedding(encoder: nn.Module) -> nn.Module | None:
    """Return the part of a library's encoder that embeds patches; None where none is told."""
    names = ("patch_embeddings", "patch_embedding", "patch_embed")
    for name, part in encoder.named_modules():
        if name.rpartition(".")[2] in names and isinstance(part, nn.Module):
            return part
    return None

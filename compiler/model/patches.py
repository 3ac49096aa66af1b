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
        pixels: `[images, 3, height, width]`, normalised.
        mask: `[images, patches]` bool, True where a patch is hidden.
        token: `[channels of embedded patches]`, takes the place of embeddings of hidden patches.
        grid: patches along one side.
        stream: that reads them, for messages.
    """

    pixels: Tensor
    mask: Tensor
    token: Tensor
    grid: int
    stream: str

    def blank(self) -> Tensor:
        """Return the pixels with zeros where they are hidden, whatever embeds them then."""
        images, channels, height, width = self.pixels.shape
        down, across = height // self.grid, width // self.grid
        shape = (images, channels, self.grid, down, self.grid, across)
        seen = ~self.mask.view(images, 1, self.grid, 1, self.grid, 1)
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
        """Replace `[images, patches, c]`, or `[images, c, grid, grid]` where nothing flattens.

        Raises:
            CompileError: if there are others.
        """
        shape = tuple(patches.shape[1:]) if isinstance(patches, Tensor) else ()
        width, grid = len(self.token), self.grid
        if shape not in ((grid * grid, width), (width, grid, grid)):
            raise CompileError(
                f"`{self.stream}` does not embed {grid} × {grid} patches as {width} channels each, "
                "as a ViT does: none can be hidden; take a tower that keeps its patches"
            )
        token = self.token.to(patches.dtype)
        if patches.ndim == 3:
            return torch.where(self.mask[..., None], token, patches)
        mask = self.mask.view(-1, 1, self.grid, self.grid)
        return torch.where(mask, token[:, None, None], patches)


def patch_embedding(encoder: nn.Module) -> nn.Module | None:
    """Return the part of a library's encoder that embeds patches; None where none is told."""
    names = ("patch_embeddings", "patch_embedding", "patch_embed")
    for name, part in encoder.named_modules():
        if name.rpartition(".")[2] in names and isinstance(part, nn.Module):
            return part
    return None


def patch_pixels(pixels: Tensor, grid: int, chosen: Tensor) -> Tensor:
    """Return the pixels of patches.

    Args:
        pixels: `[images, 3, height, width]`.
        grid: patches along one side.
        chosen: `[items]` int64, places of patches among those of all images, row by row.

    Returns:
        `[items, pixels of a patch]`: of each pixel its channels.
    """
    images, channels, height, width = pixels.shape
    down, across = height // grid, width // grid
    cut = pixels.view(images, channels, grid, down, grid, across)
    flat = cut.permute(0, 2, 4, 3, 5, 1).reshape(images * grid * grid, down * across * channels)
    return flat.index_select(0, chosen)


def check_patches(tokens: int, prefix: int, grid: int, stream: str) -> None:
    """Refuse a tower whose tokens are not its patches; raises CompileError."""
    if tokens != prefix + grid * grid:
        raise CompileError(
            f"`{stream}` gives {tokens} tokens of an image of {grid} × {grid} patches: which of "
            "them stands for a hidden patch nobody knows; take a tower that keeps its patches"
        )

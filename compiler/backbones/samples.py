"""Random inputs that parts of libraries are tried with, whatever their weights are."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from renaissance.compiler.model.features import Features
from renaissance.compiler.model.inputs import TextInput
from renaissance.compiler.model.packing import Packing

LENGTHS = (5, 2, 1)
"""Tokens of the rows that text and stacks are proved with."""

TOLERANCE = 1e-4
"""Largest error, as a share of what is compared: orders of addition differ by 1e-6, a lost mask
by 1e-3 and more."""

HIDDEN = 5e-3
"""Parameters as small as this start where they hide what passes through them, such as a bias of
relative positions at zero."""


def ragged_texts(vocabulary: int, longest: int, padding: int) -> tuple[TextInput, TextInput]:
    """Return random texts, padded and packed, as long as a tower takes or `LENGTHS`."""
    packing = _ragged(longest)
    ids = torch.randint(vocabulary, (int(packing.cumulative[-1]),), generator=_generator())
    packed = TextInput(
        input_ids=ids.where(ids != padding, (padding + 1) % vocabulary), packing=packing
    )
    return packed.padded(), packed


def ragged_rows(width: int) -> tuple[Features, Features]:
    """Return rows of random tokens, padded and packed."""
    packing = _ragged(max(LENGTHS))
    tokens = torch.randn(int(packing.cumulative[-1]), width, generator=_generator())
    packed = Features(tokens=tokens, packing=packing)
    return packed.padded(), packed


def random_image(size: int) -> Tensor:
    """Return one image of noise, `[1, 3, size, size]`."""
    return torch.randn(1, 3, size, size, generator=_generator())


def telling(part: nn.Module) -> dict[str, Tensor]:
    """Return other values for the parameters that hide what passes through them."""
    generator = _generator()
    return {
        name: torch.randn(tensor.shape, generator=generator).to(tensor.dtype) / 2
        for name, tensor in part.named_parameters()
        if tensor.numel() and max(map(abs, torch.aminmax(tensor.detach()))) < HIDDEN
    }


@contextmanager
def undisturbed(part: nn.Module) -> Iterator[None]:
    """Run a part in evaluation without autograd; leave modes and random state as they were.

    LeViT keeps in evaluation what it once made of its biases: it forgets that too.
    """
    training = [module for module in part.modules() if module.training]
    part.eval()
    try:
        with torch.random.fork_rng(devices=[]), torch.no_grad():
            yield
    finally:
        for module in training:
            module.training = True
        for module in part.modules():
            getattr(module, "attention_bias_cache", {}).clear()


def _ragged(longest: int) -> Packing:
    lengths = [min(length, longest) for length in LENGTHS]
    ends = torch.tensor([0, *lengths]).cumsum(0, dtype=torch.int32)
    return Packing(cumulative=ends, longest=max(lengths))


def _generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)

"""The optimizer of `adam`: torch's, all parameters of a group in one kernel."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from renaissance.runtime.optimizers.adam.schema import Adam


def group(block: Adam, parameters: Sequence[nn.Parameter], *, decays: bool) -> dict[str, Any]:
    """Return a group of parameters with its options.

    Args:
        block: the keys of a job's optimizer.
        parameters: of the group.
        decays: whether they are pulled to zero, as matrices are and biases and norms are not.
    """
    return {"params": parameters, "weight_decay": block.weight_decay if decays else 0.0}


def build(block: Adam, groups: Sequence[dict[str, Any]]) -> torch.optim.Optimizer:
    """Return the optimizer of some groups, each with a rate `lr` of its own."""
    return torch.optim.Adam(groups, betas=block.betas, eps=block.eps, fused=True)

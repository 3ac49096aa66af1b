"""The optimizer of `sgd`: torch's, with one kernel for all parameters of a group."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn
from torch.distributed.tensor import DTensor

from renaissance.runtime.optimizers.sgd.schema import Sgd


def group(block: Sgd, parameters: Sequence[nn.Parameter], *, decays: bool) -> dict[str, Any]:
    """Return a group of parameters with its options.

    Args:
        block: the keys of a job's optimizer.
        parameters: of the group.
        decays: whether they are pulled to zero, as matrices are and biases and norms are not.
    """
    return {"params": parameters, "weight_decay": block.weight_decay if decays else 0.0}


def build(block: Sgd, groups: Sequence[dict[str, Any]]) -> torch.optim.Optimizer:
    """Return the optimizer of some groups, each with a rate `lr` of its own."""
    # torch has no fused step for weights that are split over processes.
    split = any(isinstance(part, DTensor) for group in groups for part in group["params"])
    optimizer = torch.optim.SGD(
        groups,
        momentum=block.momentum,
        nesterov=block.nesterov and block.momentum > 0,
        fused=not split,
        foreach=split,
    )
    if block.momentum:
        optimizer.register_step_pre_hook(_begin)
    return optimizer


def _begin(optimizer: torch.optim.Optimizer, *_: Any) -> None:
    """Let the momentum of a weight begin at zero.

    torch's fused step fails where some weights of a group have a momentum and others, which get
    their first gradient later, have none.
    """
    for options in optimizer.param_groups:
        for weight in options["params"]:
            if weight.grad is not None and not optimizer.state[weight]:
                optimizer.state[weight]["momentum_buffer"] = torch.zeros_like(weight)

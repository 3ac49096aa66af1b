"""What is frozen stays constant: no dropout, no running statistics, whatever the training mode."""

from collections.abc import Collection

import torch
from torch import Tensor, nn

_CAST = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)
"""Modules that use their parameters in no other way than to hand them to one operation that
autocast runs in low precision. Norms, embeddings and positions are read in float32 there."""


def learns(module: nn.Module) -> bool:
    """Return whether any parameter of a module takes a gradient."""
    return any(parameter.requires_grad for parameter in module.parameters())


def keep_constant(module: nn.Module) -> None:
    """Put every part that holds parameters, none of which learns, into evaluation mode."""
    if any(True for _ in module.parameters()) and not learns(module):
        for part in module.modules():
            part.training = False
        return
    for child in module.children():
        keep_constant(child)


def constant_weights(model: nn.Module, never: Collection[str]) -> dict[str, nn.Parameter]:
    """Return the parameters that may be held in low precision with nothing changed.

    Under autocast a linear map or convolution casts its parameters whenever it runs. Where they
    never learn, holding what the cast gives is the same function bit for bit, at half of the bytes
    and without the cast.

    Args:
        model: holds the parameters.
        never: names of parameters that do not learn in any step of the job.
    """
    owners: dict[nn.Parameter, list[type[nn.Module]]] = {}
    for part in model.modules():
        for parameter in part.parameters(recurse=False):
            # Whatever derives from these may do something else with its weights.
            owners.setdefault(parameter, []).append(type(part))
    return {
        name: parameter
        for name, parameter in model.named_parameters()
        if name in never
        and parameter.dtype == torch.float32
        and all(owner in _CAST for owner in owners[parameter])
    }


def hold_in_low_precision(
    model: nn.Module, never: Collection[str], dtype: torch.dtype
) -> dict[str, Tensor]:
    """Cast what `constant_weights` finds, in place; the model runs under autocast from now on.

    Args:
        model: with its final weights.
        never: names of parameters that do not learn in any step of the job.
        dtype: that autocast computes in.

    Returns:
        The float32 tensors by name, as they were.
    """
    originals = {}
    for name, parameter in constant_weights(model, never).items():
        originals[name] = parameter.data
        parameter.data = parameter.data.to(dtype)
    return originals

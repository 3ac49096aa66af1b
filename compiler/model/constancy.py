"""What is frozen stays constant: no dropout, no running statistics, whatever the training mode."""

from torch import nn


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

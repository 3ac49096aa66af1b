"""What is frozen stays constant: no dropout, no running statistics, whatever the training mode."""

from torch import nn


def keep_constant(module: nn.Module) -> None:
    """Put every part that holds parameters, none of which learns, into evaluation mode."""
    parameters = list(module.parameters())
    if parameters and not any(parameter.requires_grad for parameter in parameters):
        for part in module.modules():
            part.training = False
        return
    for child in module.children():
        keep_constant(child)

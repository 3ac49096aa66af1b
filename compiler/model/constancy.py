"""What is frozen stays constant: no dropout, no running statistics, whatever the training mode."""

from torch import nn


def learns(module: nn.Module) -> bool:
    """Return whether any parameter of a module takes a gradient."""
    return any(parameter.requires_grad for parameter in module.parameters())


def keep_constant(module: nn.Module) -> None:
    """Put every part that holds parameters, none of which learns, into evaluation mode."""
    _keep(module)


def _keep(module: nn.Module) -> bool | None:
    """Do so in one walk; return whether anything in a module learns, None without parameters."""
    parts = [(child, _keep(child)) for child in module.children()]
    learning = [learns for _, learns in parts if learns is not None]
    learning += [parameter.requires_grad for parameter in module.parameters(recurse=False)]
    if learning and not any(learning):
        module.training = False
        for child, learns in parts:
            if learns is None:
                child.eval()
    return any(learning) if learning else None

"""From a checked spec to a plan, a model in memory or a job folder on disk."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from renaissance.compiler.assembly import build
    from renaissance.compiler.bundle import compile
    from renaissance.compiler.model import VisionLanguageModel
    from renaissance.compiler.planning import Plan, plan

__all__ = ["Plan", "VisionLanguageModel", "build", "compile", "plan"]

_MODULES = {
    "Plan": "renaissance.compiler.planning",
    "VisionLanguageModel": "renaissance.compiler.model",
    "build": "renaissance.compiler.assembly",
    "compile": "renaissance.compiler.bundle",
    "plan": "renaissance.compiler.planning",
}


def __getattr__(name: str) -> Any:
    """Import what is asked for, so that importing the package does not import torch."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_MODULES[name]), name)

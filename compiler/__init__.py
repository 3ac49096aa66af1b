"""From a checked spec to a plan, a model in memory or a job folder on disk.

Names are imported when they are first used, so that importing the package does not import torch.
"""

from typing import TYPE_CHECKING

from renaissance.grammar.first_use import on_first_use

if TYPE_CHECKING:
    from renaissance.compiler.assembly import build
    from renaissance.compiler.bundle import compile
    from renaissance.compiler.model import VisionLanguageModel
    from renaissance.compiler.planning import Plan, plan

__all__ = ["Plan", "VisionLanguageModel", "build", "compile", "plan"]

__getattr__ = on_first_use(
    __name__,
    {
        "Plan": "renaissance.compiler.planning",
        "VisionLanguageModel": "renaissance.compiler.model",
        "build": "renaissance.compiler.assembly",
        "compile": "renaissance.compiler.bundle",
        "plan": "renaissance.compiler.planning",
    },
)

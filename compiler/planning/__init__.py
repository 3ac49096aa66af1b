"""Plans: what a spec's models and jobs would cost."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from renaissance.compiler.planning.plans import plan
    from renaissance.compiler.planning.spec_plan import Plan

__all__ = ["Plan", "plan"]

_MODULES = {
    "Plan": "renaissance.compiler.planning.spec_plan",
    "plan": "renaissance.compiler.planning.plans",
}


def __getattr__(name: str) -> Any:
    """Import what is asked for: what is known of machines needs no torch."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_MODULES[name]), name)

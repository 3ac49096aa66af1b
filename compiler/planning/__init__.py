"""Plans: what a spec's models and jobs would cost."""

from renaissance.compiler.planning.figures import Plan
from renaissance.compiler.planning.plans import plan

__all__ = ["Plan", "plan"]

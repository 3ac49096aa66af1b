"""Plans: what a spec's models and jobs would cost."""

from renaissance.compiler.planning.plans import plan
from renaissance.compiler.planning.spec_plan import Plan

__all__ = ["Plan", "plan"]

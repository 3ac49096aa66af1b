"""Plans: what a spec's models and jobs would cost.

Names are imported when they are first used: what is known of machines needs no torch.
"""

from typing import TYPE_CHECKING

from renaissance.grammar.first_use import on_first_use

if TYPE_CHECKING:
    from renaissance.compiler.planning.plans import plan
    from renaissance.compiler.planning.spec_plan import Plan

__all__ = ["Plan", "plan"]

__getattr__ = on_first_use(
    __name__,
    {
        "Plan": "renaissance.compiler.planning.spec_plan",
        "plan": "renaissance.compiler.planning.plans",
    },
)

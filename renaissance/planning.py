"""`rn.plan`: the plan of a spec, which shows itself where Python shows things."""

from dataclasses import fields
from html import escape
from typing import TYPE_CHECKING

from renaissance.compiler.planning import plans, spec_plan
from renaissance.compiler.planning.machines import find_gpu
from renaissance.opening import opened

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from rich.console import RenderableType

    from renaissance.compiler.planning.machines import Device, Machine
    from renaissance.grammar.schema.spec import Spec


class Plan(spec_plan.Plan):
    """All models of a spec and its jobs; `print` and rich show trees and tables."""

    __slots__ = ()

    def __rich__(self) -> "RenderableType":
        """Return what rich prints."""
        from renaissance.render.plan import draw

        return draw(self)

    def __str__(self) -> str:
        """Return the same as text."""
        from renaissance.render.plan import text_of

        return text_of(self)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        """Return the same for a notebook."""
        return f"<pre>{escape(str(self))}</pre>"


def plan(
    spec: "Spec | str | Path",
    model: str | None = None,
    *,
    tokens: int | None = None,
    texts: "int | Mapping[str, int] | None" = None,
    machine: "Machine | str | None" = None,
    device: "Device | None" = None,
) -> Plan:
    """Plan the models and jobs of a spec; the arguments are those of `renaissance.compiler.plan`.

    Args:
        spec: a loaded one, a file, or the name of a shipped one.
        model: leaves out all models but this one, and the jobs of others.
        tokens: mean of a text; as many as its tower takes if None.
        texts: of an epoch, for jobs whose length is given in epochs; by name of a job where they
            differ, as those of evaluations do.
        machine: whose speed counts, or the name of a GPU, such as `h100`; None for no times.
        device: whose memory counts; the machine's, and without one a GPU's.

    Raises:
        SourceError: if a file cannot be read.
        SpecError: if it has errors; carries every finding.
        CompileError: if a model cannot be built as declared, or there is no model, or no GPU, of
            this name.
    """
    machine = find_gpu(machine) if isinstance(machine, str) else machine
    found = plans.plan(
        opened(spec), model, tokens=tokens, texts=texts, machine=machine, device=device
    )
    return Plan(**{field.name: getattr(found, field.name) for field in fields(found)})

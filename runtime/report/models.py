"""The models of a spec as figures: a drawing of each and what its plan counts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup
from pydantic import ValidationError

from renaissance.grammar.schema.spec import Spec
from renaissance.runtime.report.architecture import architecture
from renaissance.runtime.report.blueprint import blueprint
from renaissance.runtime.report.figures import count, magnitude, share


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFigure:
    """A drawing and what stands beside it.

    Attributes:
        name: of the model.
        parameters: of the model, with the heads of its jobs.
        frozen: share of them that does not learn, 0 to 1.
        svg: the drawing.
        facts: figures by name.
    """

    name: str
    parameters: int
    frozen: float
    svg: Markup
    facts: tuple[tuple[str, str], ...]


def plan_of(spec: Spec) -> Mapping[str, Any]:
    """Return the plan of a spec as a dictionary.

    Raises:
        Exception: whatever the compiler raises for a spec that it cannot plan.
    """
    # The compiler brings torch: only what draws models pays for it.
    from renaissance.compiler import plan

    described: Mapping[str, Any] = plan(spec).to_dict()
    return described


def model_figures(plan: Mapping[str, Any]) -> tuple[ModelFigure, ...]:
    """Draw every model of a plan's dictionary.

    Raises:
        ValueError: if the dictionary is no plan.
    """
    try:
        return tuple(_figure(model, index) for index, model in enumerate(plan.get("models", ())))
    except ValidationError as error:
        raise ValueError("the plan does not list components as expected") from error


def _figure(model: Mapping[str, Any], index: int) -> ModelFigure:
    drawn = architecture(model)
    facts = []
    parameters = model.get("parameters", {})
    total = parameters.get("total", 0)
    for name, spelled in (
        ("total", "parameters"),
        ("trainable", "learn"),
        ("frozen", "frozen"),
        ("tied", "shared"),
    ):
        number = parameters.get(name)
        if number is None or (name == "tied" and not number):
            continue
        part = f" ({share(number / total)})" if name in ("trainable", "frozen") and total else ""
        facts.append((spelled.capitalize(), count(number) + part))
    flops = model.get("flops_per_sample", {})
    for name, spelled in (("forward", "FLOPs forward"), ("training", "FLOPs training")):
        if flops.get(name):
            facts.append((spelled, f"{magnitude(flops[name])} a sample"))
    return ModelFigure(
        name=drawn.name,
        parameters=total,
        frozen=parameters.get("frozen", 0) / total if total else 0.0,
        svg=blueprint(drawn, index=index),
        facts=tuple(facts),
    )

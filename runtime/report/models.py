"""The models of a spec as figures: a drawing of each and what its plan counts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup
from pydantic import ValidationError

from renaissance.grammar.schema.spec import Spec
from renaissance.runtime.report.architecture import architecture
from renaissance.runtime.report.blueprint import blueprint
from renaissance.runtime.report.figures import count, magnitude, share

Described = Mapping[str, Any]
"""A part of a plan's dictionary."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFigures:
    """What a job trains and computes: parameters with its heads, operations for one text."""

    name: str
    parameters: str
    frozen: str
    forward: str
    training: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFigure:
    """A drawing and what stands beside it.

    Attributes:
        name: of the model.
        parameters: of everything that is drawn.
        frozen: share of them that is frozen in the first step, 0 to 1.
        unread: share of them that no head reads, which is held too, 0 to 1.
        svg: the drawing.
        jobs: figures of the jobs that train it, or of the model alone if none does.
        directives: what is frozen, as the spec says it, and how many parameters that are.
        notes: what was done to fit parts together.
    """

    name: str
    parameters: int
    frozen: float
    unread: float
    svg: Markup
    jobs: tuple[JobFigures, ...]
    directives: tuple[str, ...]
    notes: tuple[str, ...]


def plan_of(spec: Spec, machine: Any = None) -> Described:
    """Return the plan of a spec as a dictionary.

    Args:
        spec: that is planned.
        machine: whose speed counts; None for no times.

    Raises:
        Exception: whatever the compiler raises for a spec that it cannot plan.
    """
    # The compiler brings torch: only what draws models pays for it.
    from renaissance.compiler import plan

    described: Described = plan(spec, machine=machine).to_dict()
    return described


def model_figures(plan: Described) -> tuple[ModelFigure, ...]:
    """Draw the models of a plan's dictionary with the heads of the jobs that train them.

    Jobs that train the same parts of a model share a drawing; a job that overrides its model has
    its own. A model that no job trains is drawn alone.

    Raises:
        ValueError: if the dictionary is no plan.
    """
    groups: dict[tuple[object, ...], list[tuple[str, Described]]] = {}
    try:
        for job in plan["jobs"]:
            # An evaluation trains nothing: all of its model would seem frozen.
            if job["kind"] != "evaluate":
                model = _marked(job["model"], tuple(job.get("unread", ())))
                groups.setdefault(_body(model), []).append((job["name"], model))
        trained = {model["name"] for members in groups.values() for _, model in members}
        for model in plan["models"]:
            if model["name"] not in trained:
                groups[_body(model)] = [(model["name"], model)]
        return tuple(_figure(members, index) for index, members in enumerate(groups.values()))
    except (KeyError, TypeError, ValidationError) as error:
        raise ValueError("the plan does not describe models as expected") from error


def _marked(model: Described, unread: tuple[str, ...]) -> Described:
    """Return a model whose components say whether something reads them."""
    inside = tuple(f"{address}{sign}" for address in unread for sign in ".[")
    components = [
        {**part, "read": part["address"] not in unread and not part["address"].startswith(inside)}
        for part in model["components"]
    ]
    return {**model, "components": components}


def _body(model: Described) -> tuple[object, ...]:
    """Return what tells the drawing of a model from others, its heads left out."""
    return (
        model["name"],
        *(
            (
                *(part["address"], part["parameters"], part["trainable"], str(part["output"])),
                part.get("read", True),
            )
            for part in model["components"]
            if not _is_head(part)
        ),
    )


def _figure(members: Sequence[tuple[str, Described]], index: int) -> ModelFigure:
    model = members[0][1]
    body = [part for part in model["components"] if not _is_head(part)]
    heads = {
        (part["address"], part["parameters"]): part
        for _, other in members
        for part in other["components"]
        if _is_head(part)
    }
    reads = {name: what for _, other in members for name, what in other["heads"].items()}
    drawn = architecture({**model, "components": [*body, *heads.values()], "heads": reads})
    parameters = sum(block.parameters for block in drawn.blocks)
    learning = sum(block.learning for block in drawn.blocks)
    unread = sum(block.unread for block in drawn.blocks)
    return ModelFigure(
        name=drawn.name,
        parameters=parameters,
        frozen=(parameters - learning - unread) / parameters if parameters else 0.0,
        unread=unread / parameters if parameters else 0.0,
        svg=blueprint(drawn, index=index),
        jobs=tuple(_job(name, other) for name, other in members),
        directives=tuple(_directive(part) for part in model["freeze"]),
        notes=tuple(model["notes"]),
    )


def _job(name: str, model: Described) -> JobFigures:
    parameters, flops = model["parameters"], model["flops_per_sample"]
    frozen, total = parameters["frozen"], parameters["total"]
    return JobFigures(
        name=name,
        parameters=count(total),
        frozen=share(frozen / total) if frozen else "none",
        forward=magnitude(flops["forward"]),
        training=magnitude(flops["training"]),
    )


def _directive(part: Described) -> str:
    words = ", ".join(part["selectors"])
    if part["excluded"]:
        words += f" except {', '.join(part['excluded'])}"
    if part["until"] is not None:
        steps = "" if str(part["until"]).endswith("%") else "step "
        words += f" until {steps}{part['until']}"
    if part.get("rank") is not None:
        words += f", beside {count(part['adapters'])} in adapters of rank {part['rank']}"
    return f"{words}: {count(part['parameters'])} parameters"


def _is_head(part: Described) -> bool:
    return bool(part["kind"] == "head")

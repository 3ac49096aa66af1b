"""Does freezing leave a job something to do, and fit its length and its heads?"""

from collections.abc import Iterable, Sequence

from renaissance.grammar.anatomy.model import Anatomy, starts_random
from renaissance.grammar.anatomy.parts import Leaf
from renaissance.grammar.checks.caching import check_job_caching
from renaissance.grammar.checks.selecting import no_head
from renaissance.grammar.declaration import Share
from renaissance.grammar.diagnostics import Diagnostic, Label
from renaissance.grammar.findings import Findings
from renaissance.grammar.places import Path, Places
from renaissance.grammar.schema.jobs import Finetune, Pretrain
from renaissance.grammar.schema.model import Adapt, Freeze, Model
from renaissance.grammar.source import Span


def check_job_freezing(
    name: str,
    job: Pretrain | Finetune,
    model: Model,
    path: Path,
    fresh: bool,
    later: Sequence[Model],
    places: Places,
    findings: Findings,
) -> None:
    """Report freezing that leaves a job nothing to do, or does not fit its length.

    Args:
        name: of the job.
        job: a training job.
        model: the job's model, with its overrides.
        path: where the model stands in the spec.
        fresh: the job starts from the model as it is initialised.
        later: models of jobs that start from this one.
        places: where everything was said.
        findings: receives what is wrong.
    """
    anatomy = model.anatomy(job.heads())
    frozen = frozen_leaves(model, anatomy)
    if frozen >= anatomy.leaves:
        findings.add(
            Diagnostic(
                code="VL201",
                message=f"job `{name}` has nothing to learn",
                span=_span(places, ("jobs", name)),
                label="every part of its model is frozen",
                help=("freeze less, or take it back here: `model { freeze nothing }`",),
                related=_directives(model, path, places),
            )
        )
        return
    check_job_caching(job, model, path, places, findings)
    for index, directive in enumerate(model.freeze):
        until = directive.until
        if job.steps is None or until is None or isinstance(until, Share):
            continue
        if until >= job.steps:
            findings.add(
                Diagnostic(
                    code="VL202",
                    message=f"`until {until}` lies beyond job `{name}`",
                    span=_span(places, (*path, "freeze", index, "until")),
                    label=f"the job has {job.steps} steps",
                    related=(
                        Label(
                            span=_span(places, ("jobs", name, "steps")), text="length of the job"
                        ),
                    ),
                    help=("leave `until` out to freeze for the whole job",),
                )
            )
    if fresh:
        for one in later:  # what learns after this job does not stay random
            frozen &= frozen_leaves(one, one.anatomy(()))
        _random(name, model, anatomy, frozen, path, places, findings)


def check_frozen_heads(
    jobs: Iterable[tuple[Pretrain | Finetune, Model, Path]], places: Places, findings: Findings
) -> None:
    """Report selectors of heads that no job has.

    A model serves several jobs, each with heads of its own, so that one job is enough.

    Args:
        jobs: all training jobs, each with its model and where that stands in the spec.
        places: where everything was said.
        findings: receives what is wrong.
    """
    heads: dict[Span, set[str]] = {}
    said: dict[Span, tuple[str, bool]] = {}
    for job, model, path in jobs:
        anatomy = model.anatomy(job.heads())
        for index, directive in enumerate(model.freeze):
            for field in ("selectors", "excluded"):
                for position, selector in enumerate(getattr(directive, field)):
                    if selector.partition(".")[0] != "heads":
                        continue
                    span = _span(places, (*path, "freeze", index, field, position))
                    heads.setdefault(span, set()).update(head.name for head in job.heads())
                    found = bool(anatomy.select(selector).leaves)
                    said[span] = (selector, found or said.get(span, ("", False))[1])
    for span, (selector, found) in said.items():
        if not found:
            findings.add(no_head("freeze", selector, tuple(sorted(heads[span])), span))


def frozen_leaves(model: Model, anatomy: Anatomy) -> frozenset[Leaf]:
    """Return what is frozen for the whole of a job; adapters learn."""
    frozen: frozenset[Leaf] = frozenset()
    for directive in model.frozen:
        if directive.until is None:
            frozen |= directive_leaves(directive, anatomy)
    return frozenset(leaf for leaf in frozen if not leaf.adapts)


def directive_leaves(directive: Freeze | Adapt, anatomy: Anatomy) -> frozenset[Leaf]:
    """Return what one directive freezes."""
    return anatomy.selected(directive.selectors, directive.excluded)


def _random(
    name: str,
    model: Model,
    anatomy: Anatomy,
    frozen: frozenset[Leaf],
    path: Path,
    places: Places,
    findings: Findings,
) -> None:
    """Warn about parts that start from random weights and never learn."""
    if model.weights is not None:
        return
    spared = (selector for directive in model.freeze for selector in directive.excluded)
    if not all(anatomy.select(selector).leaves for selector in spared):
        return  # what was meant to learn was misspelt, and is reported
    blocks = {**model.streams, model.fusion_name: model.fusion.stack or model.fusion}
    for root, block in blocks.items():
        if any(address.partition(".")[0] == root for address in anatomy.adapters):
            continue
        whole = {leaf for leaf in anatomy.leaves if leaf.root == root}
        if not starts_random(block) or not whole <= frozen:
            continue
        index = next(
            (
                i
                for i, directive in enumerate(model.freeze)
                if any(leaf.root == root for leaf in directive_leaves(directive, anatomy))
            ),
            None,
        )
        if index is None:
            continue  # held by an `adapt` that finds no linear map, which is reported
        findings.add(
            Diagnostic(
                code="VL205",
                message=f"`{root}` starts from random weights and never learns",
                span=_selector_span(model.freeze[index], index, root, anatomy, path, places),
                severity="warning",
                label=f"frozen in job `{name}`, and no job before it trains it",
                help=("leave it out of `freeze`, or load weights",),
            )
        )


def _selector_span(
    directive: Freeze, index: int, root: str, anatomy: Anatomy, path: Path, places: Places
) -> Span:
    for position, selector in enumerate(directive.selectors):
        if any(leaf.root == root for leaf in anatomy.select(selector).leaves):
            return _span(places, (*path, "freeze", index, "selectors", position))
    return _span(places, (*path, "freeze", index))


def _directives(model: Model, path: Path, places: Places) -> tuple[Label, ...]:
    return tuple(
        Label(span=_span(places, (*path, "freeze", index)), text="frozen here")
        for index in range(len(model.freeze))
    )


def _span(places: Places, path: Path) -> Span:
    span = places.value(path)
    if span is None:
        raise LookupError(f"nothing was said about {path}")
    return span

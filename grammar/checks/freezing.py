"""Does what is frozen mean something?"""

from renaissance.grammar.checks.caching import check_caching, check_job_caching
from renaissance.grammar.checks.components import Components, Leaf, parse_selector, starts_random
from renaissance.grammar.composition.assembly import Parts
from renaissance.grammar.composition.findings import Findings, listing, nearest
from renaissance.grammar.composition.models import KINDS
from renaissance.grammar.composition.places import Path, Places
from renaissance.grammar.diagnostics import Diagnostic, Edit, Label
from renaissance.grammar.schema.declaration import Share
from renaissance.grammar.schema.jobs import Pretrain, Training
from renaissance.grammar.schema.model import Freeze, Model, SingleStream
from renaissance.grammar.source import Span


def check_freezing(parts: Parts, places: Places, findings: Findings) -> None:
    """Report directives of a model that mean nothing.

    Args:
        parts: the model, with holes where a part is already known to be wrong.
        places: where everything was said.
        findings: receives what is wrong.
    """
    components = Components(parts.streams, parts.fusion_name, parts.fusion)
    frozen: dict[Leaf, int] = {}
    for index, directive in enumerate(parts.freeze):
        where = (*parts.path, "freeze", index)
        selected = _selected(
            parts.name, components, directive.selectors, (*where, "selectors"), places, findings
        )
        excluded = _selected(
            parts.name, components, directive.excluded, (*where, "excluded"), places, findings
        )
        if selected is None or excluded is None:
            continue
        if directive.excluded and not selected & excluded:
            findings.add(
                Diagnostic(
                    code="VL203",
                    message="`except` leaves out nothing",
                    span=_span(places, (*where, "excluded", 0)),
                    label=f"not part of {listing(directive.selectors)}",
                )
            )
        if directive.excluded and selected <= excluded:
            findings.add(
                Diagnostic(
                    code="VL206",
                    message="`except` leaves nothing to freeze",
                    span=_span(places, (*where, "excluded", 0)),
                    label=f"covers all of {listing(directive.selectors)}",
                )
            )
        _until(directive, where, places, findings)
        check_caching(directive, parts.streams, where, places, findings)
        kept = selected - excluded
        before = {frozen[leaf] for leaf in kept if leaf in frozen}
        if kept and all(leaf in frozen for leaf in kept):
            earlier = min(before)
            findings.add(
                Diagnostic(
                    code="VL206",
                    message="this `freeze` has no effect",
                    span=_span(places, where),
                    severity="warning",
                    label="all of it is frozen already",
                    related=(
                        Label(
                            span=_span(places, (*parts.path, "freeze", earlier)), text="frozen here"
                        ),
                    ),
                )
            )
        if directive.until is None:
            for leaf in kept:
                frozen.setdefault(leaf, index)


def check_job_freezing(
    name: str,
    job: Training,
    model: Model,
    path: Path,
    fresh: bool,
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
        places: where everything was said.
        findings: receives what is wrong.
    """
    components = Components.of(model)
    frozen = frozen_leaves(model, components)
    if frozen >= components.leaves:
        findings.add(
            Diagnostic(
                code="VL201",
                message=f"job `{name}` has nothing to learn",
                span=_span(places, ("jobs", name)),
                label="every part of its model is frozen",
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
        _random(name, model, components, frozen, path, isinstance(job, Pretrain), places, findings)


def frozen_leaves(model: Model, components: Components) -> frozenset[Leaf]:
    """Return what is frozen for the whole of a job."""
    frozen: frozenset[Leaf] = frozenset()
    for directive in model.freeze:
        if directive.until is None:
            frozen |= directive_leaves(directive, components)
    return frozen


def directive_leaves(directive: Freeze, components: Components) -> frozenset[Leaf]:
    """Return what one directive freezes."""
    selected: frozenset[Leaf] = frozenset()
    for selector in directive.selectors:
        selected |= components.select(selector)
    for selector in directive.excluded:
        selected -= components.select(selector)
    return selected


def _random(
    name: str,
    model: Model,
    components: Components,
    frozen: frozenset[Leaf],
    path: Path,
    pretraining: bool,
    places: Places,
    findings: Findings,
) -> None:
    """Warn about parts that start from random weights and never learn."""
    verb = "pretrains" if pretraining else "starts from the model as it is initialised"
    encoder = model.fusion.encoder if isinstance(model.fusion, SingleStream) else model.fusion
    blocks = {**model.streams, model.fusion_name: encoder}
    for root, block in blocks.items():
        whole = {leaf for leaf in components.leaves if leaf.root == root}
        if not starts_random(block) or not whole <= frozen:
            continue
        index = next(
            i
            for i, directive in enumerate(model.freeze)
            if any(leaf.root == root for leaf in directive_leaves(directive, components))
        )
        findings.add(
            Diagnostic(
                code="VL205",
                message=f"`{root}` starts from random weights and never learns",
                span=_selector_span(model.freeze[index], index, root, components, path, places),
                severity="warning",
                label=f"frozen, and job `{name}` {verb}",
                help=("leave it out of `freeze`, or load weights",),
            )
        )


def _selector_span(
    directive: Freeze, index: int, root: str, components: Components, path: Path, places: Places
) -> Span:
    for position, selector in enumerate(directive.selectors):
        if any(leaf.root == root for leaf in components.select(selector)):
            return _span(places, (*path, "freeze", index, "selectors", position))
    return _span(places, (*path, "freeze", index))


def _until(directive: Freeze, where: Path, places: Places, findings: Findings) -> None:
    if directive.until is None:
        return
    never = isinstance(directive.until, Share) and directive.until >= 1
    if directive.until == 0 or never:
        findings.add(
            Diagnostic(
                code="VL207",
                message=f"`until` has no effect: it {'is the end' if never else 'is the start'} "
                "of the run",
                span=_span(places, (*where, "until")),
                severity="warning",
                label="learns in no step" if never else "learns from the first step on",
            )
        )


def _selected(
    name: str,
    components: Components,
    selectors: tuple[str, ...],
    where: Path,
    places: Places,
    findings: Findings,
) -> frozenset[Leaf] | None:
    """Return what selectors mean together; None if one means nothing."""
    found: frozenset[Leaf] = frozenset()
    failed = False
    for index, selector in enumerate(selectors):
        leaves = components.select(selector)
        if not leaves:
            failed = True
            findings.add(_no_match(selector, name, components, _span(places, (*where, index))))
        found |= leaves
    return None if failed else found


def _no_match(selector: str, name: str, components: Components, span: Span) -> Diagnostic:
    parts = parse_selector(selector)
    message = f"`freeze` selector `{selector}` matches nothing in model `{name}`"
    roots = components.roots
    root = str(parts[0])
    edits: tuple[Edit, ...] = ()
    if root not in roots and root not in KINDS:
        close = nearest(root, (*roots, *KINDS))
        if len(close) == 1:
            first = Span(source=span.source, start=span.start, end=span.start + len(root))
            edits = (Edit(span=first, text=close[0]),)
        shown = listing(close)
        return Diagnostic(
            code="VL204",
            message=message,
            span=span,
            label="no component of this name",
            help=(
                (f"a component with a similar name exists: {shown}",)
                if len(close) == 1
                else (f"similar names: {shown}",)
                if close
                else ()
            ),
            notes=(f"components are {', '.join(roots)}",),
            edits=edits,
        )
    count = components.layers(root)
    notes = []
    if root in roots:
        inside = sorted(
            {
                str(leaf.address[1])
                for leaf in components.leaves
                if leaf.root == root and len(leaf.address) > 1
            }
        )
        notes.append(f"`{root}` has {', '.join(inside)}")
        if count:
            notes.append(f"layers of `{root}` are counted from 0 to {count - 1}")
    notes.append(f"kinds are {', '.join(KINDS)}")
    sliced = any(isinstance(part, slice) for part in parts)
    return Diagnostic(
        code="VL204",
        message=message,
        span=span,
        label=f"{count} layers" if sliced and count else "no such part",
        notes=tuple(notes),
    )


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

"""A plan as a tree of text, equal layers in one line."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from renaissance.compiler.amounts import amount, in_bytes, in_flops
from renaissance.compiler.planning.benefit import Caching
from renaissance.compiler.planning.model_plan import Component, ModelPlan
from renaissance.compiler.planning.spec_plan import Plan
from renaissance.render.folded import Folded, Hung
from renaissance.render.plan_answers import answers
from renaissance.render.plan_jobs import job_tables


@dataclass(slots=True)
class Branch:
    """A part of the tree: a name, the components that it is or contains, and parts of it."""

    name: str
    components: list[Component] = field(default_factory=list)
    parts: dict[str, "Branch"] = field(default_factory=dict)

    @property
    def figures(self) -> tuple[object, ...]:
        """What must agree for two layers to share a line."""
        return tuple(
            (part.kind, part.parameters, part.trainable, part.gradient, part.flops, part.output)
            for part in self.components
        )


def draw(plan: Plan, price: float | None = None) -> RenderableType:
    """Return answers first, then a tree for each model, and for each job what its steps cost.

    Args:
        plan: the plan.
        price: of an hour of the machine.
    """
    blocks: list[RenderableType] = list(answers(plan, price))
    for model in plan.models:
        blocks += [_title(f"model {model.name}", model), Folded(_table(model)), *_remarks(model)]
    if plan.jobs:
        blocks += job_tables(plan)
    alone = {model.name: model.caching for model in plan.models}
    for job in plan.jobs:
        for kept in job.model.caching:
            if kept not in alone.get(job.model.name, ()):
                blocks.append(Hung(f"job {job.name}: {_caching(kept)}"))
    return Group(*blocks)


def text_of(plan: Plan) -> str:
    """Return what `draw` shows as plain text."""
    console = Console(width=200, no_color=True, highlight=False)
    with console.capture() as captured:
        console.print(draw(plan))
    return "\n".join(line.rstrip() for line in captured.get().splitlines())


def _title(name: str, model: ModelPlan) -> Text:
    counts, flops = model.parameters, model.flops_per_sample
    return Text(
        f"{name}: {counts.total:,} parameters, {counts.trainable:,} trainable, "
        f"{counts.frozen:,} frozen\n"
        f"a text and an image: {in_flops(flops.forward)} forward and "
        f"{in_flops(flops.training)} training",
        style="bold",
    )


def _table(model: ModelPlan) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("component", no_wrap=True)
    for column in ("output", "parameters", "trainable", "gradient", "forward", "backward"):
        table.add_column(column, justify="right", no_wrap=True)
    for prefix, name, components in _lines(_tree(model.components), ""):
        total = sum(part.parameters for part in components)
        learning = sum(part.trainable for part in components)
        gradients = {part.gradient for part in components}
        table.add_row(
            Text(prefix, style="dim") + Text(name, style="" if learning else "cyan"),
            " × ".join(map(str, components[-1].output or ())),
            amount(total),
            "frozen" if not learning else "all" if learning == total else amount(learning),
            gradients.pop() if len(gradients) == 1 else "",
            amount(sum(part.flops.forward for part in components)),
            amount(sum(part.flops.backward for part in components)),
        )
    return table


def _tree(components: Iterable[Component]) -> Branch:
    root = Branch(name="")
    for component in components:
        branch = root
        branch.components.append(component)
        for segment in component.address.split("."):
            branch = branch.parts.setdefault(segment, Branch(name=segment))
            branch.components.append(component)
    return root


def _lines(branch: Branch, prefix: str) -> Iterator[tuple[str, str, list[Component]]]:
    groups = list(_merged(branch.parts.values()))
    for index, (name, first, components) in enumerate(groups):
        last = index == len(groups) - 1
        yield prefix + ("└── " if last else "├── "), name, components
        deeper = prefix + ("    " if last else "│   ")
        repeats = len(components) // len(first.components)
        for line, part, inner in _lines(first, deeper):
            addresses = {part.address for part in inner}
            place = [i for i, part in enumerate(first.components) if part.address in addresses]
            stride = len(first.components)
            yield (
                line,
                part,
                [components[repeat * stride + i] for repeat in range(repeats) for i in place],
            )


def _merged(branches: Iterable[Branch]) -> Iterator[tuple[str, Branch, list[Component]]]:
    """Yield runs of equal layers as one: its name, its first layer, all of its components."""
    run: list[Branch] = []
    for branch in (*branches, None):
        if run and branch is not None and "[" in branch.name and run[0].figures == branch.figures:
            run.append(branch)
            continue
        if run:
            yield _run_name(run), run[0], [part for item in run for part in item.components]
        run = [] if branch is None else [branch]


def _run_name(run: list[Branch]) -> str:
    if len(run) == 1:
        return run[0].name
    name, _, first = run[0].name.rstrip("]").partition("[")
    return f"{name}[{first}:{int(first) + len(run)}]"


def _remarks(model: ModelPlan) -> Iterator[Hung | Text]:
    for part in model.freeze:
        except_ = f" except {', '.join(part.excluded)}" if part.excluded else ""
        until = f" until {part.until}" if part.until is not None else ""
        what = f"{', '.join(part.selectors)}{except_}{until}"
        if part.rank is None:
            yield Hung(f"freeze {what}: {part.parameters:,} parameters")
        else:
            yield Hung(
                f"adapt {what}: {part.adapters:,} parameters in adapters of rank {part.rank}, "
                f"beside {part.parameters:,} frozen ones"
            )
    for kept in model.caching:
        yield Hung(_caching(kept))
    for root, used in model.attention.items():
        yield Hung(f"attention of {root}: {used}")
        if used.absorbs:
            yield Hung(f"attention of {root}: a stream absorbs the projections of a far longer one")
    for lowering in model.lowered:
        yield Hung(f"{lowering.name}: {lowering.what}")
    if not model.lowered:
        yield Hung("`lower = none`: padded, all computed")
    for note in model.notes:
        yield Hung(f"note: {note}")
    yield Text("")


def _caching(caching: Caching) -> str:
    """Say what an image or a text costs to keep and what that saves, and where it is done."""
    size = caching.entry_bytes
    each = "an image" if caching.modality == "vision" else f"a text of {caching.tokens} tokens"
    told = (
        f"cache {caching.stream}: {in_bytes(size)} {each} ({in_bytes(1000 * size)} per 1,000) "
        f"instead of {in_flops(caching.flops)}; "
    )
    if caching.obstacle is not None:
        return f"{told}nothing is kept: {caching.obstacle}"
    verdicts = []
    for name, device in (("CPU", "cpu"), ("GPU", "cuda")):
        kept = "kept" if caching.mode is True else f"kept where all {caching.inputs} fit"
        verdict = "not kept" if caching.refusal(device) is not None else kept
        verdicts.append(f"{caching.gain(device):.1f} × as fast on a {name} ({verdict})")
    return f"{told}reading is predicted to be {', '.join(verdicts)}"

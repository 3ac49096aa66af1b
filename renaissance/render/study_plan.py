"""Draw what a study takes before anything of it runs."""

from collections import Counter
from collections.abc import Callable, Iterator

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from renaissance.compiler.amounts import amount, in_bytes, in_flops, predicted
from renaissance.grammar.names import listing
from renaissance.render.folded import Folded, Hung
from renaissance.render.study import differences
from renaissance.runtime.studies.expenses import unlike
from renaissance.runtime.studies.keeping import KeptPlan
from renaissance.runtime.studies.planning import StagePlan, StudyPlan

KINDS = {"pretrain": "pretraining", "finetune": "fine-tuning", "evaluate": "evaluation"}


def draw_study(plan: StudyPlan) -> Iterator[RenderableType]:
    """Yield what differs between cells, the stages, and sums."""
    yield Text(summary(plan), style="bold")
    yield Text("")
    yield from _cells(plan)
    yield Text("")
    yield Folded(_table(plan))
    yield Text("")
    for kept in plan.kept:
        yield Hung(_shared(kept, plan))
    yield Hung(_sum(plan))
    for sentence in _beside_budget(plan):
        yield Hung(sentence)
    for sentence in plan.unknown:
        yield Hung(f"not counted: {sentence}")


def summary(plan: StudyPlan) -> str:
    """Return in a line how many cells and stages there are, and how many of them are shared."""
    cells, stages = len(plan.study.cells), len(plan.stages)
    said = f"study {plan.study.name}: {_count(cells, 'cell')}, {_count(stages, 'stage')}"
    if stages == plan.unshared:
        return said
    shared = Counter(stage.kind for stage in plan.stages if len(stage.cells) > 1)
    named = ", ".join(_count(number, KINDS[kind]) for kind, number in shared.items())
    return f"{said} instead of {plan.unshared}; {named} shared"


def _cells(plan: StudyPlan) -> Iterator[Hung | Text]:
    """Yield what each variant differs in from the baseline."""
    study = plan.study
    for levels in study.variants:
        cell = study.cell(levels, study.seeds[0])
        if dict(levels) == dict(study.baseline):
            yield Text(f"{cell.variant}  (baseline)")
            continue
        yield Text(cell.variant)
        for line in differences(study, cell):
            yield Hung(line, indent=2)


def _table(plan: StudyPlan) -> Table:
    """Return a row for stages of the same cost, which differ in the seed alone."""
    rows: dict[tuple[str, ...], list[StagePlan]] = {}
    for stage in plan.stages:
        rows.setdefault(_row(stage, plan), []).append(stage)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("stage", no_wrap=True)
    table.add_column("variants", no_wrap=True)
    columns = ("cells of each", "steps", "FLOP", "memory", "time", "price")
    for column in (*columns[: len(next(iter(rows))) - 2], "stages"):
        table.add_column(column, justify="right", no_wrap=True)
    for row, stages in rows.items():
        table.add_row(*map(Text, (*row, str(len(stages)))))
    return table


def _row(stage: StagePlan, plan: StudyPlan) -> tuple[str, ...]:
    of_cells = {cell.name: cell.variant for cell in plan.study.cells}
    variants = list(dict.fromkeys(of_cells[cell] for cell in stage.cells))
    more = f" and {len(variants) - 1} more" if len(variants) > 1 else ""
    row = (
        stage.job,
        "all" if len(variants) == len(plan.study.variants) else f"{variants[0]}{more}",
        str(len(stage.cells)),
        _known(stage.steps, lambda steps: f"{steps:,}") if stage.kind != "evaluate" else "",
        _known(stage.operations, amount),
        in_bytes(stage.memory),
        _known(stage.seconds, predicted),
    )
    return row if plan.price is None else (*row, _known(stage.price, lambda of: f"{of:,.2f}"))


def _shared(kept: KeptPlan, plan: StudyPlan) -> str:
    """Say which stages read the same features."""
    of_cells = {cell.name: cell.variant for cell in plan.study.cells}
    variants = dict.fromkeys(of_cells[cell] for cell in kept.cells)
    after = f" after `{kept.after}`" if kept.after else ""
    return (
        f"kept features of `{kept.stream}`{after}: {kept.count:,} {kept.inputs}, computed once for "
        f"{listing(kept.jobs)} of {', '.join(variants)} ({kept.stages} stages): "
        f"{in_flops(kept.once)} instead of {in_flops(kept.each_time)}"
    )


def _sum(plan: StudyPlan) -> str:
    operations, seconds, price = map(plan.total, ("operations", "seconds", "price"))
    less = f", less {in_flops(plan.saved)} that kept features save" if plan.kept else ""
    said = [
        f"all stages: {_known(operations, in_flops)}{less}",
        f"{in_bytes(plan.memory)} in the largest step",
    ]
    if plan.machine is None:
        said.append("time on what? add --gpu NAME or --bench FILE")
    else:
        said.append(f"{_known(seconds, predicted)} on {plan.machine}")
    if price is not None and plan.price is not None:
        said.append(f"{price:,.2f} at {plan.price:,.2f} an hour")
    return "; ".join(said)


def _beside_budget(plan: StudyPlan) -> Iterator[str]:
    """Yield which variants do not spend what the baseline does, though the budget says so."""
    study = plan.study
    if study.budget != "flops":
        return
    cells = [study.cell(levels, study.seeds[0]) for levels in study.variants]
    spent = {cell.variant: _training(plan, cell.name) for cell in cells}
    baseline = study.cell(study.baseline, study.seeds[0]).variant
    allowed = spent[baseline]
    for variant, operations in spent.items():
        if operations is None or allowed is None:
            continue
        said = unlike(variant, operations, baseline, allowed)
        if said is not None:
            yield f"{said}; a budget gives whole steps"


def _training(plan: StudyPlan, cell: str) -> float | None:
    """Return the operations of the trainings of a cell; None where one is not known."""
    found = [s.operations for s in plan.stages if cell in s.cells and s.kind != "evaluate"]
    known = [operations for operations in found if operations is not None]
    return sum(known) if len(known) == len(found) else None


def _known(value: float | None, spell: Callable[..., str]) -> str:
    return "?" if value is None else spell(value)


def _count(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"

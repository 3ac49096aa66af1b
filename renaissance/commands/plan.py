"""`renaissance plan`: what would be built, with figures."""

import sys
from argparse import Namespace
from collections.abc import Collection, Iterable, Sequence
from itertools import chain
from time import perf_counter
from typing import TYPE_CHECKING, Any

from renaissance.answer import FINE, NO, NO_ANSWER, answer
from renaissance.data_in_plan import Remarks, failures_of_study, remarks_on_data
from renaissance.execution import meant
from renaissance.grammar.loading import load, load_studies
from renaissance.grammar.names import listing
from renaissance.grammar.schema.jobs import Evaluate
from renaissance.grammar.schema.spec import Spec
from renaissance.grammar.study import Study
from renaissance.machines import machine_of
from renaissance.settings import settings_of
from renaissance.studies import study_meant

if TYPE_CHECKING:
    from rich.console import RenderableType

    from renaissance.compiler.planning.machines import Machine
    from renaissance.compiler.planning.spec_plan import Plan
    from renaissance.runtime.studies.planning import StudyPlan


def run(arguments: Namespace) -> int:
    """Print a tree for each model, what the steps of each job cost, and what studies take."""
    settings = settings_of(arguments.settings)
    path, name = meant(arguments.file)
    if name is not None:
        return _answer(arguments, None, [study_meant(arguments.file, settings)])
    studies = [] if arguments.model is not None else load_studies(path, settings).values()
    return _answer(arguments, load(path, settings), studies)


def _answer(arguments: Namespace, spec: Spec | None, studies: Collection[Study]) -> int:
    """Plan a spec, if one is meant, and studies."""
    texts = {} if spec is None else _texts(arguments.texts, spec)
    if isinstance(texts, str):
        return answer(arguments, NO_ANSWER, failures=[texts])

    from renaissance.compiler.asked import check_asked
    from renaissance.compiler.errors import BackboneError, CompileError
    from renaissance.runtime.data.counted import every_counted
    from renaissance.runtime.errors import UsageError

    code = NO_ANSWER
    try:
        machine, code = machine_of(arguments), NO
        if spec is not None:
            check_asked(spec, texts, arguments.model)
    except CompileError as error:
        return answer(arguments, code, failures=[str(error)])

    began = perf_counter()
    from renaissance.compiler import plan
    from renaissance.compiler.modules import import_modules

    if spec is not None:
        import_modules(spec)
    imported = perf_counter()
    planned = None
    try:
        if spec is not None:
            planned = plan(
                spec,
                arguments.model,
                tokens=arguments.tokens,
                texts=texts,
                counted=every_counted(spec),
                machine=machine,
            )
        plans = _planned(studies, machine, arguments, spec, planned)
    except (BackboneError, UsageError) as error:
        return answer(arguments, NO_ANSWER, failures=[str(error)])
    except CompileError as error:
        return answer(arguments, NO, failures=[str(error)])
    planning = perf_counter() - imported
    part = spec is None or arguments.model is not None
    remarks = Remarks() if part or spec is None else remarks_on_data(spec)
    found = (failures_of_study(study) for study in studies)
    failures = tuple(dict.fromkeys((*remarks.failures, *chain.from_iterable(found))))
    code = NO if failures else FINE
    if arguments.format == "json":
        known = _known(arguments, spec, planned, plans, remarks)
        _tell(arguments, planning, imported - began)
        return answer(arguments, code, failures=failures, **known)

    drawn = [] if planned is None else _drawn(arguments, planned, spec, studies)
    _print(arguments, drawn, plans, remarks)
    _tell(arguments, planning, imported - began)
    return answer(arguments, code, failures=failures)


def _known(
    arguments: Namespace,
    spec: Spec | None,
    planned: "Plan | None",
    plans: "Sequence[StudyPlan]",
    remarks: Remarks,
) -> dict[str, Any]:
    """Return what a program is told: the same each time, so not how long it took."""
    from renaissance.render.plan_answers import costs

    known = {} if planned is None else {**planned.to_dict(), **remarks.known}
    known |= {} if spec is None else {"spec_hash": spec.hash}
    if planned is not None and arguments.price is not None:
        known["price"] = costs(planned, arguments.price)
    return known | ({"studies": [each.to_dict() for each in plans]} if plans else {})


def _tell(arguments: Namespace, planning: float, imports: float) -> None:
    """Say to who looks on what took the time, beside the plan: that is the same each time."""
    if arguments.verbose or (arguments.format == "text" and sys.stderr.isatty()):
        sys.stderr.write(f"planned in {planning:.1f} s, after {imports:.1f} s of imports\n")


def _drawn(
    arguments: Namespace, planned: "Plan", spec: Spec | None, studies: Collection[Study]
) -> list["RenderableType"]:
    """Return the plan of a spec as a person is shown it."""
    from renaissance.render.plan import draw
    from renaissance.render.plan_answers import answers

    price = arguments.price
    drawn = list(answers(planned, price)) if arguments.summary else [draw(planned, price)]
    drawn += _unused(planned, spec, studies) if arguments.model is None else []
    return [*drawn, *([""] if studies else [])]


def _unused(
    planned: "Plan", spec: Spec | None, studies: Collection[Study]
) -> list["RenderableType"]:
    """Say which models are left out because no job uses them, not in a study either."""
    from rich.text import Text

    there = {model.name for model in planned.models} | {job.model.name for job in planned.jobs}
    there |= {name for study in studies for cell in study.cells for name in cell.spec.models}
    left = [name for name in (spec.models if spec and planned.jobs else ()) if name not in there]
    return [Text(f"no job uses {listing(left)}; `--model` plans one")] if left else []


def _planned(
    studies: Iterable[Study],
    machine: "Machine | None",
    arguments: Namespace,
    spec: Spec | None,
    known: "Plan | None",
) -> "list[StudyPlan]":
    """Plan studies; what cells of several have in common, or the spec itself has, once."""
    from renaissance.runtime.errors import UsageError
    from renaissance.runtime.studies.data import Data, DataUnknownError
    from renaissance.runtime.studies.operations import Planned
    from renaissance.runtime.studies.planning import plan_study

    data = Data()
    planned = Planned(machine, arguments.tokens, data)
    if spec is not None and known is not None and not arguments.texts:
        planned.know(spec, known.jobs)
    found = []
    for study in studies:
        try:
            found.append(plan_study(study, planned, data, arguments.price))
        except DataUnknownError as problem:
            raise UsageError(
                f"the budget of study `{study.name}` needs the length of an epoch: {problem}"
            ) from None
    return found


def _print(
    arguments: Namespace,
    drawn: Iterable["RenderableType"],
    plans: "Iterable[StudyPlan]",
    remarks: Remarks,
) -> None:
    from rich.console import Console

    from renaissance.render.study_plan import draw_study

    colors = {"always": True, "never": False}.get(arguments.color)
    console = Console(
        force_terminal=True if colors else None,
        no_color=True if colors is False else None,
        highlight=False,
    )
    if not console.is_terminal:
        # Nothing is cut off where no terminal sets a width.
        console.width = 200
    for part in (*drawn, *(part for each in plans for part in draw_study(each))):
        # What is wider than the terminal goes on in its next line.
        console.print(part, crop=False)
    for line in remarks.sentences:
        console.print(f"data: {line}", markup=False)


def _texts(asked: list[str], spec: Spec) -> dict[str, int] | str:
    """Return the texts of an epoch by job, or a sentence on what is wrong with what was asked.

    A number without a name is of the jobs that learn: what is measured is another split.
    """
    found: dict[str, int] = {}
    for each in asked:
        name, _, number = each.rpartition("=")
        if not number.isascii() or not number.isdecimal() or int(number) < 1:
            return f"--texts takes 1 or more texts of an epoch, as N or JOB=N, and not {each}"
        if name in found:
            return (
                f"--texts {name and f'of job `{name}` '}is given twice: {found[name]} and {number}"
            )
        found[name] = int(number)
    if "" in found:
        learn = (job for job, declared in spec.jobs.items() if not isinstance(declared, Evaluate))
        found = dict.fromkeys(learn, found.pop("")) | found
    return found

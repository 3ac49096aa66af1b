"""`renaissance plan`: what would be built, with figures."""

from argparse import Namespace

from renaissance.answer import FINE, NO, NO_ANSWER, answer
from renaissance.data_in_plan import Remarks, remarks_on_data
from renaissance.files import find_spec
from renaissance.grammar import load
from renaissance.grammar.schema.jobs import Evaluate
from renaissance.grammar.schema.spec import Spec
from renaissance.settings import settings_of


def run(arguments: Namespace) -> int:
    """Print a tree for each model, and what the steps of each job cost."""
    spec = load(find_spec(arguments.file), settings_of(arguments.settings))
    texts = _texts(arguments.texts, spec)
    if isinstance(texts, str):
        return answer(arguments, NO_ANSWER, failures=[texts])

    from renaissance.compiler import plan
    from renaissance.compiler.errors import BackboneError, CompileError
    from renaissance.compiler.planning.machines import find_gpu, read_bench

    try:
        machine = None
        if arguments.gpu is not None:
            machine = find_gpu(arguments.gpu)
        elif arguments.bench is not None:
            machine = read_bench(arguments.bench)
    except CompileError as error:
        return answer(arguments, NO_ANSWER, failures=[str(error)])
    try:
        planned = plan(spec, arguments.model, tokens=arguments.tokens, texts=texts, machine=machine)
    except BackboneError as error:
        return answer(arguments, NO_ANSWER, failures=[str(error)])
    except CompileError as error:
        return answer(arguments, NO, failures=[str(error)])
    remarks = Remarks() if arguments.model is not None else remarks_on_data(spec)
    code = NO if remarks.failures else FINE
    if arguments.format == "json":
        known = {**planned.to_dict(), **remarks.known}
        return answer(arguments, code, failures=remarks.failures, spec_hash=spec.hash, **known)
    from rich.console import Console

    from renaissance.render.plan import draw

    colors = {"always": True, "never": False}.get(arguments.color)
    console = Console(
        force_terminal=True if colors else None,
        no_color=True if colors is False else None,
        highlight=False,
    )
    if not console.is_terminal:
        # Nothing is cut off where no terminal sets a width.
        console.width = 200
    console.print(draw(planned))
    for line in remarks.sentences:
        console.print(f"data: {line}", markup=False)
    return answer(arguments, code, failures=remarks.failures)


def _texts(asked: list[str], spec: Spec) -> dict[str, int] | str:
    """Return the texts of an epoch by job, or a sentence on what is wrong with what was asked.

    A number without a name is of the jobs that learn: what is measured is another split.
    """
    found: dict[str, int] = {}
    for each in asked:
        name, _, number = each.rpartition("=")
        if not number.isascii() or not number.isdecimal() or int(number) < 1:
            return f"--texts takes 1 or more texts of an epoch, as N or JOB=N, and not {each}"
        if name:
            found[name] = int(number)
            continue
        learn = (job for job, declared in spec.jobs.items() if not isinstance(declared, Evaluate))
        found = dict.fromkeys(learn, int(number)) | found
    return found

"""`renaissance plan`: what would be built, with figures."""

from argparse import Namespace

from renaissance.answer import FINE, NO, NO_ANSWER, answer
from renaissance.data_in_plan import remarks_on_data
from renaissance.files import find_spec
from renaissance.grammar import load


def run(arguments: Namespace) -> int:
    """Print a tree for each model, and what the steps of each job cost."""
    if arguments.texts is not None and arguments.texts < 1:
        return answer(arguments, NO_ANSWER, failures=["--texts takes 1 or more texts of an epoch"])
    spec = load(find_spec(arguments.file))

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
        planned = plan(
            spec, arguments.model, tokens=arguments.tokens, texts=arguments.texts, machine=machine
        )
    except BackboneError as error:
        return answer(arguments, NO_ANSWER, failures=[str(error)])
    except CompileError as error:
        return answer(arguments, NO, failures=[str(error)])
    told, known = ([], {}) if arguments.model is not None else remarks_on_data(spec)
    if arguments.format == "json":
        return answer(arguments, FINE, spec_hash=spec.hash, **planned.to_dict(), **known)
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
    for line in told:
        console.print(f"data: {line}", markup=False)
    return FINE

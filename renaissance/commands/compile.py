"""`renaissance compile`: write a self-contained job folder."""

from argparse import Namespace

from renaissance.answer import FINE, NO, NO_ANSWER, answer
from renaissance.files import find_spec
from renaissance.grammar import load


def run(arguments: Namespace) -> int:
    """Write the folder and say how to start what is in it."""
    spec = load(find_spec(arguments.file))

    from renaissance.compiler import compile
    from renaissance.compiler.errors import BackboneError, CompileError

    try:
        folder = compile(spec, arguments.out, getattr(arguments, "job", None))
    except BackboneError as error:
        return answer(arguments, NO_ANSWER, failures=[str(error)])
    except CompileError as error:
        return answer(arguments, NO, failures=[str(error)])
    except OSError as error:
        reason = error.strerror or str(error)
        return answer(arguments, NO_ANSWER, failures=[f"cannot write to {arguments.out}: {reason}"])
    if arguments.format == "json":
        return answer(arguments, FINE, folder=str(folder))
    print(f"wrote {folder}; start it with {folder / 'launch.sh'}")
    return FINE

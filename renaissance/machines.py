"""Which machine a person means by `--gpu` and `--bench`."""

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from renaissance.compiler.planning.machines import Machine


def declare_machine(parser: ArgumentParser) -> None:
    """Declare both arguments."""
    machine = parser.add_mutually_exclusive_group()
    machine.add_argument("--gpu", metavar="NAME", help="predict times on a GPU, such as h100")
    machine.add_argument(
        "--bench", metavar="FILE", help="predict times from a file that `bench` wrote"
    )


def machine_of(arguments: Namespace) -> "Machine | None":
    """Return the machine, if one is named.

    Raises:
        CompileError: if there is none of this name, or the file cannot be read.
    """
    from renaissance.compiler.planning.machines import find_gpu, read_bench

    if arguments.gpu is not None:
        return find_gpu(arguments.gpu)
    return None if arguments.bench is None else read_bench(arguments.bench)

"""`renaissance bench`: measure this machine, so that plans can predict times on it."""

import sys
from argparse import Namespace
from pathlib import Path

from renaissance.answer import FINE, NO_ANSWER, answer


def run(arguments: Namespace) -> int:
    """Measure, print the figures, and write them where that is asked for."""
    from renaissance.compiler.amounts import amount, in_bytes
    from renaissance.compiler.errors import CompileError
    from renaissance.compiler.planning.measurement import measure

    try:
        found = measure(arguments.device)
    except CompileError as error:
        return answer(arguments, NO_ANSWER, failures=[str(error)])
    if arguments.out is not None:
        try:
            Path(arguments.out).write_text(found.model_dump_json(indent=2) + "\n")
        except OSError as error:
            failure = f"cannot write {arguments.out}: {error.strerror or error}"
            return answer(arguments, NO_ANSWER, failures=[failure])
    if arguments.format == "json":
        return answer(arguments, FINE, bench=found.model_dump())
    threads = f", {found.threads} threads" if found.threads else ""
    sys.stdout.write(f"{found.name}{threads}, torch {found.torch}\n")
    for precision, rate in found.products.items():
        sys.stdout.write(f"products {precision}   {amount(rate, 'FLOP/s', space=' ')}\n")
    sys.stdout.write(f"bandwidth       {in_bytes(found.bandwidth)}/s\n")
    if found.written is not None:
        sys.stdout.write(f"disk            {in_bytes(found.written)}/s written\n")
    sys.stdout.write(f"launch          {found.launch * 1e6:,.1f} µs\n")
    if arguments.out is not None:
        sys.stdout.write(f"written to {arguments.out}; use it with plan --bench {arguments.out}\n")
    return FINE

"""`renaissance predict`: answer the rows of a table with a trained model."""

import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from renaissance.answer import FINE, NO, NO_ANSWER, answer
from renaissance.execution import run_meant
from renaissance.grammar.names import plural

MOST_NAMED = 20
"""Rows without an answer that are named."""


def run(arguments: Namespace) -> int:
    """Write a prediction for each row, and name those that have none."""
    from renaissance.predictions import FORMATS, rendered, write_answers
    from renaissance.runtime.asked import check_device
    from renaissance.runtime.predicting.found import spec_in, task_of, training_meant

    out = None if arguments.out is None else Path(arguments.out)
    if out is not None and out.suffix.lower() not in FORMATS:
        failure = f"`{out}` has an unknown suffix; answers go to {', '.join(FORMATS)}"
        return answer(arguments, NO_ANSWER, failures=[failure])
    if arguments.batch < 1:
        return answer(arguments, NO_ANSWER, failures=["--batch takes 1 row or more"])
    check_device(arguments.device)
    folder, named = run_meant(arguments.run)
    spec = spec_in(Path(folder))
    job = training_meant(spec, Path(folder), named)
    task = task_of(spec, job)

    from renaissance.runtime.predicting.table import asked_of, read_asked

    rows = read_asked(Path(arguments.table), task)

    from renaissance.runtime.predicting.trained import load_run

    trained = load_run(folder, job, weights=arguments.weights, device=arguments.device)
    root = Path(arguments.table).parent if arguments.root is None else Path(arguments.root)
    said = trained.predict(asked_of(rows), batch=arguments.batch, root=root)
    entries: list[dict[str, Any]] = [
        {"id": row.id, **one.to_dict()} for row, one in zip(rows, said, strict=True)
    ]
    missing = [(number, one.problem) for number, one in enumerate(said) if one.problem is not None]
    failures = [] if len(missing) < len(said) else ["no row could be answered"]
    code = FINE if not failures else NO
    if out is not None:
        write_answers(out, entries)
    if arguments.format == "json":
        return answer(arguments, code, failures=failures, job=trained.job, rows=entries)
    if out is None:
        sys.stdout.write(rendered(entries, arguments.format or "csv"))
    _tell(missing, len(said), out)
    return answer(arguments, code, failures=failures)


def _tell(missing: Sequence[tuple[int, str]], rows: int, out: Path | None) -> None:
    from renaissance.render.text import printable

    said = f"{rows - len(missing):,} of {plural(rows, 'row')} answered"
    if out is None:
        if missing:  # what was printed says it row by row
            sys.stderr.write(f"{said}; `problem` says why others are not\n")
        return
    for number, problem in missing[:MOST_NAMED]:
        sys.stderr.write(f"row {number + 1}: {printable(problem)}\n")
    if len(missing) > MOST_NAMED:
        sys.stderr.write(f"and {len(missing) - MOST_NAMED:,} more rows without an answer\n")
    sys.stderr.write(f"{said} in {out}\n")

"""`renaissance score`: measure a file of predictions by the protocol of a task."""

import sys
from argparse import Namespace
from pathlib import Path

from renaissance.answer import FINE, answer
from renaissance.grammar.composition.one_task import read_task
from renaissance.grammar.kinds.quantity import quantity
from renaissance.grammar.names import plural
from renaissance.grammar.source import SourceError
from renaissance.settings import settings_of


def run(arguments: Namespace) -> int:
    """Print what the predictions are worth."""
    keys = settings_of(arguments.settings, "KEY=VALUE", "validation=5%")
    if arguments.root is not None:
        if "root" in keys:
            raise SourceError("the root is given twice: by --root and by --set root")
        keys["root"] = arguments.root
    task = read_task(arguments.task, keys, arguments.split)

    from renaissance.render.intervals import IN_BRACKETS, WITHOUT
    from renaissance.render.text import printable
    from renaissance.runtime.evaluation.scoring import score

    found = score(task, Path(arguments.file), arguments.split)
    if arguments.format == "text":
        width = max(map(len, found.metrics), default=0)
        lines = [f"{found.task}, {found.split}: {plural(found.rows, 'row')}"]
        for name, value in found.metrics.items():
            share = quantity(name, task.quantities).share
            interval = found.intervals.get(name)
            ends = (
                ""
                if interval is None
                else f"[{', '.join(_spelled(share, end) for end in interval)}]"
            )
            unit = "%" if share else " "
            lines.append(f"  {name:<{width}}  {_spelled(share, value):>8}{unit}  {ends}".rstrip())
        if found.metrics.keys() - found.intervals.keys():
            lines.append(WITHOUT)
        if found.intervals:
            lines.append(IN_BRACKETS)
        if found.protocol is not None:
            lines.append(f"measured: {found.protocol}")
        lines += [f"note: {printable(remark)}" for remark in found.remarks]
        lines += [f"hint: {hint}" for hint in found.hints]
        sys.stdout.write("\n".join(lines) + "\n")
    return answer(
        arguments,
        FINE,
        task=found.task,
        split=found.split,
        rows=found.rows,
        metrics=dict(found.metrics),
        intervals={name: list(ends) for name, ends in found.intervals.items()},
        remarks=list(found.remarks),
        hints=list(found.hints),
        protocol=found.protocol,
    )


def _spelled(share: bool, value: float) -> str:
    """Spell a figure, a share in per cent without its sign."""
    return f"{value * 100:.2f}" if share else f"{value:.4f}"

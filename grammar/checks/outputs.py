"""Can predictions be written where a spec says?"""

import posixpath
from collections.abc import Mapping

from renaissance.grammar.diagnostics import Diagnostic, Label
from renaissance.grammar.findings import Findings
from renaissance.grammar.outputs import refusal
from renaissance.grammar.places import Places
from renaissance.grammar.schema.jobs import Evaluate, Job
from renaissance.grammar.source import Span


def check_outputs(jobs: Mapping[str, Job | None], places: Places, findings: Findings) -> None:
    """Report predictions that would replace a file of the run, or those of another evaluation."""
    written: dict[str, str] = {}
    for name, job in jobs.items():
        if not isinstance(job, Evaluate) or job.write is None:
            continue
        span = places.value(("jobs", name, "write"))
        if span is None:
            continue
        problem = refusal(job.write, jobs)
        if problem is not None:
            findings.add(
                Diagnostic(
                    code="VL522",
                    message=f"`{job.write}` {problem}",
                    span=span,
                    label="predictions cannot go there",
                    help=(f'write another name, such as `write = "{name}.jsonl"`',),
                )
            )
            continue
        path = posixpath.normpath(job.write)
        if path in written:
            other = places.value(("jobs", written[path], "write"))
            findings.add(
                Diagnostic(
                    code="VL522",
                    message=f"`{job.write}` is written by evaluation `{written[path]}` too",
                    span=span,
                    label="would replace its predictions",
                    related=_also(name, span, other, places),
                    help=(f'write another name, such as `write = "{name}.jsonl"`',),
                )
            )
        else:
            written[path] = name


def _also(name: str, span: Span, other: Span | None, places: Places) -> tuple[Label, ...]:
    """Return where the other evaluation says it; the same place where this one inherits it."""
    heir = places.key(("jobs", name))
    if other == span and heir is not None:
        return (Label(span=heir, text=f"job `{name}` inherits it"),)
    return () if other is None else (Label(span=other, text="written here as well"),)

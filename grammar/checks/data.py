"""Is the data that a file names where it is looked for?"""

from collections.abc import Iterator
from pathlib import Path as FilePath

from renaissance.grammar.declaration import Block
from renaissance.grammar.diagnostics import Diagnostic
from renaissance.grammar.findings import Findings
from renaissance.grammar.kinds.data import Readable
from renaissance.grammar.names import nearest
from renaissance.grammar.paths import children, exists, is_folder, resolved
from renaissance.grammar.places import Path, Places
from renaissance.grammar.schema.jobs import Evaluate, Finetune
from renaissance.grammar.schema.spec import Spec
from renaissance.grammar.schema.vocabulary import paths_in


def absent_data(spec: Spec) -> tuple[str, ...]:
    """Return the files and folders that a spec names and that are not there, each once."""
    stated = (job.task for job in spec.jobs.values() if isinstance(job, Finetune | Evaluate))
    tasks = [task for task in stated if task is not None]
    models = (*spec.models.values(), *spec.job_models.values())
    sources = (source for model in models for source in model.sources)
    blocks: tuple[Block, ...] = (*spec.data.values(), *tasks, *models, *sources)
    paths = (value for block in blocks for _, _, value in absent_of(block))
    return tuple(dict.fromkeys(paths))


def check_remarks(block: Readable, path: Path, places: Places, findings: Findings) -> None:
    """Report what a block says about its own keys."""
    for remark in block.remarks():
        span = places.value(path if remark.key is None else (*path, remark.key))
        span = span or places.value(path)
        assert span is not None  # a block is always known
        findings.add(
            Diagnostic(
                code=remark.code,
                message=remark.message,
                span=span,
                severity=remark.severity,
                label=remark.label,
                help=remark.help,
            )
        )


def check_presence(block: Block, path: Path, places: Places, findings: Findings) -> None:
    """Warn about a table or a folder that is not there, though the folder around it is.

    A file may be checked on a machine that does not hold the data: where the folder around it is
    missing too, that is no finding; see `absent_data`.

    Args:
        block: names data.
        path: where it stands in the spec.
        places: where everything was said.
        findings: receives what is wrong.
    """
    for name, what, value in absent_of(block):
        span = places.value((*path, name))
        around = FilePath(value).parent
        close = nearest(FilePath(value).name, children(around))
        working = resolved(around) == resolved(".")
        if span is None or not is_folder(around) or (working and not close):
            continue
        findings.add(
            Diagnostic(
                code="VL520",
                message=f"there is no {what} `{value}`",
                span=span,
                severity="warning",
                label=f"not in the folder `{around}`",
                help=(f"was `{around / close[0]}` meant?",) if close else (),
                notes=("paths start at the folder in which `renaissance` runs",),
            )
        )


def absent_of(block: Block) -> Iterator[tuple[str, str, str]]:
    """Yield key, `file` or `folder`, and path of what a block names and is not there."""
    for name, what, path in paths_in(block):
        if path and not exists(path):
            yield name, what, path

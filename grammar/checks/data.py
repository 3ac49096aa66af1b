"""Is the data that a file names where it is looked for?"""

from pathlib import Path as FilePath

from renaissance.grammar.diagnostics import Diagnostic
from renaissance.grammar.findings import Findings
from renaissance.grammar.kinds.data import FormatBlock, TaskBlock
from renaissance.grammar.names import nearest
from renaissance.grammar.paths import children, exists, is_folder, resolved
from renaissance.grammar.places import Path, Places
from renaissance.grammar.schema.vocabulary import keys_of, path_of


def check_presence(
    block: FormatBlock | TaskBlock, path: Path, places: Places, findings: Findings
) -> None:
    """Warn about a table or a folder that is not there, though the folder around it is.

    A file may be checked on a machine that does not hold the data: where the folder around it is
    missing too, nothing is said.

    Args:
        block: names data.
        path: where it stands in the spec.
        places: where everything was said.
        findings: receives what is wrong.
    """
    for name, info in keys_of(type(block)).items():
        what = path_of(info)
        if what is None:
            continue
        value = getattr(block, name)
        span = places.value((*path, name))
        if not isinstance(value, str) or not value or span is None or exists(value):
            continue
        around = FilePath(value).parent
        close = nearest(FilePath(value).name, children(around))
        working = resolved(around) == resolved(".")
        if not is_folder(around) or (working and not close):
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

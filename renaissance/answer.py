"""Print the findings and failures of a verb in the format that was asked for.

Text goes to standard error, so that what a verb prints to standard output stays clean, but for
`check`, which is asked for findings. Documents for programs go to standard output, exactly one a
run.
"""

import sys
from argparse import Namespace
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from renaissance.grammar.diagnostics import Diagnostic

if TYPE_CHECKING:
    from renaissance.render.color import When

FINE = 0
NO = 1
NO_ANSWER = 2
INTERRUPTED = 130


def answer(
    arguments: Namespace,
    code: int,
    /,
    *,
    diagnostics: Iterable[Diagnostic] = (),
    failures: Iterable[str] = (),
    asked: bool = False,
    **content: Any,
) -> int:
    """Print findings and failures, and return the exit code.

    Args:
        arguments: those of the verb; `format` and `color` are used.
        code: the exit code.
        diagnostics: what was found in specs.
        failures: sentences about what could not be done at all.
        asked: the findings are what was asked for, and go to standard output.
        content: further fields of the JSON document.
    """
    diagnostics, failures = list(diagnostics), list(failures)
    style = getattr(arguments, "format", "text")
    if style == "json":
        from renaissance.render.envelope import envelope, to_json

        document = envelope(
            arguments.verb, ok=code == FINE, diagnostics=diagnostics, failures=failures, **content
        )
        sys.stdout.write(to_json(document))
    elif style == "sarif":
        from renaissance.render.envelope import to_json
        from renaissance.render.sarif import sarif

        sys.stdout.write(to_json(sarif(diagnostics, failures)))
    else:
        from renaissance.render.color import palette
        from renaissance.render.text import printable, render_text

        when: When = getattr(arguments, "color", "auto")
        stream = sys.stdout if asked else sys.stderr
        columns = _columns() if diagnostics and stream.isatty() else None
        stream.write(render_text(diagnostics, palette(when, stream), columns))
        colors = palette(when)
        for failure in failures:
            sys.stderr.write(f"{colors.paint('error', 'red')}: {printable(failure)}\n")
    return code


def _columns() -> int:
    from shutil import get_terminal_size

    return get_terminal_size().columns

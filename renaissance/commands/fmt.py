"""`renaissance fmt`: bring specs into canonical layout."""

import re
import sys
from argparse import Namespace
from collections.abc import Iterator
from difflib import unified_diff
from pathlib import Path

from renaissance.answer import FINE, NO, NO_ANSWER, answer
from renaissance.files import find_specs
from renaissance.grammar.diagnostics import Diagnostic, SpecError
from renaissance.grammar.formatter import format_source
from renaissance.grammar.record import replace
from renaissance.grammar.source import Source, SourceError, read_source
from renaissance.grammar.writing import replacing


def run(arguments: Namespace) -> int:
    """Rewrite each file in canonical layout, or say what would change."""
    findings: list[Diagnostic] = []
    failures: list[str] = []
    changed: list[str] = []
    only_look = arguments.check or arguments.diff
    paths = find_specs(arguments.files)
    for path in paths:
        try:
            source = read_source(path)
            if path == "-":
                source = replace(source, name=arguments.stdin_filename)
            text = format_source(source)
            differs = _differs(path, source, text)
            if arguments.diff and arguments.format == "text" and differs:
                sys.stdout.writelines(_diff(path, source, text))
            if path == "-" and not only_look:
                _write_out(arguments, text)
            elif differs and not only_look:
                _replace(Path(path), text)
            if differs:
                changed.append(source.name)
        except SpecError as error:
            findings.extend(error.diagnostics)
        except SourceError as error:
            failures.append(str(error))
    code = NO_ANSWER if findings or failures else NO if changed and only_look else FINE
    answer(arguments, code, diagnostics=findings, failures=failures, changed=changed)
    if arguments.format == "text" and not arguments.diff:
        for name in changed:
            if arguments.check:
                print(f"would be formatted: {name}")
            elif name != arguments.stdin_filename:
                print(f"formatted {name}", file=sys.stderr)
        if arguments.check:
            print(_summary(len(paths) - len(failures), len(changed)))
    return code


def _summary(files: int, changed: int) -> str:
    """Return the line that sums up what was looked at."""
    what = f"{files} file{'s' if files != 1 else ''} checked"
    return f"{what}: {changed} would be formatted" if changed else f"{what}: canonical layout"


def _differs(path: str, source: Source, text: str) -> bool:
    if path == "-":
        return source.text != text
    # A byte-order mark or other line ends are a difference, too.
    return Path(path).read_bytes() != text.encode()


def _diff(path: str, source: Source, text: str) -> Iterator[str]:
    """Yield a patch from what is in the file, its line ends included, to a text."""
    if source.text == text:
        yield f"{source.name}: only its line ends or its byte-order mark would change\n"
        return
    old = source.text if path == "-" else Path(path).read_bytes().decode()
    lines = unified_diff(_lines(old), _lines(text), source.name, f"{source.name} (formatted)")
    for line in lines:
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def _lines(text: str) -> list[str]:
    """Return lines with their ends; nothing but a newline ends one, as in the language."""
    return [line for line in re.split(r"(?<=\n)", text) if line]


def _write_out(arguments: Namespace, text: str) -> None:
    if arguments.format == "text":
        sys.stdout.write(text)


def _replace(path: Path, text: str) -> None:
    """Put a text in the place of a file in one step; a link stays a link, the mode stays."""
    target = path.resolve()
    try:
        mode = target.stat().st_mode
        with replacing(target) as draft:
            draft.write_bytes(text.encode())
            draft.chmod(mode)
    except OSError as error:
        raise SourceError(f"{path} cannot be written: {error.strerror}") from None

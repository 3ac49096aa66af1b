"""`renaissance check`: find all mistakes of specs."""

import sys
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

from renaissance.answer import FINE, NO, NO_ANSWER, answer
from renaissance.files import find_specs
from renaissance.grammar.checks.data import absent_data
from renaissance.grammar.composition.resolution import Resolution, resolve
from renaissance.grammar.composition.settings import Settings, unknown_settings
from renaissance.grammar.diagnostics import Diagnostic
from renaissance.grammar.fixing import applicable, fixed
from renaissance.grammar.names import FEW, listing
from renaissance.grammar.record import replace
from renaissance.grammar.source import Source, SourceError, read_source
from renaissance.grammar.writing import write_whole
from renaissance.settings import settings_of

_MOST_ROUNDS = 20


def run(arguments: Namespace) -> int:
    """Print what is wrong with each file, and a line that sums it up."""
    findings: list[Diagnostic] = []
    failures: list[str] = []
    repaired: list[str] = []
    settings = settings_of(arguments.settings)
    absent: dict[str, None] = {}
    paths = find_specs(arguments.files)
    resolved: list[tuple[Source, Resolution]] = []
    for path in paths:
        try:
            source = read_source(path)
            if arguments.fix:
                source, said = _repaired(path, source, settings)
                repaired.extend(said)
            resolved.append((source, resolve(source, settings=settings)))
        except SourceError as error:
            failures.append(str(error))
    unset: list[str] = []
    for source, found in resolved:
        elsewhere = _of_others(found, resolved)
        if elsewhere:
            rest = {
                address: value for address, value in settings.items() if address not in elsewhere
            }
            found = resolve(source, settings=rest)
            unset.append(f"{listing(sorted(elsewhere))} is not in {source.name}")
        findings.extend(found.diagnostics)
        absent.update(dict.fromkeys(() if found.spec is None else absent_data(found.spec)))
    counts = [finding for finding in findings if arguments.deny_warnings or _is_error(finding)]
    code = NO_ANSWER if failures else NO if counts else FINE
    if arguments.format == "text":
        sys.stdout.writelines(f"{line}\n" for line in repaired)
        sys.stdout.writelines(f"note: {line}, and was not set there\n" for line in unset)
    answer(
        arguments,
        code,
        diagnostics=findings,
        failures=failures,
        asked=True,
        absent=list(absent),
        fixed=repaired,
    )
    if arguments.format == "text" and len(paths) > len(failures):
        _summarise(findings, len(paths) - len(failures), absent)
    return code


def _of_others(found: Resolution, every: list[tuple[Source, Resolution]]) -> frozenset[str]:
    """Return the addresses that are set and start with no name of a file, but with one of another.

    One that fits no file at all is a mistake in each.
    """
    missing = [unknown_settings(other.diagnostics) for _, other in every]
    return unknown_settings(found.diagnostics) - frozenset.intersection(*missing)


def _summarise(findings: list[Diagnostic], files: int, absent: dict[str, None]) -> None:
    from renaissance.render.text import printable, render_summary

    said = "".join(finding.message for finding in findings if finding.code == "VL520")
    unsaid = [path for path in absent if f"`{path}`" not in said]
    if unsaid:
        sys.stdout.write(
            f"note: not there, seen from this folder: {printable(listing(unsaid, most=FEW))}; "
            "`renaissance data FILE --how` says what belongs there\n"
        )
    sys.stdout.write(render_summary(findings, files))


def _repaired(path: str, source: Source, settings: Settings) -> tuple[Source, list[str]]:
    """Make the changes to a file that its findings bring along; return it and what was done.

    Raises:
        SourceError: if the file cannot be written.
    """
    if path == "-":
        raise SourceError("standard input cannot be repaired: give a file")
    said: list[str] = []
    found = resolve(source, settings=settings)
    for _ in range(_MOST_ROUNDS):
        chosen = applicable(source, found.diagnostics)
        if not chosen:
            break
        text = fixed(source, chosen)
        better = replace(source, text=text)
        after = resolve(better, settings=settings)
        if _errors(after) >= _errors(found):
            break
        said.extend(_done(source, chosen))
        source, found = better, after
    if said:
        try:
            if Path(path).read_bytes() != read_source(path).text.encode():
                raise SourceError(f"{path} has other line ends or a byte-order mark: use `fmt`")
            write_whole(Path(path).resolve(), source.text)
        except OSError as error:
            raise SourceError(f"{path} cannot be written: {error.strerror}") from None
    return source, said


def _done(source: Source, findings: tuple[Diagnostic, ...]) -> Iterator[str]:
    for finding in findings:
        line, column = source.position(finding.span.start)
        does = finding.help[0] if finding.help else finding.message
        yield f"fixed {source.name}:{line}:{column}: {finding.message}: {does}"


def _errors(found: Resolution) -> int:
    return sum(map(_is_error, found.diagnostics))


def _is_error(finding: Diagnostic) -> bool:
    return finding.severity == "error"

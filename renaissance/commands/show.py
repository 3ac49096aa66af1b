"""`renaissance show`: print a spec with everything resolved."""

import json
import sys
from argparse import Namespace
from typing import Any

from renaissance.answer import FINE, NO, NO_ANSWER, answer
from renaissance.files import find_spec
from renaissance.grammar.canonical import Note, UnprintableError, print_spec
from renaissance.grammar.composition.resolution import Resolution, resolve
from renaissance.grammar.composition.scope import SETTINGS
from renaissance.grammar.names import FEW, listing
from renaissance.grammar.places import Path, Places
from renaissance.grammar.schema.spec import Spec
from renaissance.grammar.source import SourceError, Span, read_source
from renaissance.settings import settings_of


def run(arguments: Namespace) -> int:
    """Print the canonical form of a spec, or its hash."""
    resolution = resolve(
        read_source(find_spec(arguments.file)), settings=settings_of(arguments.settings)
    )
    spec = resolution.spec
    if spec is None:
        return answer(arguments, NO, diagnostics=resolution.diagnostics)
    if arguments.study is not None:
        return _study(arguments, resolution)
    if arguments.format == "json":
        content: dict[str, Any] = {"hash": spec.hash}
        if not arguments.hash:
            content["spec"] = json.loads(spec.to_json())
        if arguments.origin:
            content["origins"] = _origins(resolution.origins)
        return answer(arguments, FINE, diagnostics=resolution.diagnostics, **content)
    # Warnings first: what was asked for stands last, where a person looks for it.
    answer(arguments, FINE, diagnostics=resolution.diagnostics)
    if arguments.hash:
        print(spec.hash)
    elif arguments.origin:
        sys.stdout.write(_printed(spec, lambda path: origin(resolution.origins, path)))
    else:
        sys.stdout.write(_printed(spec))
    return FINE


def _study(arguments: Namespace, resolution: Resolution) -> int:
    """List the cells of a study, or print the spec of one."""
    from renaissance.render.study import cells_as_json, render_study

    name, _, wanted = arguments.study.partition(":")
    study = resolution.studies.get(name)
    if study is None:
        there = listing(resolution.studies)
        failure = f"there is no study `{name}`" + (f"; there is {there}" if there else "")
        return answer(arguments, NO_ANSWER, failures=[failure])
    cells = [cell for cell in study.cells if wanted in ("", cell.name, cell.variant)]
    if not cells:
        known = listing([cell.name for cell in study.cells], most=FEW)
        failure = f"study `{name}` has no cell `{wanted}`; cells are {known}"
        return answer(arguments, NO_ANSWER, failures=[failure])
    found = resolution.diagnostics
    if arguments.format == "json":
        return answer(arguments, FINE, diagnostics=found, **cells_as_json(study, cells))
    answer(arguments, FINE, diagnostics=found)
    if wanted:
        sys.stdout.write(f"{cells[0].spec.hash}\n" if arguments.hash else _printed(cells[0].spec))
    else:
        sys.stdout.write(render_study(study))
    return FINE


def _printed(spec: Spec, note: Note = lambda path: "") -> str:
    try:
        return print_spec(spec, note)
    except UnprintableError as error:
        raise SourceError(
            f"{error}, and no override can say that: declare that model by itself, with `extends`; "
            "`--format json` shows the spec as it is"
        ) from None


def origin(origins: Places, path: Path) -> str:
    """Return in a few words where a value comes from: `towers.vl:3:12`, `default`.

    Args:
        origins: of the spec.
        path: of the value in the spec.
    """
    span = origins.values.get(path)
    if span is not None:
        return _place(span)
    return origins.derived.get(path, "default")


def _origins(origins: Places) -> dict[str, str]:
    said = {_address(path): _place(span) for path, span in origins.values.items()}
    derived = {_address(path): reason for path, reason in origins.derived.items()}
    return dict(sorted((said | derived).items()))


def _address(path: Path) -> str:
    return ".".join(str(part) for part in path)


def _place(span: Span) -> str:
    if span.source.name == SETTINGS:
        return SETTINGS
    line, column = span.source.position(span.start)
    return f"{span.source.name}:{line}:{column}"

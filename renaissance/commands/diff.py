"""`renaissance diff`: compare what two specs mean."""

import sys
from argparse import Namespace
from collections.abc import Iterator
from typing import Any

from renaissance.answer import FINE, NO, NO_ANSWER, answer
from renaissance.files import find_spec
from renaissance.grammar.composition.resolution import Resolution, resolve
from renaissance.grammar.composition.revision import PREFIX, open_revision
from renaissance.grammar.diff import diff_specs
from renaissance.grammar.schema.spec import Spec
from renaissance.grammar.source import read_source


def run(arguments: Namespace) -> int:
    """Print what differs; with `--exit-code` or `--fail-on` the exit code says it as well."""
    old, new = _resolve(arguments.old), _resolve(arguments.new)
    diagnostics = list(dict.fromkeys((*old.diagnostics, *new.diagnostics)))
    errors = [finding for finding in diagnostics if finding.severity == "error"]
    if old.spec is None or new.spec is None:
        # A spec that means nothing cannot be compared: that is no answer, not a difference.
        return answer(arguments, NO_ANSWER, diagnostics=errors)
    diff = diff_specs(old.spec, new.spec)
    differs = arguments.exit_code and bool(diff.blocks)
    fails = arguments.fail_on is not None and diff.reaches(arguments.fail_on)
    code = NO if differs or fails else FINE
    figures = list(_figures(old.spec, new.spec)) if arguments.plan else []
    if arguments.format == "json":
        content: dict[str, Any] = {"old": arguments.old, "new": arguments.new, **diff.to_dict()}
        if arguments.plan:
            content["figures"] = [
                {"model": model, "what": what, "old": before, "new": after}
                for model, what, before, after in figures
            ]
        return answer(arguments, code, **content)
    from renaissance.render.color import palette
    from renaissance.render.comparison import render_comparison, render_figures

    colors = palette(arguments.color, sys.stdout)
    sys.stdout.write(render_comparison(diff, arguments.old, arguments.new, colors))
    for model in dict.fromkeys(model for model, *_ in figures):
        rows = [(what, before, after) for name, what, before, after in figures if name == model]
        sys.stdout.write(f"\n{colors.paint(model, 'bold')}\n{render_figures(rows)}")
    return code


def _resolve(address: str) -> Resolution:
    if not address.startswith(PREFIX):
        return resolve(read_source(find_spec(address)))
    revision, path = open_revision(address)
    return resolve(revision.read(path), revision)


def _figures(old: Spec, new: Spec) -> Iterator[tuple[str, str, int | None, int | None]]:
    """Yield figures of every model of either spec: model, what is counted, before, after."""
    before, after = _planned(old), _planned(new)
    for model in dict.fromkeys((*before, *after)):
        kinds = dict.fromkeys((*before.get(model, {}), *after.get(model, {})))
        for what in kinds:
            yield model, what, before.get(model, {}).get(what), after.get(model, {}).get(what)


def _planned(spec: Spec) -> dict[str, dict[str, int]]:
    """Return figures by model: parameters, and FLOPs of a pair of text and image."""
    from renaissance.compiler import plan

    figures: dict[str, dict[str, int]] = {}
    for model in plan(spec).to_dict()["models"]:
        parameters, flops = model["parameters"], model["flops_per_sample"]
        figures[model["name"]] = {
            "parameters": parameters["total"],
            "trainable": parameters["trainable"],
            "forward FLOPs a sample": flops["forward"],
            "training FLOPs a sample": flops["training"],
        }
    return figures

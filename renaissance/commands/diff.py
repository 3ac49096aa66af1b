"""`renaissance diff`: compare what two specs mean."""

import sys
from argparse import Namespace
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from renaissance.answer import FINE, NO, NO_ANSWER, answer
from renaissance.files import find_spec
from renaissance.grammar.composition.resolution import Resolution, resolve
from renaissance.grammar.composition.revision import PREFIX, open_revision
from renaissance.grammar.composition.settings import Settings
from renaissance.grammar.diff import SpecDiff, diff_specs
from renaissance.grammar.schema.spec import Spec
from renaissance.grammar.source import read_source
from renaissance.settings import settings_of

if TYPE_CHECKING:
    from renaissance.compiler.planning.model_plan import ModelPlan


def run(arguments: Namespace) -> int:
    """Print what differs; with `--exit-code` or `--fail-on` the exit code says it as well."""
    old = _resolve(arguments.old)
    new = _resolve(arguments.new, settings_of(arguments.settings))
    diagnostics = list(dict.fromkeys((*old.diagnostics, *new.diagnostics)))
    errors = [finding for finding in diagnostics if finding.severity == "error"]
    if old.spec is None or new.spec is None:
        # A spec that means nothing cannot be compared: that is no answer, not a difference.
        return answer(arguments, NO_ANSWER, diagnostics=errors)
    diff = diff_specs(old.spec, new.spec)
    differs = arguments.exit_code and bool(diff.blocks)
    fails = arguments.fail_on is not None and diff.reaches(arguments.fail_on)
    code = NO if differs or fails else FINE
    figures = list(_figures(old.spec, new.spec, diff)) if arguments.plan else []
    if arguments.format == "json":
        content: dict[str, Any] = {"old": arguments.old, "new": arguments.new, **diff.to_dict()}
        if arguments.plan:
            content["figures"] = [
                {"block": block, "what": what, "old": before, "new": after}
                for block, what, before, after in figures
            ]
        return answer(arguments, code, **content)
    from renaissance.render.color import palette
    from renaissance.render.comparison import render_comparison, render_figures

    colors = palette(arguments.color, sys.stdout)
    sys.stdout.write(render_comparison(diff, arguments.old, arguments.new, colors))
    for block in dict.fromkeys(block for block, *_ in figures):
        rows = [(what, before, after) for name, what, before, after in figures if name == block]
        sys.stdout.write(f"\n{colors.paint(block, 'bold')}\n{render_figures(rows)}")
    if diff.blocks and not arguments.plan:
        sys.stdout.write("with --plan: what this does to parameters, compute and memory\n")
    return code


def _resolve(address: str, settings: Settings | None = None) -> Resolution:
    if not address.startswith(PREFIX):
        return resolve(read_source(find_spec(address)), settings=settings)
    revision, path = open_revision(address)
    return resolve(revision.read(path), revision, settings)


def _figures(
    old: Spec, new: Spec, diff: SpecDiff
) -> Iterator[tuple[str, str, int | None, int | None]]:
    """Yield figures of models and jobs that differ: which, what is counted, before, after.

    What has another name is compared with what it was.
    """
    renamed = {
        f"{block.word} {block.old_name}": f"{block.word} {block.name}"
        for block in diff.blocks
        if block.old_name
    }
    before = {renamed.get(block, block): figures for block, figures in _planned(old).items()}
    after = _planned(new)
    for block in dict.fromkeys((*before, *after)):
        was, now = before.get(block, {}), after.get(block, {})
        if was != now:
            for what in dict.fromkeys((*was, *now)):
                yield block, what, was.get(what), now.get(what)


def _planned(spec: Spec) -> dict[str, dict[str, int]]:
    """Return figures by model and job."""
    from renaissance.compiler import plan

    planned = plan(spec)
    figures: dict[str, dict[str, int]] = {}
    for model in planned.models:
        figures[f"model {model.name}"] = _of_model(model)
    for job in planned.jobs:
        memory = job.peak.memory
        figures[f"{job.kind} {job.name}"] = _of_model(job.model) | {
            "gradients to inputs, FLOPs": job.model.flops_per_sample.to_inputs,
            "gradients to weights, FLOPs": job.model.flops_per_sample.to_weights,
            "optimizer, bytes": memory.optimizer,
            "average of the weights, bytes": memory.average,
            "moving copy and queue, bytes": memory.momentum,
            "activations, bytes": memory.activations,
            "peak memory, bytes": memory.peak,
        }
    return figures


def _of_model(model: "ModelPlan") -> dict[str, int]:
    return {
        "parameters": model.parameters.total,
        "trainable": model.parameters.trainable,
        "forward FLOPs a sample": model.flops_per_sample.forward,
        "training FLOPs a sample": model.flops_per_sample.training,
    }

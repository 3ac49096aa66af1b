"""Outputs and gradients of the kernels against float64; see `benchmarks.numerics`."""

from dataclasses import asdict

import torch

from benchmarks.gpu_parts.results import Options, Results, Values
from benchmarks.numerics import AGAIN, Problem, judged, problems, shared
from renaissance.compiler.kernels import supported


def run(results: Results) -> None:
    """Judge this process's share of the problems."""
    options = results.options
    reason = supported(options.device, torch.float32, 64)
    if reason is not None:
        results.write("all", reason=reason)
        return
    for problem in shared(problems(options.tiny), *options.share):
        results.item(problem.name, lambda p=problem: _judged(p, options))


def _judged(problem: Problem, options: Options) -> Values:
    found = asdict(judged(problem, options.device, 1 if options.tiny else AGAIN))
    largest = max(found["errors"].values(), key=lambda error: (error != error, error))
    return {**found, "largest": largest}

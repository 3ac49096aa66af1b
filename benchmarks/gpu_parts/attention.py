"""Our attention and every other at the shapes of training; see `benchmarks.attention`."""

from collections.abc import Iterator

import torch

from benchmarks.attention import (
    Alternative,
    Settings,
    alternative,
    ceiling,
    compare,
    measure,
    parser,
    settings_of,
)
from benchmarks.attention_shapes import PASSES, Pass, Shape, chosen_shapes, tiny_shapes
from benchmarks.contenders import OURS
from benchmarks.gpu_parts.results import Options, Results, Values
from renaissance.compiler.kernels import supported

IMAGES = ("forward:registers=0", "forward:block_m=64,warps=4,registers=0", "forward:warps=4")
PAIRS = ("narrow_forward:registers=168", "narrow_forward:stages=2")
FLEX = "flex compiled"


def run(results: Results) -> None:
    """Time every shape without and with dropout, forward alone and with its backward pass."""
    options = results.options
    reason = supported(options.device, torch.float32, 64)
    if reason is not None:
        results.write("all", reason=reason)
        return
    repeats = "1" if options.tiny else "50"
    arguments = ["--device", options.device, "--repeats", repeats]
    settings = settings_of(parser().parse_args(arguments))
    most = ceiling(options.device, settings.dtype, 64 if options.tiny else 8192)
    results.write("ceiling", tflops=most)
    for shape in tiny_shapes() if options.tiny else chosen_shapes():
        for dropout in (0.0, 0.1):
            for which in PASSES:
                name = f"{shape.name}, dropout {dropout}, {which}"
                chosen = _with_alternatives(settings, shape, which, options)
                results.item(
                    name,
                    lambda s=shape, w=which, d=dropout, c=chosen: _measured(s, w, d, c, most),
                )
    if options.cuda:
        _flexible(results, settings, most)


def _measured(
    shape: Shape, which: Pass, dropout: float, settings: Settings, most: float
) -> Iterator[Values]:
    found = []
    for result in measure(shape, which, dropout, settings):
        found.append(result)
        yield result
    # Every contender is known now: say how ours compares.
    for result in compare(found, most):
        ratio = result.get("times best other, milliseconds")
        if ratio is not None:
            yield {
                "ratio": ratio,
                "eager ratio": result["times best other, eager milliseconds"],
                "contender": result["contender"],
                "share of ceiling": result["share of ceiling"],
            }


def _with_alternatives(settings: Settings, shape: Shape, which: Pass, options: Options) -> Settings:
    """Return settings with other configurations of ours, those that are asked for or our own."""
    texts = options.configurations
    if not texts and which == "forward" and options.cuda:
        texts = PAIRS if shape.both else IMAGES if shape.dense else ()
    found: tuple[Alternative, ...] = tuple(alternative(text) for text in texts)
    return Settings(
        device=settings.device,
        dtype=settings.dtype,
        repeats=settings.repeats,
        contenders=settings.contenders,
        alternatives=found,
    )


def _flexible(results: Results, settings: Settings, most: float) -> None:
    """Time FlexAttention where it was made for, on few shapes: it compiles for each anew."""
    alone = Settings(
        device=settings.device,
        dtype=settings.dtype,
        repeats=settings.repeats,
        contenders=(OURS, FLEX),
    )
    for shape in chosen_shapes()[1:3]:
        results.item(
            f"flex, {shape.name}", lambda s=shape: _measured(s, "forward", 0.0, alone, most)
        )

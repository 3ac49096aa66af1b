"""Fused attention against everything else that PyTorch offers, at the shapes of the shipped specs.

`python -m benchmarks.attention --json attention.jsonl` on a GPU prints one line for each shape,
pass, dropout and contender: milliseconds of the device alone (a CUDA graph's replay) and as Python
calls it (both medians), TFLOP/s, the share of the matrix-product ceiling measured in the same run,
and how much faster ours is than the best other. Each contender's output is first compared with
ours; one that differs is reported as wrong and not ranked. `--configuration` adds ours with other
tiles, warps or stages, such as `forward:block_m=64,warps=4`.

Work is counted without padding, 4 · heads · head_dim · Σ queries · keys for a forward pass and 3.5
times that for forward and backward. Contenders that cannot take ragged sequences get them padded,
with a mask; laying the padding out is not timed, nor is building FlexAttention's block mask, which
favours them.
"""

import argparse
import gc
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import torch
from torch import Tensor

from benchmarks.attention_shapes import (
    PASSES,
    Pass,
    Shape,
    chosen_shapes,
    flops,
    shapes,
    tiny_shapes,
    traffic,
)
from benchmarks.contenders import CONTENDERS, OURS, Job, Stream, streams
from benchmarks.timing import eager_milliseconds, graph_milliseconds
from renaissance.compiler.kernels import supported
from renaissance.compiler.kernels.availability import architecture, interpreting
from renaissance.compiler.kernels.configurations import Configuration, Kernel, choose, override

Result = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternative:
    """Ours in another configuration.

    Attributes:
        name: as written, `forward:block_m=64,warps=4`.
        changes: values of fields by kernel; `registers=0` leaves them to the compiler.
    """

    name: str
    changes: dict[Kernel, dict[str, int]]

    def configurations(
        self, shape: Shape, dropout: float, device: str, dtype: torch.dtype
    ) -> dict[Kernel, Configuration]:
        """Return what is stored for a shape with the changes made."""
        longest = [max(shape.query_lengths), max(shape.key_lengths)]
        queries, keys = [max(longest)] * 2 if shape.both else longest
        found: dict[Kernel, Configuration] = {}
        for kernel, values in self.changes.items():
            stored = choose(
                "interpreter" if interpreting() else architecture(device),
                kernel,
                dtype=dtype,
                head_dim=shape.head_dim,
                max_query=queries,
                max_key=keys,
                dropout=dropout > 0,
                bias=False,
            )
            found[kernel] = replace(stored, **{n: value or None for n, value in values.items()})
        return found


def alternative(text: str) -> Alternative:
    """Read a configuration; several kernels are separated by `;`.

    Raises:
        ValueError: if there is no such kernel or field.
    """
    known = [field.name for field in fields(Configuration)]
    changes: dict[Kernel, dict[str, int]] = {}
    for part in text.split(";"):
        kernel, _, values = part.strip().partition(":")
        if kernel not in get_args(Kernel):
            raise ValueError(f"`{kernel}` is no kernel; kernels are {', '.join(get_args(Kernel))}")
        pairs = [pair.partition("=") for pair in values.split(",")]
        for name, _, number in pairs:
            if name not in known or not number.isdigit():
                raise ValueError(
                    f"`{values}` is no list of field=number; fields are {', '.join(known)}"
                )
        changes[kernel] = {name: int(number) for name, _, number in pairs}  # type: ignore[index]
    return Alternative(name=text, changes=changes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How to measure.

    Attributes:
        device: `cuda` or `cpu`.
        dtype: of all tensors.
        repeats: timed calls, at most.
        contenders: their names; ours first.
        alternatives: ours in other configurations.
    """

    device: str
    dtype: torch.dtype
    repeats: int
    contenders: tuple[str, ...]
    alternatives: tuple[Alternative, ...] = ()


def step(job: Job, which: Pass) -> list[Tensor]:
    """Run one pass of a job."""
    if which == "forward":
        with torch.no_grad():
            return job.forward()
    outputs = job.forward()
    torch.autograd.grad(outputs, job.inputs, job.grads)
    return outputs


def ceiling(device: str, dtype: torch.dtype, size: int) -> float:
    """Return TFLOP/s of a square matrix product, the most that attention could reach."""
    left, right = (torch.randn(size, size, device=device, dtype=dtype) for _ in range(2))
    return 2.0 * size**3 / eager_milliseconds(lambda: left @ right, device, 20) / 1e9


def measure(shape: Shape, which: Pass, dropout: float, settings: Settings) -> Iterator[Result]:
    """Yield one result a contender: its times, or why it has none.

    A contender that fails, of which running out of memory is one way, leaves the others their turn.
    """
    torch.manual_seed(0)
    first, second = streams(shape, settings.device, settings.dtype)
    expected: list[Tensor] = []
    start: Result = {"shape": shape.name, "pass": which, "dropout": dropout}
    turns = [(name, name, Alternative(name=name, changes={})) for name in settings.contenders]
    turns += [(f"{OURS} {other.name}", OURS, other) for other in settings.alternatives]
    for name, contender, other in turns:
        try:
            device, dtype = settings.device, settings.dtype
            with override(other.configurations(shape, dropout, device, dtype)):
                found = _measured(
                    CONTENDERS[contender],
                    (shape, first, second),
                    (which, dropout),
                    settings,
                    expected,
                    contender == OURS,
                )
        # Backends refuse shapes in many ways; a refusal is a result of the comparison.
        except Exception as error:
            found = {"reason": _first_line(error)}
        if "reason" in found:
            _recover(settings.device)
        yield {**start, "contender": name, **found}


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:160]


def _measured(
    builder: Callable[..., Job],
    problem: tuple[Shape, Stream, Stream],
    call: tuple[Pass, float],
    settings: Settings,
    expected: list[Tensor],
    ours: bool,
) -> Result:
    """Return the times of one contender, or that its output is wrong; keep the output of ours."""
    which, dropout = call
    job = builder(*problem, dropout)
    outputs = [output.detach() for output in job.unpack(step(job, which))]
    if ours and not expected:
        expected.extend(outputs)
    # Masks of dropout differ between implementations.
    if expected and (not dropout or ours) and not _agree(outputs, expected):
        return {"reason": "its output differs from ours"}
    cuda = settings.device == "cuda"

    def run() -> object:
        return step(job, which)

    eager = eager_milliseconds(run, settings.device, settings.repeats)
    found: Result = {"eager milliseconds": eager, "milliseconds": eager}
    if cuda:
        try:
            found["milliseconds"] = graph_milliseconds(run, settings.repeats)
        except RuntimeError as error:
            torch.cuda.synchronize()
            found["no graph"] = _first_line(error)
    size = settings.dtype.itemsize
    found["tflops"] = flops(problem[0], which) / found["milliseconds"] / 1e9
    found["gigabytes a second"] = traffic(problem[0], which, size) / found["milliseconds"] / 1e6
    return found


def _agree(outputs: list[Tensor], expected: list[Tensor]) -> bool:
    return all(
        torch.allclose(output, wanted, rtol=2e-2, atol=2e-2)
        for output, wanted in zip(outputs, expected, strict=True)
    )


def _recover(device: str) -> None:
    """Give memory back, and stop here if the device answers no more."""
    gc.collect()
    if device == "cuda":
        torch.cuda.synchronize()
        torch.cuda.empty_cache()


def compare(results: list[Result], most: float) -> list[Result]:
    """Add the share of the ceiling and, to ours, how many times as fast as the best other."""
    others = [
        r for r in results if not r["contender"].startswith(OURS) and "milliseconds" in r
    ]  # fmt: skip
    for result in results:
        if "milliseconds" in result:
            result["share of ceiling"] = result["tflops"] / most
            if result["contender"].startswith(OURS) and others:
                for word in ("milliseconds", "eager milliseconds"):
                    best = min(other[word] for other in others)
                    result[f"times best other, {word}"] = best / result[word]
    return results


def line(result: Result) -> str:
    """Return a result for a person to read."""
    start = (
        f"{result['shape']:64} {result['pass']:16} dropout {result['dropout']} "
        f"{result['contender']:15}"
    )
    if "reason" in result:
        return f"{start} not run: {result['reason']}"
    ratio = result.get("times best other, milliseconds")
    return (
        f"{start} {result['milliseconds']:9.3f} ms, eager {result['eager milliseconds']:9.3f} ms, "
        f"{result['tflops']:7.1f} TFLOP/s, {100 * result['share of ceiling']:5.1f} % of ceiling"
    ) + (f", {ratio:.2f} x best other" if ratio else "")


def about(device: str, dtype: torch.dtype, most: float) -> Result:
    """Return what was measured on."""
    import triton

    return {
        "device": torch.cuda.get_device_name() if device == "cuda" else device,
        "torch": torch.__version__,
        "triton": triton.__version__,
        "cuda": torch.version.cuda,
        "date": datetime.now(UTC).date().isoformat(),
        "dtype": str(dtype),
        "matrix product TFLOP/s": most,
    }


def chosen(options: argparse.Namespace) -> list[Shape]:
    """Return the shapes that a command line asks for."""
    if options.tiny:
        found = tiny_shapes()
    elif options.batch is None:
        found = chosen_shapes()
    else:
        found = shapes(tuple(options.batch))
    return [s for s in found if not options.shape or any(w in s.name for w in options.shape)]


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    made = argparse.ArgumentParser(description="Time fused attention against PyTorch's own.")
    made.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    made.add_argument("--dtype", choices=("bfloat16", "float16", "float32"))
    made.add_argument(
        "--batch", type=int, nargs="+", help="all shapes at these; a chosen few if left out"
    )
    made.add_argument("--shape", nargs="+", help="only shapes whose names hold one of these words")
    made.add_argument("--passes", nargs="+", choices=PASSES, default=list(PASSES))
    made.add_argument("--dropout", type=float, nargs="+", default=[0.0, 0.1])
    made.add_argument("--contenders", nargs="+", choices=tuple(CONTENDERS))
    made.add_argument(
        "--configuration", type=alternative, action="append", default=[], metavar="KERNEL:FIELD=N"
    )
    made.add_argument("--repeats", type=int, default=50, help="timed calls of each contender")
    made.add_argument("--tiny", action="store_true", help="a smoke run of two small shapes")
    made.add_argument("--json", type=Path, help="write each result to this file as a line of JSON")
    return made


def settings_of(options: argparse.Namespace) -> Settings:
    """Return how a command line asks to measure."""
    cuda = options.device == "cuda"
    default = torch.bfloat16 if cuda else torch.float32
    # FlexAttention compiles for minutes, and plain operations take most of the time and memory.
    slow = ("sdpa math", "flex compiled", "eager")
    names = [n for n in CONTENDERS if n not in slow] if cuda else [OURS, "sdpa math", "eager"]
    return Settings(
        device=options.device,
        dtype=getattr(torch, options.dtype) if options.dtype else default,
        repeats=options.repeats,
        contenders=tuple(options.contenders or names),
        alternatives=tuple(options.configuration),
    )


def main(arguments: list[str] | None = None) -> int:
    """Measure and print."""
    options = parser().parse_args(arguments)
    if options.device == "cuda" and not torch.cuda.is_available():
        print("This benchmark needs a GPU, and PyTorch finds none here.", file=sys.stderr)
        return 2
    settings = settings_of(options)
    reason = supported(options.device, settings.dtype, 64)
    if reason is not None:
        print(f"Nothing to measure: {reason}.", file=sys.stderr)
        return 2
    most = ceiling(options.device, settings.dtype, 8192 if options.device == "cuda" else 256)
    if options.json:
        options.json.write_text(json.dumps(about(options.device, settings.dtype, most)) + "\n")
    for shape in chosen(options):
        for which in options.passes:
            for dropout in options.dropout:
                results = list(measure(shape, which, dropout, settings))
                for result in compare(results, most):
                    print(line(result), flush=True)
                    if options.json:
                        with options.json.open("a") as file:
                            file.write(json.dumps(result) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

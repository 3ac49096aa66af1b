"""How far outputs and gradients of the fused attention lie from float64.

    python -m benchmarks.numerics [--device cuda|cpu] [--tiny] [--share 0/1]

prints a JSON line a problem. Errors are norms, ‖found - truth‖ / ‖truth‖, of the output and of each
gradient, beside those of plain tensor operations in the same type. The truth is computed on the CPU
in float64 with the same dropout masks. What a kernel does not write is NaN, and so is its error.
"""

import argparse
import itertools
import json
import math
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from renaissance.compiler import kernels
from renaissance.compiler.kernels import reference, supported

LARGEST = {torch.bfloat16: 1e-2, torch.float16: 2e-3, torch.float32: 2e-6}
"""Accepted error of a norm by type; in float32 it grows with the root of the number of terms."""
AGAIN = 20
"""Repetitions that must give the same bits."""
SEED = 2**40 + 7
HEAD_DIMS = (64, 32, 128, 80)
DTYPES = (torch.bfloat16, torch.float16, torch.float32)
CAPTIONS = (8, 31, 13, 50, 9, 22, 17, 11)
LENGTHS: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = {
    "captions": (CAPTIONS, CAPTIONS),
    "captions and patches": (CAPTIONS, (197,) * 8),
    "image 197": ((197, 197), (197, 197)),
    "cross": ((37, 1, 20), (3, 75, 33)),
    "first token": ((1, 1, 1), (50, 33, 12)),
    "empty": ((0, 9, 67), (5, 0, 67)),
    "image 577": ((577,), (577,)),
}
TINY: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = {
    "captions": ((3, 5), (3, 5)),
    "captions and patches": ((3, 5), (7, 7)),
    "cross": ((37, 1), (3, 40)),
}


@contextmanager
def uninitialised_is_nan() -> Iterator[None]:
    """Fill every uninitialised tensor with NaN, so that what is not written shows."""
    before = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before)


def relative_error(found: Tensor, truth: Tensor) -> float:
    """Return ‖found - truth‖ / ‖truth‖; where the truth is zero, the norm of what was found."""
    difference = (found.detach().cpu().double() - truth).norm().item()
    return difference / (truth.norm().item() or 1.0)


def largest_error(dtype: torch.dtype, terms: int) -> float:
    """Return the error of a norm that is accepted.

    Args:
        dtype: of inputs and results.
        terms: of the longest sum, which is over the tokens of a sequence.
    """
    return LARGEST[dtype] * (math.sqrt(terms) if dtype is torch.float32 else 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One attention call, or both directions of co-attention, in one type.

    Attributes:
        lengths: its name in the table of lengths.
        query_lengths, key_lengths: tokens of each sequence; of the two streams in co-attention.
        head_dim: width of a head.
        dtype: of inputs and results.
        dropout: probability that a weight is dropped.
    """

    lengths: str
    query_lengths: tuple[int, ...]
    key_lengths: tuple[int, ...]
    head_dim: int
    dtype: torch.dtype
    dropout: float

    @property
    def both(self) -> bool:
        """Whether it is co-attention."""
        return self.lengths == "captions and patches"

    @property
    def name(self) -> str:
        """What a table calls it."""
        dtype = str(self.dtype).removeprefix("torch.")
        return f"{self.lengths}, {dtype}, {self.head_dim} wide, dropout {self.dropout}"


def problems(tiny: bool = False) -> list[Problem]:
    """Return the problems, those first that training meets most."""
    table = TINY if tiny else LENGTHS
    dtypes = (torch.float32,) if tiny else DTYPES
    head_dims = (16,) if tiny else HEAD_DIMS
    return [
        Problem(
            lengths=name,
            query_lengths=table[name][0],
            key_lengths=table[name][1],
            head_dim=head_dim,
            dtype=dtype,
            dropout=dropout,
        )
        for dtype, head_dim, dropout, name in itertools.product(
            dtypes, head_dims, (0.0, 0.1), table
        )
    ]


def shared(found: list[Problem], number: int, shares: int) -> list[Problem]:
    """Return the problems of one of several processes; those of equal kernels stay together."""
    kinds = list(dict.fromkeys((p.dtype, p.head_dim, p.dropout) for p in found))
    own = set(kinds[number::shares])
    return [p for p in found if (p.dtype, p.head_dim, p.dropout) in own]


def few_problems() -> list[Problem]:
    """Return a problem for each kernel in bfloat16, for tools that slow it down a hundredfold."""
    return [
        problem
        for problem in problems()
        if (problem.dtype, problem.head_dim) == (torch.bfloat16, 64)
        and not problem.lengths.startswith("image")
        and (problem.dropout > 0 or problem.lengths in ("cross", "empty"))
    ]


def inputs_of(problem: Problem, heads: int = 2) -> list[tuple[Tensor, ...]]:
    """Return query, key, value and output gradient of the stream or streams, on the CPU."""
    drawn = torch.Generator().manual_seed(11)

    def stream(queries: tuple[int, ...], keys: tuple[int, ...]) -> tuple[Tensor, ...]:
        rows = (sum(queries), sum(keys), sum(keys), sum(queries))
        return tuple(
            torch.randn(n, heads, problem.head_dim, generator=drawn).to(problem.dtype) for n in rows
        )

    if problem.both:
        sides = (problem.query_lengths, problem.key_lengths)
        return [stream(side, side) for side in sides]
    return [stream(problem.query_lengths, problem.key_lengths)]


def run(library: Any, problem: Problem, device: str, dtype: torch.dtype) -> dict[str, Tensor]:
    """Return outputs and gradients by name.

    Args:
        library: a module with `varlen_attention` and `coattention`.
        problem: what to compute.
        device: where.
        dtype: in which type.
    """
    streams = [
        [tensor.to(device, dtype).requires_grad_() for tensor in stream]
        for stream in inputs_of(problem)
    ]
    bounds = [
        torch.tensor([0, *lengths]).cumsum(0).to(device, torch.int32)
        for lengths in (problem.query_lengths, problem.key_lengths)
    ]
    longest = (max(problem.query_lengths), max(problem.key_lengths))
    inputs = [tensor for stream in streams for tensor in stream[:3]]
    attention = library.coattention if problem.both else library.varlen_attention
    found = attention(*inputs, *bounds, *longest, dropout=problem.dropout, seed=SEED)
    outputs = list(found) if problem.both else [found]
    torch.autograd.backward(outputs, [stream[3].detach() for stream in streams])
    results: dict[str, Tensor] = {}
    for side, (output, stream) in zip(("", " b"), zip(outputs, streams, strict=True), strict=False):
        results[f"output{side}"] = output.detach()
        for name, tensor in zip(("query", "key", "value"), stream, strict=False):
            results[f"{name} gradient{side}"] = (
                torch.zeros_like(tensor) if tensor.grad is None else tensor.grad
            )
    return results


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What was found out about one problem.

    Attributes:
        problem: its name.
        errors: of each result.
        plain: the same of plain tensor operations in the same type.
        accepted: the largest error of a norm that is accepted.
        same_bits: whether repetitions gave the same bits.
        right: whether all that is as it should be.
    """

    problem: str
    errors: dict[str, float]
    plain: dict[str, float]
    accepted: float
    same_bits: bool
    right: bool


def judged(problem: Problem, device: str, again: int = AGAIN) -> Judged:
    """Hold the kernels against float64 on one problem.

    Args:
        problem: what to compute.
        device: where the kernels run.
        again: repetitions that must give the same bits.
    """
    truth = run(reference, problem, "cpu", torch.float64)
    plain = run(reference, problem, device, problem.dtype)
    with uninitialised_is_nan():
        found = run(kernels, problem, device, problem.dtype)
    repeated = [run(kernels, problem, device, problem.dtype) for _ in range(again)]
    same = all(torch.equal(found[name], once[name]) for once in repeated for name in found)
    errors = {name: relative_error(found[name], truth[name]) for name in truth}
    longest = max(*problem.query_lengths, *problem.key_lengths)
    accepted = largest_error(problem.dtype, longest)
    return Judged(
        problem=problem.name,
        errors=errors,
        plain={name: relative_error(plain[name], truth[name]) for name in truth},
        accepted=accepted,
        same_bits=same,
        # A NaN is no error that is small enough.
        right=same and all(error <= accepted for error in errors.values()),
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--tiny", action="store_true", help="a few small problems")
    parser.add_argument("--share", default="0/1", help="`2/4`: the third quarter of the problems")
    parser.add_argument(
        "--launch-only", action="store_true", help="run each kernel and compare nothing"
    )
    options = parser.parse_args()
    reason = supported(options.device, torch.float32, 64)
    if reason is not None:
        sys.stderr.write(f"nothing to hold against float64: {reason}\n")
        return 2
    if options.launch_only:
        for problem in problems(tiny=True) if options.tiny else few_problems():
            run(kernels, problem, options.device, problem.dtype)
        return 0
    number, shares = map(int, options.share.split("/"))
    wrong = 0
    for problem in shared(problems(options.tiny), number, shares):
        result = judged(problem, options.device, 2 if options.tiny else AGAIN)
        wrong += not result.right
        print(json.dumps(asdict(result)), flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

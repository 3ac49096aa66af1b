"""What one call of attention costs the host, measured without a GPU.

Triton's own path runs whole, up to a driver for Hopper that loads nothing and a launcher that does
nothing; tensors lie on the CPU, and nobody looks at what they hold. Beside it stands torch's fused
attention of one token, a C++ operator with next to nothing to compute. Times are
those of the processor, the least of interleaved rounds; the number of Python calls does not depend
on the machine.

    python -m benchmarks.launches [--rounds 40] [--json]
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import torch
import torch.nn.functional as F
from torch import Tensor
from triton.backends.compiler import GPUTarget
from triton.runtime import driver

from renaissance.compiler.kernels import coattention, operands, plans, varlen_attention

Call = Callable[[], object]
CALLS = 10
"""Calls of a round, which one reading of the clock covers."""


class NoLauncher:
    """Takes what a launcher takes."""

    launches = 0

    def __init__(self, source: object, metadata: object) -> None:
        pass

    def __call__(self, *arguments: object) -> None:
        NoLauncher.launches += 1


class NoDriver:
    """A GPU of Hopper's kind that loads and launches nothing."""

    launcher_cls = NoLauncher
    utils = SimpleNamespace(
        load_binary=lambda *_: (1, 1, 0, 0, 1024),
        unload_module=lambda *_: None,
        get_device_properties=lambda *_: {"max_shared_mem": 227 * 1024},
    )

    def get_current_target(self) -> GPUTarget:
        return GPUTarget("cuda", 90, 32)

    def get_current_device(self) -> int:
        return 0

    def get_current_stream(self, device: int) -> int:
        return 0


@contextmanager
def without_a_gpu() -> Iterator[None]:
    """Let tensors of the CPU go the way of tensors of a GPU, for the life of the process."""
    driver.set_active(NoDriver())
    with (
        patch.object(operands, "supported", lambda *_: None),
        patch.object(plans, "architecture", lambda _: "sm_90"),
    ):
        yield


def packed(lengths: list[int], heads: int = 4, head_dim: int = 64) -> tuple[Tensor, Tensor]:
    """One product's queries, keys and values `[tokens, 3, heads, head_dim]`, and the lengths."""
    tokens = torch.zeros(sum(lengths), 3, heads, head_dim, dtype=torch.bfloat16)
    return tokens, torch.tensor([0, *lengths]).cumsum(0, dtype=torch.int32)


def calls() -> dict[str, tuple[Call, Call]]:
    """What is measured: without gradients, and with a backward pass."""
    text, cu_text = packed([12, 9, 7, 12])
    # Announced as long as images: joining the gradients of as many tokens would take the CPU longer
    # than the call.
    image, cu_image = packed([12] * 4)
    seed = 3

    def alone(stream: Tensor, ends: Tensor, longest: int, dropout: float) -> Call:
        q, k, v = stream.unbind(1)
        return lambda: varlen_attention(
            q, k, v, ends, ends, longest, longest, dropout=dropout, seed=seed
        )

    def both(a: Tensor, b: Tensor) -> Call:
        streams = (*a.unbind(1), *b.unbind(1))
        return lambda: coattention(*streams, cu_text, cu_image, 12, 197, dropout=0.1, seed=seed)

    def sdpa(tokens: Tensor) -> Call:
        q, k, v = tokens.unbind(1)
        return lambda: F.scaled_dot_product_attention(q, k, v)

    def trained(make: Callable[..., Call], *streams: Tensor, **options: Any) -> Call:
        learning = [stream.clone().requires_grad_() for stream in streams]
        forward = make(*learning, **options)
        result = forward()
        outputs = list(result) if isinstance(result, tuple) else [result]
        grads = [torch.zeros_like(output) for output in outputs]  # type: ignore[call-overload]

        def step() -> object:
            found = forward()
            return torch.autograd.grad(
                list(found) if isinstance(found, tuple) else [found],  # type: ignore[list-item]
                learning,
                grads,
            )

        return step

    long = {"ends": cu_image, "longest": 197}
    short = {"ends": cu_text, "longest": 12}
    one = torch.zeros(1, 3, 1, 1, 64)
    measured: dict[str, tuple[Call, Call]] = {}
    for name, stream, options in (("text", text, short), ("image", image, long)):
        for dropout in (0.0, 0.1):
            told = {**options, "dropout": dropout}
            label = f"{name}, dropout {dropout:g}"
            measured[label] = alone(stream, **told), trained(alone, stream, **told)
    measured["co-attention, dropout 0.1"] = both(text, image), trained(both, text, image)
    measured["torch's fused attention"] = sdpa(one), trained(sdpa, one)
    return measured


def microseconds(call: Call) -> float:
    start = time.thread_time()
    for _ in range(CALLS):
        call()
    return (time.thread_time() - start) / CALLS * 1e6


def python_calls(call: Call) -> int:
    """How many Python functions one call enters, in all threads that this one waits for."""
    entered = 0

    def count(frame: object, event: str, argument: object) -> None:
        nonlocal entered
        entered += event == "call"

    sys.setprofile(count)
    try:
        call()
    finally:
        sys.setprofile(None)
    return entered


def measure(rounds: int) -> list[dict[str, Any]]:
    """Measure every call; a line each, without and with a backward pass."""
    found = calls()
    times: dict[tuple[str, int], list[float]] = {}
    for pair in found.values():
        for call in pair:
            for _ in range(3):
                call()
    for _ in range(rounds):
        for name, pair in found.items():
            for index, call in enumerate(pair):
                times.setdefault((name, index), []).append(microseconds(call))
    lines = []
    for name, (forward, training) in found.items():
        before = NoLauncher.launches
        training()
        lines.append(
            {
                "call": name,
                "launches": NoLauncher.launches - before,
                "forward_us": min(times[name, 0]),
                "training_us": min(times[name, 1]),
                "forward_python": python_calls(forward),
                "training_python": python_calls(training),
            }
        )
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--json", action="store_true", help="a JSON object a line")
    arguments = parser.parse_args()
    with without_a_gpu():
        lines = measure(arguments.rounds)
    if arguments.json:
        print("\n".join(map(json.dumps, lines)))
        return
    print(f"{'':28} launches   forward µs (Python calls)   + backward µs (Python calls)")
    for line in lines:
        print(
            f"{line['call']:28} {line['launches']:8} {line['forward_us']:13.0f} "
            f"({line['forward_python']:4}) {line['training_us']:22.0f} "
            f"({line['training_python']:4})"
        )


if __name__ == "__main__":
    main()

"""A whole training step (MLM + ITM), against the same model built from transformers' modules.

    python -m benchmarks.step [--size small|base] [--rounds 5] [--batch 16]
                               [--device cpu|cuda] [--json FILE]

The other side is `benchmarks/plain.py`: transformers' default attention, padded texts, two passes.
Both see the same captions, masks and labels: one true or false pair a caption beside its masked
copy. They run in turn in one process; the ratio is the median over the rounds.
"""

import argparse
import json
import platform
import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import torch
import transformers

from benchmarks.plain import BASE, SMALL, PlainBatch, PlainStep, Size
from benchmarks.workload import CompiledStep, compiled_batch, plain_batch


def seconds(step: Callable[[], float]) -> float:
    """Return the time of one step; reading its loss waits for the device."""
    start = time.perf_counter()
    step()
    return time.perf_counter() - start


def in_turn(
    one: Callable[[], float], other: Callable[[], float], rounds: int
) -> list[tuple[float, float]]:
    """Return the times of two steps in turn, after a first round that does not count."""
    return [(seconds(one), seconds(other)) for _ in range(rounds + 1)][1:]


def on_device(batch: PlainBatch, device: torch.device) -> PlainBatch:
    return PlainBatch(**{name: getattr(batch, name).to(device) for name in batch.__slots__})


def about(device: torch.device) -> dict[str, object]:
    """Return what figures depend on."""
    name = torch.cuda.get_device_name() if device.type == "cuda" else platform.processor()
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "device": name or platform.machine(),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "transformers": transformers.__version__,
    }


def compare(size: Size, *, rows: int, rounds: int, device: torch.device) -> dict[str, object]:
    """Time both steps in turn and return medians and the median ratio."""
    precision = torch.float32 if device.type == "cpu" else torch.bfloat16
    plain = PlainStep(size, frozenset(), precision=precision)
    plain.model.to(device)
    ours = CompiledStep(size, device=device, precision=precision)
    batch = plain_batch(size, rows)
    compact = compiled_batch(batch).to(device)
    batch = on_device(batch, device)
    times = in_turn(lambda: plain(batch), lambda: ours(compact), rounds)
    before, after = (statistics.median(column) for column in zip(*times, strict=True))
    return {
        "size": size.name,
        "batch": rows,
        "rounds": rounds,
        "plain_seconds": round(before, 4),
        "seconds": round(after, 4),
        "samples_per_second": round(rows / after, 2),
        "ratio": round(statistics.median(pair[0] / pair[1] for pair in times), 2),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", choices=("small", "base"), default="small")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    device = torch.device(options.device)
    if device.type == "cuda" and not torch.cuda.is_available():
        sys.stderr.write("no GPU that torch can use was found; leave out --device cuda\n")
        return 2
    size = SMALL if options.size == "small" else BASE
    row = compare(size, rows=options.batch, rounds=options.rounds, device=device)
    print(
        f"{size.name}: plain {row['plain_seconds']} s, ours {row['seconds']} s, "
        f"{row['samples_per_second']} samples/s, ratio {row['ratio']}"
    )
    if options.json:
        options.json.write_text(
            json.dumps({"about": about(device), "rows": [row]}, indent=2) + "\n"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())

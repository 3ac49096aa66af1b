"""A whole training step (MLM + ITM), against the same model built from transformers' modules.

    python -m benchmarks.step [--size small|base] [--rounds 5] [--batch 16] [--device cpu|cuda]
                               [--attention default|sdpa] [--freeze none|text|vision|both]
                               [--compile] [--cached] [--clip 1.0] [--alone] [--json FILE]

The other side is `benchmarks/plain.py`: transformers' default attention, padded texts, two passes.
Both see the same captions, masks and labels: one true or false pair a caption beside its masked
copy. They run in turn in one process; the ratio is the median over the rounds. `--alone` runs ours
only, with the pairs that training has, and says what it costs: memory beside what `plan` says.
"""

import argparse
import json
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

import torch
import transformers
from torch import Tensor

from benchmarks.plain import BASE, SMALL
from benchmarks.variants import FREEZE, Setting, Variant, cost, prepared


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


def compare(plain: Variant, ours: Variant, setting: Setting, rounds: int) -> dict[str, object]:
    """Time both steps in turn and return medians and the median ratio."""

    def finished(step: Callable[[], Tensor]) -> Callable[[], float]:
        return lambda: step().item()

    with tempfile.TemporaryDirectory() as folder:
        one, other = (prepared(each, setting, Path(folder)) for each in (plain, ours))
        times = in_turn(finished(one), finished(other), rounds)
    before, after = (statistics.median(column) for column in zip(*times, strict=True))
    return {
        "size": setting.size.name,
        "batch": setting.rows,
        "rounds": rounds,
        "plain": plain.name,
        "ours": ours.name,
        "plain_seconds": round(before, 4),
        "seconds": round(after, 4),
        "samples_per_second": round(setting.rows / after, 2),
        "ratio": round(statistics.median(pair[0] / pair[1] for pair in times), 2),
    }


def alone(ours: Variant, setting: Setting, rounds: int) -> dict[str, object]:
    """Return what ours costs with the pairs that training has."""
    with tempfile.TemporaryDirectory() as folder:
        return asdict(cost(replace(ours, work="training"), setting, Path(folder), steps=rounds))


def main(arguments: list[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", choices=("small", "base"), default="small")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--attention", choices=("default", "sdpa"), default="default")
    parser.add_argument("--freeze", choices=tuple(FREEZE), default="none")
    parser.add_argument("--compile", action="store_true", help="ours: layers through torch.compile")
    parser.add_argument("--cached", action="store_true", help="ours: features kept on disk")
    parser.add_argument("--clip", type=float, help="largest norm of the gradient")
    parser.add_argument("--alone", action="store_true")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(arguments)
    device = torch.device(options.device)
    if device.type == "cuda" and not torch.cuda.is_available():
        sys.stderr.write("no GPU that torch can use was found; leave out --device cuda\n")
        return 2
    if options.cached and options.freeze != "both":
        sys.stderr.write("only features of frozen towers are kept; add --freeze both\n")
        return 2
    setting = Setting(
        size=SMALL if options.size == "small" else BASE,
        rows=options.batch,
        device=device,
        precision=torch.float32 if device.type == "cpu" else torch.bfloat16,
    )
    ours = Variant(
        freeze=options.freeze, compiled=options.compile, cached=options.cached, clip=options.clip
    )
    if options.alone:
        row = alone(ours, setting, options.rounds)
        print(", ".join(f"{name} {value}" for name, value in row.items() if value is not None))
    else:
        plain = Variant(
            ours=False, attention=options.attention, freeze=options.freeze, clip=options.clip
        )
        row = compare(plain, ours, setting, options.rounds)
        print(
            f"{row['size']}: plain {row['plain_seconds']} s, ours {row['seconds']} s, "
            f"{row['samples_per_second']} samples/s, ratio {row['ratio']}"
        )
    if options.json:
        options.json.write_text(
            json.dumps({"about": about(device), "rows": [row]}, indent=2) + "\n"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())

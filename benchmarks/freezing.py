"""What each freeze setting saves: seconds a step, samples/s, peak memory, share of the ceiling.

    python -m benchmarks.freezing [--size small|base] [--settings none text ...] [--rounds 5]
                                   [--batch 16] [--json FILE]
    python -m benchmarks.freezing --against REVISION [--quick] [--clock wall|cpu]
                                   [--size small|base] [--settings none both "both, cached"]
                                   [--rounds 5] [--batch 8]

Every setting runs in turn with the plain step of `benchmarks/plain.py` with nothing frozen and with
the same towers frozen (where it can: it freezes whole towers only), each as it runs for a user:
ours with the settings of glibc that `renaissance train` starts with, the plain step in a process
with glibc's defaults. One waits while the other runs; ratios are medians over the rounds. The
ceiling of a setting is the rate of a large square product measured in the same round, beside that
of its own matrix products, counted on the running step. Peak memory is the resident set of a
process that does nothing but three steps.

With `--against` steps of an earlier revision (or of a folder that holds one) and of this tree run
in turn, as `benchmarks/regression.py` says; the exit code is 1 where one is more than 5 % slower.
On a machine that others use as well `--clock cpu` says more.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.memory import resident
from benchmarks.plain import BASE, SMALL, PlainBatch, PlainStep, Size
from benchmarks.regression import FREEZE, report
from benchmarks.revisions import tree_of
from benchmarks.step import about, seconds
from benchmarks.workload import CompiledStep, compiled_batch, plain_batch
from renaissance.libraries import TUNABLES, start_again_with_settings

CPU = torch.device("cpu")
HALF = tuple(
    f"{tower}.{part}" for tower in ("text", "vision") for part in ("embeddings", "layers[:6]")
)
SETTINGS: dict[str, tuple[str, ...]] = {
    "none": (),
    "text": ("text",),
    "vision": ("vision",),
    "both": ("text", "vision"),
    "both, cached": ("text", "vision"),
    "half of each": HALF,
}
SIZES = {"small": SMALL, "base": BASE}
WHOLE = frozenset({"text", "vision"})
STEPS = 3
BATCHES = {"small": 8, "base": 4}
"""Texts a step where two revisions are compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One setting.

    Attributes:
        setting: its name.
        seconds: of a step, median.
        samples_per_second: captions of the batch over these.
        against_plain: how many times as fast as the plain step with nothing frozen.
        against_plain_frozen: the same against the plain step with the same towers frozen.
        against_none: how many times as fast as the compiled step with nothing frozen.
        gflop: of a step, forward and backward, counted.
        ceiling: GFLOP/s of a large product, median.
        share_of_ceiling: rate of the step over that; 1 would be nothing but products at full rate.
        peak_mib: resident set of a process that runs it, mebibytes.
    """

    setting: str
    seconds: float
    samples_per_second: float
    against_plain: float
    against_plain_frozen: float | None
    against_none: float | None
    gflop: float
    ceiling: int
    share_of_ceiling: float
    peak_mib: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One setting, and the GFLOP of the plain step with nothing frozen that it was timed with."""

    row: Row
    plain_gflop: float


def ceiling(size: int = 2048, repeats: int = 5) -> float:
    """Return the GFLOP/s of a square float32 product, median."""
    left, right = torch.randn(size, size), torch.randn(size, size)
    times = [seconds(lambda: float((left @ right)[0, 0])) for _ in range(repeats + 1)][1:]
    return 2 * size**3 / statistics.median(times) / 1e9


def counted(step: Callable[[], float]) -> float:
    """Return the GFLOP of the matrix products of a step."""
    counter = FlopCounterMode(display=False)
    with sdpa_kernel(SDPBackend.MATH), counter:
        step()
    return counter.get_total_flops() / 1e9


def own_step(size: Size, setting: str, batch: PlainBatch, folder: Path) -> Callable[[], float]:
    """Return the compiled step of a setting on a batch; features are kept in a folder."""
    step = CompiledStep(size, SETTINGS[setting], device=CPU, precision=torch.float32)
    compact = compiled_batch(batch)
    if not setting.endswith("cached"):
        return lambda: step(compact)
    read = step.keep_features(compact, folder)
    return lambda: step(read())


class PlainProcess:
    """The plain step in a process of its own, which steps when it is asked to.

    Attributes:
        gflop: of a step with nothing frozen.
    """

    def __init__(self, size: Size, rows: int) -> None:
        """Start it; it has made a step when this returns."""
        self._process = subprocess.Popen(
            [*command(size, rows), "--plain"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=glibc_defaults(),
        )
        self.gflop = float(self._answer())

    def seconds(self, frozen: frozenset[str]) -> float:
        """Return the seconds of a step with some towers frozen."""
        assert self._process.stdin is not None
        print(*sorted(frozen), file=self._process.stdin, flush=True)
        return float(self._answer())

    def _answer(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()

    def __enter__(self) -> "PlainProcess":
        """Have it at hand."""
        return self

    def __exit__(self, *error: object) -> None:
        """Let it end."""
        self._process.communicate()


def serve_plain(size: Size, rows: int) -> None:
    """Print the GFLOP of a plain step, then the seconds of one for each line of frozen towers."""
    batch = plain_batch(size, rows)
    steps: dict[frozenset[str], PlainStep] = {}

    def step(frozen: frozenset[str]) -> float:
        if frozen not in steps:
            # One of the frozen ones at a time: they are large.
            for other in [known for known in steps if known]:
                del steps[other]
            steps[frozen] = PlainStep(size, frozen, precision=torch.float32)
        return steps[frozen](batch)

    print(counted(lambda: step(frozenset())), flush=True)
    for towers in sys.stdin:
        print(seconds(partial(step, frozenset(towers.split()))), flush=True)


def measure(size: Size, setting: str, texts: int, rounds: int, folder: Path) -> Measured:
    """Time one setting in turn with the plain step, free and frozen alike.

    Args:
        size: dimensions of the model.
        setting: name of the setting.
        texts: of the batch.
        rounds: that are timed.
        folder: for kept features.
    """
    batch = plain_batch(size, texts)
    selectors = frozenset(SETTINGS[setting])
    frozen = bool(selectors) and selectors <= WHOLE
    times: list[tuple[float, ...]] = []
    with PlainProcess(size, texts) as plain:
        step = own_step(size, setting, batch, folder)
        gflop = counted(step)
        for number in range(rounds + 1):
            run = (
                seconds(step),
                plain.seconds(frozenset()),
                plain.seconds(selectors) if frozen else 0.0,
                ceiling(),
            )
            if number:
                times.append(run)
    own = statistics.median(run[0] for run in times)
    row = Row(
        setting=setting,
        seconds=round(own, 3),
        samples_per_second=round(texts / own, 2),
        against_plain=round(statistics.median(run[1] / run[0] for run in times), 2),
        against_plain_frozen=(
            round(statistics.median(run[2] / run[0] for run in times), 2) if frozen else None
        ),
        against_none=None,
        gflop=round(gflop, 1),
        ceiling=round(statistics.median(run[3] for run in times)),
        share_of_ceiling=round(statistics.median(gflop / run[0] / run[3] for run in times), 2),
        peak_mib=peak(size, setting, texts),
    )
    return Measured(row=row, plain_gflop=plain.gflop)


def command(size: Size, rows: int) -> list[str]:
    """Return what starts this program for a size."""
    name = next(name for name, known in SIZES.items() if known is size)
    return [sys.executable, "-m", "benchmarks.freezing", "--size", name, "--batch", str(rows)]


def glibc_defaults() -> dict[str, str]:
    """Return the environment of this process without settings of glibc."""
    return {name: value for name, value in os.environ.items() if name != TUNABLES}


def peak(size: Size, setting: str, rows: int) -> int:
    """Return the peak resident set of a process that runs a setting, mebibytes."""
    asked = [*command(size, rows), "--peak", setting]
    done = subprocess.run(asked, capture_output=True, text=True, check=True, env=glibc_defaults())
    return round(float(done.stdout.split()[-1]) / 1024**2)


def print_peak(size: Size, setting: str, rows: int, folder: Path) -> None:
    """Run a few steps and print the peak resident set of this process, bytes."""
    batch = plain_batch(size, rows)
    if setting == "plain":
        plain = PlainStep(size, frozenset(), precision=torch.float32)
        step = lambda: plain(batch)  # noqa: E731
    else:
        step = own_step(size, setting, batch, folder)
    for _ in range(STEPS):
        step()
    # Not `ru_maxrss`, which starts at what the parent process had in memory.
    print(resident("VmHWM"))


def line(row: Row) -> str:
    """Return a row for a person to read."""
    return (
        f"{row.setting:13} {row.seconds:7.3f} s {row.samples_per_second:6.2f} samples/s, "
        f"x plain {row.against_plain:5.2f}, x plain frozen {row.against_plain_frozen or '-':>5}, "
        f"x none {row.against_none or '-':>5}, {row.gflop:6.0f} GFLOP, "
        f"{row.share_of_ceiling:.0%} of {row.ceiling} GFLOP/s, {row.peak_mib} MiB"
    )


def alone(size: Size, setting: str, texts: int, rounds: int) -> Measured:
    """Measure a setting in a process of its own: one that keeps its memory leaves others none."""
    asked = [*command(size, texts), "--rounds", str(rounds), "--alone", setting]
    done = subprocess.run(
        asked, stdout=subprocess.PIPE, text=True, check=True, env=glibc_defaults()
    )
    found = json.loads(done.stdout)
    return Measured(row=Row(**found["row"]), plain_gflop=found["plain_gflop"])


def compare(
    size: Size, settings: list[str], texts: int, rounds: int
) -> Iterator[dict[str, object]]:
    """Measure settings one after the other; print a line and yield all so far after each."""
    memory = peak(size, "plain", texts)
    print(f"{size.name}, batch {texts}; plain step: peak {memory} MiB", flush=True)
    rows: list[Row] = []
    for setting in settings:
        measured = alone(size, setting, texts, rounds)
        row = measured.row
        none = next((known.against_plain for known in rows if known.setting == "none"), None)
        if none is not None:
            row = replace(row, against_none=round(row.against_plain / none, 2))
        rows.append(row)
        print(line(row), flush=True)
        yield {
            "about": about(CPU) | {"size": size.name, "batch": texts, "rounds": rounds},
            "plain": {"gflop": round(measured.plain_gflop), "peak_mib": memory},
            "rows": [asdict(row) for row in rows],
        }


def against(options: argparse.Namespace) -> int:
    """Compare this tree with a revision; return 1 if a step is slower."""
    sizes = [options.size] if options.size else ["small"] if options.quick else list(BATCHES)
    unknown = set(options.settings or ()) - set(FREEZE)
    if unknown:
        raise SystemExit(f"--against compares {', '.join(FREEZE)}, not {unknown.pop()}")
    cases = options.settings or (["none", "both, cached"] if options.quick else list(FREEZE))
    named = [(SIZES[size], options.batch or BATCHES[size]) for size in sizes]
    rounds = options.rounds or (3 if options.quick else 5)
    with tree_of(options.against) as tree:
        return report(tree, named, cases, rounds, options.clock)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", choices=tuple(SIZES))
    parser.add_argument("--settings", nargs="+", choices=tuple(SETTINGS))
    parser.add_argument("--batch", type=int)
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--against", metavar="REVISION", help="compare steps with this version's")
    parser.add_argument("--quick", action="store_true", help="fewer sizes, cases and rounds")
    parser.add_argument("--clock", choices=("wall", "cpu"), default="wall")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--peak", help=argparse.SUPPRESS)
    parser.add_argument("--alone", help=argparse.SUPPRESS)
    parser.add_argument("--plain", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.against:
        return against(options)
    size, batch, rounds = SIZES[options.size or "small"], options.batch or 16, options.rounds or 5
    if options.plain:
        serve_plain(size, batch)
        return 0
    if options.alone or options.peak:
        if options.peak != "plain":
            start_again_with_settings()
        with tempfile.TemporaryDirectory() as folder:
            if options.peak:
                print_peak(size, options.peak, batch, Path(folder))
            else:
                found = measure(size, options.alone, batch, rounds, Path(folder))
                print(json.dumps(asdict(found)))
        return 0
    for results in compare(size, options.settings or list(SETTINGS), batch, rounds):
        if options.json:
            options.json.write_text(json.dumps(results, indent=2, ensure_ascii=False) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""How long `renaissance check` takes, against an interpreter that defines one pydantic model.

    python -m benchmarks.startup [--runs 15] [--specs quickstart ...] [--kinds 50]
                                 [--against REVISION]

Each spec is checked in turn with that interpreter and a bare one, so that a busy machine disturbs
all alike; ratios are medians over the runs, by the clock and of processor time. Modules are
compiled before. A last line says what as many more kinds as `--kinds` in each family add: folders
beside ours, in a copy of the tree. With `--against` each line also says how long an earlier
revision takes.
"""

import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from benchmarks.revisions import ROOT, tree_of

FOLDERS = ("renaissance", "compiler", "grammar", "runtime", "specs")
FAMILIES = (
    "compiler/fusions",
    "compiler/sources",
    "runtime/augmentations",
    "runtime/formats",
    "runtime/objectives",
    "runtime/optimizers",
    "runtime/schedules",
    "runtime/tasks",
)
BARE = (sys.executable, "-c", "pass")
ONE_MODEL = (
    sys.executable,
    "-c",
    "from pydantic import BaseModel\nclass One(BaseModel):\n    number: int = 0",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Time:
    """Of one process, seconds.

    Attributes:
        wall: by the clock.
        cpu: of processors.
    """

    wall: float
    cpu: float


def timed(command: Sequence[str], tree: Path) -> Time:
    """Run a command that imports `renaissance` from a tree.

    Raises:
        SystemExit: if it fails.
    """
    environment = os.environ | {"PYTHONPATH": str(tree)}
    # Modules are compiled by the first run, and must stay so.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    start = time.perf_counter()
    process = subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment,
        cwd=tree,  # `-m` looks there first
    )
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(command)} ends with {process.returncode}")
    return Time(wall=wall, cpu=usage.ru_utime + usage.ru_stime)


def in_turn(sides: Sequence[tuple[Sequence[str], Path]], runs: int) -> list[list[Time]]:
    """Run commands in turn, each with its tree, after a run that compiles modules."""
    for command, tree in sides:
        timed(command, tree)
    return [[timed(command, tree) for command, tree in sides] for _ in range(runs)]


def ratio(times: Sequence[Sequence[Time]], one: int, other: int) -> str:
    """Return how many times as long one command takes as another, median of each run's ratio."""
    wall = statistics.median(run[one].wall / run[other].wall for run in times)
    cpu = statistics.median(run[one].cpu / run[other].cpu for run in times)
    return f"{wall:.2f} (processor time {cpu:.2f})"


def check(spec: Path) -> tuple[str, ...]:
    """Return the command that checks a file."""
    return (sys.executable, "-m", "renaissance", "check", str(spec))


def compare(name: str, spec: Path, runs: int, other: Path | None) -> None:
    """Print how long the check of a file takes, against both interpreters and another tree."""
    sides = [(check(spec), ROOT), (ONE_MODEL, ROOT), (BARE, ROOT)]
    times = in_turn(sides if other is None else [*sides, (check(spec), other)], runs)
    milliseconds = [1000 * statistics.median(run[side].wall for run in times) for side in range(3)]
    print(
        f"{name:14} {milliseconds[0]:4.0f} ms: {ratio(times, 0, 1)} times one pydantic model "
        f"({milliseconds[1]:.0f} ms), {ratio(times, 0, 2)} times a bare Python "
        f"({milliseconds[2]:.0f} ms)"
        + ("" if other is None else f", {ratio(times, 0, 3)} times as long as before"),
        flush=True,
    )


def with_more_kinds(folder: Path, count: int) -> Path:
    """Copy the tree into a folder, with as many more kinds in each family, named for ours."""
    unwanted = shutil.ignore_patterns("__pycache__")
    for name in FOLDERS:
        shutil.copytree(ROOT / name, folder / name, symlinks=True, ignore=unwanted)
    for family in FAMILIES:
        ours = sorted(path.parent for path in (folder / family).glob("*/schema.py"))
        for number in range(count):
            kind = ours[number % len(ours)]
            copy = kind.with_name(f"{kind.name}_{number}")
            shutil.copytree(kind, copy)
            schema = copy / "schema.py"
            word = re.sub(rf'"{kind.name}"', f'"{copy.name}"', schema.read_text("utf-8"))
            schema.write_text(word, encoding="utf-8")
    return folder


def compare_kinds(spec: Path, count: int, runs: int) -> None:
    """Print how long the check of a file takes with more kinds beside ours, and without."""
    with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory() as second:
        few, many = with_more_kinds(Path(first), 0), with_more_kinds(Path(second), count)
        times = in_turn([(check(spec), many), (check(spec), few)], runs)
    print(f"{count} more kinds in each family: {ratio(times, 0, 1)} times as long as without")


def hundred_lines() -> str:
    """Return a valid spec of at least 100 lines: the quickstart with more models."""
    quickstart = (files("renaissance.specs") / "quickstart.vl").read_text()
    model = (
        "\nmodel extra_{number} {{\n"
        "  backbone text   = plain_text {{ layers = 2, width = 64, heads = 2, max_tokens = 24 }}\n"
        "  backbone vision = plain_vision {{ layers = 2, width = 64, heads = 2 }}\n"
        "  fusion cross = cross_attention(text, vision) {{ layers = 2, width = 64, heads = 2 }}\n"
        "}}\n"
    )
    text, number = quickstart, 0
    while text.count("\n") < 100:
        text += model.format(number=number)
        number += 1
    return text


def main(arguments: list[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--specs", nargs="+", metavar="NAME", help="shipped specs; all if left out")
    parser.add_argument("--kinds", type=int, default=50)
    parser.add_argument("--against", metavar="REVISION", help="measure this one as well")
    options = parser.parse_args(arguments)
    shipped = {path.stem: path for path in sorted((ROOT / "specs").glob("*.vl"))}
    with ExitStack() as stack:
        other = stack.enter_context(tree_of(options.against)) if options.against else None
        for name in options.specs or shipped:
            compare(name, shipped[name], options.runs, other)
        if not options.specs:
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            spec = Path(folder, "hundred.vl")
            spec.write_text(hundred_lines())
            compare("100 lines", spec, options.runs, other)
    compare_kinds(shipped["quickstart"], options.kinds, options.runs)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Everything that is to be measured on a GPU, in one call that loses nothing.

    python -m benchmarks.gpu --out DIR [--seconds 570] [--only PART ...] [--device cpu --tiny]
                             [--configuration forward:block_m=64,warps=4]

Each part runs in a process of its own with a limit, the most valuable first; those that time
nothing run side by side. Each result is a line of JSON in DIR/gpu.jsonl the moment that it is
there, what a part prints is in DIR/PART.log, and a table comes last. A part that dies goes on
behind the item in which it died. `--device cpu --tiny` is a dry run; kernels run in Triton's
interpreter.
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import FrameType

from benchmarks.gpu_parts.results import FILE, Options, read, write
from benchmarks.gpu_table import table

LEAST = 5.0
"""Seconds without which no part is started."""
LAST = 4.0
"""Seconds kept for the table."""
GRACE = 4.0
"""Seconds between asking a process to end and ending it."""
LIVES = 4
"""Times that a part which dies is started again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of the run.

    Attributes:
        name: of its module.
        seconds: that it may take.
        shares: processes that share its items.
    """

    name: str
    seconds: float
    shares: int = 1


STAGES: tuple[tuple[Part, ...], ...] = (
    (Part(name="ceilings", seconds=40),),
    # These time nothing, and most of their time compilers run on the CPU.
    (
        Part(name="numerics", seconds=130, shares=6),
        Part(name="tests", seconds=130),
        Part(name="sanitizer", seconds=110),
        Part(name="job", seconds=130),
        Part(name="warm", seconds=130, shares=3),
    ),
    (Part(name="steps", seconds=170),),
    (Part(name="attention", seconds=110),),
    (Part(name="trace", seconds=45),),
    (Part(name="loader", seconds=60),),
)
"""What runs side by side, one stage after the other."""
NAMES = tuple(part.name for stage in STAGES for part in stage)


@dataclass(slots=True, kw_only=True)
class Child:
    """A process of a part, or of a share of it.

    Attributes:
        part: whose it is.
        options: of the process.
        end: when it must be over, on the clock `time.monotonic`.
        process: as it runs now.
        lives: times that it may be started again.
        begun: items that it had begun when it was started last.
    """

    part: Part
    options: Options
    end: float
    process: subprocess.Popen[bytes]
    lives: int = LIVES
    begun: int = 0
    started: float = field(default_factory=time.monotonic)


class Interrupted(Exception):  # noqa: N818
    """The run was asked to stop."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the parts that are asked for and print the table."""
    asked = _parser().parse_args(arguments)
    end = time.monotonic() + asked.seconds - LAST
    if asked.device.startswith("cuda") and not _has_gpu():
        sys.stderr.write("no GPU that torch can use was found; a dry run: --device cpu --tiny\n")
        return 2
    if not asked.device.startswith("cuda") and not asked.tiny:
        sys.stderr.write("without a GPU only the dry run ends in time: add --tiny\n")
        return 2
    options = Options(
        out=asked.out.resolve(),
        device=asked.device,
        tiny=asked.tiny,
        configurations=tuple(asked.configuration),
    )
    try:
        options.out.mkdir(parents=True, exist_ok=True)
        _clear(options.out)
        (options.out / FILE).touch()
    except OSError as problem:
        sys.stderr.write(f"cannot write results to {options.out}: {problem.strerror}\n")
        return 2
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _interrupt)
    try:
        for group in _groups(asked, _side_by_side(options)):
            _run(group, options, end)
    except Interrupted:
        print("stopped: this is what is known so far", flush=True)
    print(table(read(options.out)), flush=True)
    print(f"all results: {options.out / FILE}")
    return 0


def _groups(asked: argparse.Namespace, side_by_side: bool) -> list[list[Part]]:
    """Return the parts that are asked for, those together that run side by side."""
    stages = [[part for part in stage if part.name in (asked.only or NAMES)] for stage in STAGES]
    if asked.only or asked.tiny:
        # Whoever asks for few parts gives them the time; a dry run may be as slow as its machine.
        stages = [[replace(part, seconds=asked.seconds) for part in stage] for stage in stages]
    if asked.tiny:
        # It times nothing.
        return [[part for stage in stages for part in stage]]
    if side_by_side:
        return [stage for stage in stages if stage]
    return [[part] for stage in stages for part in stage]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="folder for results and logs")
    parser.add_argument("--seconds", type=float, default=570, help="that all of it may take")
    parser.add_argument("--only", action="append", choices=NAMES, help="this part; may be repeated")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--tiny", action="store_true", help="the smallest problems: a dry run")
    parser.add_argument(
        "--configuration",
        action="append",
        default=[],
        metavar="KERNEL:FIELD=N,…",
        help="time our attention in this configuration too; may be repeated",
    )
    return parser


def _has_gpu() -> bool:
    # In a process of its own: a context here would take memory from the parts.
    code = "import torch; raise SystemExit(not torch.cuda.is_available())"
    return subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def _side_by_side(options: Options) -> bool:
    """Return whether several processes may use the device at a time."""
    tool = shutil.which("nvidia-smi")
    if not options.device.startswith("cuda") or tool is None:
        return True
    command = [tool, "--query-gpu=compute_mode", "--format=csv,noheader"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return "Exclusive" not in done.stdout


def _clear(out: Path) -> None:
    """Take away what an earlier run into the same folder has left."""
    (out / FILE).unlink(missing_ok=True)
    shutil.rmtree(out / "begun", ignore_errors=True)
    for name in ("job-*", *NAMES):
        for log in out.glob(f"{name}.log"):
            log.unlink()


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise Interrupted


def _run(parts: Sequence[Part], options: Options, end: float) -> None:
    """Run parts side by side; each ends at its limit or at the end of all, whichever is first."""
    children: list[Child] = []
    try:
        for part in parts:
            left = end - time.monotonic()
            if left < LEAST:
                _note(options, part, f"not run: {max(left, 0):.0f} s were left")
                continue
            print(f"{part.name}: at most {min(part.seconds, left):.0f} s", flush=True)
            until = time.monotonic() + min(part.seconds, left)
            for number in range(1 if options.tiny else part.shares):
                shares = 1 if options.tiny else part.shares
                own = replace(options, share=(number, shares))
                children.append(Child(part=part, options=own, end=until, process=_start(part, own)))
        while children:
            children = [child for child in children if not _over(child)]
            time.sleep(0.05)
    finally:
        for child in children:
            _end(child)


def _start(part: Part, options: Options) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "benchmarks.gpu_parts", part.name, *options.arguments()]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    if not options.cuda:
        environment["OMP_NUM_THREADS"] = "1"
        if part.name in ("numerics", "attention"):
            environment["TRITON_INTERPRET"] = "1"
    with (options.out / f"{part.name}.log").open("ab") as log:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=environment,
            cwd=Path(__file__).parents[1],
            start_new_session=True,
        )


def _over(child: Child) -> bool:
    """Return whether a child is done with; start one again that has died on its way."""
    code = child.process.poll()
    if code is None:
        if time.monotonic() < child.end:
            return False
        _end(child)
        _note(child.options, child.part, f"ended at its limit of {_seconds(child)} s")
        return True
    _sweep(child)
    if code == 0:
        _note(child.options, child.part, "")
        return True
    begun = _begun(child)
    if begun > child.begun and child.lives > 0 and child.end - time.monotonic() > LEAST:
        child.begun, child.lives = begun, child.lives - 1
        child.process = _start(child.part, child.options)
        return False
    _note(child.options, child.part, f"died with exit code {code}; see {child.part.name}.log")
    return True


def _begun(child: Child) -> int:
    noted = child.options.out / "begun"
    paths = noted.glob(f"{child.part.name}*") if noted.is_dir() else ()
    return sum(len(path.read_text().splitlines()) for path in paths)


def _end(child: Child) -> None:
    """End a child and all that it has started, gently first."""
    for number, patience in ((signal.SIGTERM, GRACE), (signal.SIGKILL, GRACE)):
        if child.process.poll() is None:
            child.process.send_signal(number)
        try:
            child.process.wait(patience)
            break
        except subprocess.TimeoutExpired:
            continue
    _sweep(child)


def _sweep(child: Child) -> None:
    """End what is left of a child's session."""
    try:
        os.killpg(child.process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _note(options: Options, part: Part, reason: str) -> None:
    """Write how a part ended; nothing but its end where nothing went wrong."""
    values = {"part": part.name, "item": "end", "share": options.share[0]}
    write(options.out, values | ({"reason": reason} if reason else {}))
    if reason:
        print(f"{part.name}: {reason}", flush=True)


def _seconds(child: Child) -> int:
    return round(child.end - child.started)


if __name__ == "__main__":
    sys.exit(main())

"""One part in this process: `python -m benchmarks.gpu_parts PART --out DIR`."""

import argparse
import gc
import signal
import sys
from importlib import import_module
from pathlib import Path
from types import FrameType

from benchmarks.gpu_parts.results import Options, Results


def parser() -> argparse.ArgumentParser:
    """Return the command line of a part."""
    made = argparse.ArgumentParser(prog="python -m benchmarks.gpu_parts")
    made.add_argument("part")
    made.add_argument("--out", type=Path, required=True)
    made.add_argument("--device", default="cuda")
    made.add_argument("--tiny", action="store_true")
    made.add_argument("--share", default="0/1")
    made.add_argument("--configuration", action="append", default=[])
    return made


def stop(number: int, frame: FrameType | None) -> None:
    """End as an exit does, so that what is open gets closed and children are ended."""
    sys.exit(128 + number)


def main() -> int:
    """Run the part that is named."""
    asked = parser().parse_args()
    number, shares = map(int, asked.share.split("/"))
    options = Options(
        out=asked.out,
        device=asked.device,
        tiny=asked.tiny,
        share=(number, shares),
        configurations=tuple(asked.configuration),
    )
    signal.signal(signal.SIGTERM, stop)
    gc.disable()  # looking for garbage is a third of the time that imports take
    part = import_module(f"benchmarks.gpu_parts.{asked.part}")
    gc.enable()
    part.run(Results(asked.part, options))
    return 0


if __name__ == "__main__":
    sys.exit(main())

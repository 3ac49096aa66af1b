"""Predicted peak memory beside the resident set of a process that runs real steps.

    python -m benchmarks.memory [--freeze none both] [--batch 16] [--json FILE]

DeiT-tiny, ELECTRA-small and six co-attention layers of width 256, MLM and ITM, float32 on a CPU.
Each setting runs in a process of its own, which first warms torch up with a small product, imports
what the model is built from, and takes its resident set then as its zero. Pages of files do not
count, before or after: they are code of torch and MKL, which comes into memory when it first runs.
It runs twice: with glibc giving large blocks back at once (MALLOC_MMAP_THRESHOLD_), which shows
what the model needs, and as `renaissance train` starts, with glibc keeping what was freed.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

import torch

from benchmarks.plain import SMALL
from benchmarks.step import about
from benchmarks.workload import MEAN_TOKENS, CompiledStep, experiment, plain_batch, training_batch
from renaissance.compiler import plan
from renaissance.compiler.assembly import assemble
from renaissance.libraries import SETTINGS, TUNABLES

FREEZE = {"none": (), "text": ("text",), "vision": ("vision",), "both": ("text", "vision")}
CPU = torch.device("cpu")
RETURNING = {"MALLOC_MMAP_THRESHOLD_": str(2**18)}


def resident(what: str) -> int:
    """Return bytes of this process: `VmHWM` were in memory at most, `RssFile` of files are now."""
    status = Path("/proc/self/status").read_text("ascii")
    return 1024 * next(int(line.split()[1]) for line in status.splitlines() if what in line)


def measured(setting: str, rows: int) -> int:
    """Run three steps; return how far the resident set grew at most, pages of files left out."""
    (torch.randn(64, 64, requires_grad=True) @ torch.randn(64, 64)).sum().backward()
    with torch.device("meta"):
        assemble(experiment(SMALL).models["two_towers"], None, weights=False)
    zero = resident("VmRSS") - resident("RssFile")
    step = CompiledStep(SMALL, FREEZE[setting], device=CPU, precision=torch.float32)
    batch = training_batch(plain_batch(SMALL, rows))
    for _ in range(3):
        step(batch)
    # Code stays in memory once it has run, so it was there at the peak, but for very little.
    return resident("VmHWM") - resident("RssFile") - zero


def in_process(setting: str, rows: int, environment: dict[str, str]) -> int:
    """Return what `measured` gives in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.memory", "--child", "--freeze", setting]
    command += ["--batch", str(rows)]
    environment = os.environ | environment
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return int(done.stdout.split()[-1])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--freeze", nargs="+", choices=tuple(FREEZE), default=list(FREEZE))
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(measured(options.freeze[0], options.batch))
        return 0
    rows = []
    for setting in options.freeze:
        spec = experiment(SMALL, FREEZE[setting], batch=options.batch)
        planned = plan(spec, tokens=MEAN_TOKENS, device="cpu")
        row = {
            "freeze": setting,
            "predicted": planned.jobs[0].peak.memory.peak,
            "measured": in_process(setting, options.batch, RETURNING),
            "measured_in_training": in_process(setting, options.batch, {TUNABLES: SETTINGS}),
        }
        rows.append(row)
        print(
            f"freeze {setting:6}: predicted {row['predicted'] / 1e6:,.0f} MB, measured "
            f"{row['measured'] / 1e6:,.0f} MB (ratio {row['predicted'] / row['measured']:.2f}), "
            f"in training {row['measured_in_training'] / 1e6:,.0f} MB",
            flush=True,
        )
    if options.json:
        options.json.write_text(json.dumps({"about": about(CPU), "rows": rows}, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

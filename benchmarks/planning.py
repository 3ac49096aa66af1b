"""Processor time of `renaissance plan`, apart from the imports that it needs.

    python -m benchmarks.planning [--specs quickstart ...] [--runs 3] [--against REVISION]
                                  [--json FILE]

A process that plans and one that imports the same and stops run in turn; what planning takes is the
median of their difference, over the runs.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
from contextlib import ExitStack
from datetime import date
from pathlib import Path

from benchmarks.revisions import ROOT, tree_of

SPECS = ("quickstart", "own_data", "freezing_base")
IMPORTS = """
import sys
from renaissance.files import find_spec
from renaissance.grammar.loading import load
spec = load(find_spec(sys.argv[1]))
import renaissance.commands.plan, renaissance.compiler.planning.plans, renaissance.render.plan
from renaissance.compiler.modules import import_modules
import_modules(spec)
"""


def processor_time(arguments: list[str], tree: Path) -> float:
    """Run Python with arguments, and return the seconds of processors that it took."""
    environment = os.environ | {"PYTHONPATH": str(tree)}
    quiet = subprocess.DEVNULL
    command = [sys.executable, *arguments]
    process = subprocess.Popen(command, stdout=quiet, stderr=quiet, env=environment, cwd=tree)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(arguments[-2:])} ends with {process.returncode}")
    return usage.ru_utime + usage.ru_stime


def measured(spec: str, tree: Path, runs: int) -> dict[str, float]:
    """Return seconds of imports, and of planning beyond them."""
    pairs = [
        (
            processor_time(["-c", IMPORTS, spec], tree),
            processor_time(["-m", "renaissance", "plan", spec], tree),
        )
        for _ in range(runs)
    ]
    return {
        "imports": statistics.median(imports for imports, _ in pairs),
        "planning": statistics.median(whole - imports for imports, whole in pairs),
    }


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, and write what was measured."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--specs", nargs="+", metavar="NAME", default=SPECS)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--against", metavar="REVISION", help="measure this one as well")
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args(arguments)
    results: dict[str, dict[str, dict[str, float]]] = {}
    with ExitStack() as stack:
        trees = {"here": ROOT}
        if options.against:
            trees["before"] = stack.enter_context(tree_of(options.against))
        for spec in options.specs:
            for side, tree in trees.items():
                found = measured(spec, tree, options.runs)
                results.setdefault(spec, {})[side] = found
                print(
                    f"{spec:24} {side:6} imports {found['imports']:.2f} s, "
                    f"planning {found['planning']:.2f} s",
                    flush=True,
                )
    if options.json is not None:
        about = {
            "date": date.today().isoformat(),
            "device": f"{platform.machine()}, {os.cpu_count()} cores",
            "python": platform.python_version(),
            "runs": options.runs,
        }
        text = json.dumps({"about": about, "processor_time": results}, indent=2)
        options.json.write_text(text + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

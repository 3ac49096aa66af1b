"""Processor time of the verbs that only read, on a long file, against another revision.

    python -m benchmarks.front_end --against REVISION [--models 2000] [--runs 3] [--json FILE]

Both revisions run in turn, so that a busy machine disturbs them alike; ratios are medians over the
runs. A file of 2,000 models has 300 KB.
"""

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
from collections.abc import Iterator
from datetime import date
from importlib.metadata import version
from pathlib import Path

from benchmarks.revisions import ROOT, tree_of
from benchmarks.startup import timed

VERBS = {
    "check": ("check", "{file}"),
    "fmt": ("fmt", "--diff", "{file}"),
    "show --hash": ("show", "--hash", "{file}"),
    "diff": ("diff", "{file}", "{other}"),
}


def long_file(models: int, layers: int) -> str:
    """Return a spec of many models, every other one derived from the one before it."""
    return "".join(_models(models, layers))


def _models(count: int, layers: int) -> Iterator[str]:
    yield "# Many models in canonical layout.\n"
    for number in range(0, count, 2):
        yield f"""
model m{number} {{
  backbone text   = plain_text {{ layers = {layers}, width = 64, heads = 4 }}
  backbone vision = plain_vision {{ layers = 2, width = 64, heads = 4 }}
  fusion cross = cross_attention(text, vision) {{ layers = {1 + number % 5} }}
  freeze text.layers[:1]  # the first one
}}

model m{number + 1} extends m{number} {{ cross.layers = {2 + number % 7} }}
"""


def measured(tree: Path, models: int, runs: int) -> dict[str, dict[str, float]]:
    """Return for each verb seconds of processor time here and there, and their ratio."""
    results: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        names = {"file": str(Path(folder, "a.vl")), "other": str(Path(folder, "b.vl"))}
        Path(names["file"]).write_text(long_file(models, 2), encoding="utf-8")
        Path(names["other"]).write_text(long_file(models, 3), encoding="utf-8")
        for verb, words in VERBS.items():
            arguments = [word.format(**names) for word in words]
            command = [sys.executable, "-m", "renaissance", *arguments]
            pairs = [(timed(command, ROOT).cpu, timed(command, tree).cpu) for _ in range(runs)]
            results[verb] = {
                "seconds": statistics.median(ours for ours, _ in pairs),
                "seconds_before": statistics.median(before for _, before in pairs),
                "ratio": statistics.median(ours / before for ours, before in pairs),
            }
            print(
                f"{verb:12} {results[verb]['seconds']:.2f} s, "
                f"{results[verb]['ratio']:.2f} times as long as before",
                flush=True,
            )
    return results


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, and write what was measured."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--against", metavar="REVISION", required=True)
    parser.add_argument("--models", type=int, default=2000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args(arguments)
    with tree_of(options.against) as tree:
        results = measured(tree, options.models, options.runs)
    if options.json is not None:
        facts = {
            "date": date.today().isoformat(),
            "device": f"{platform.machine()}, {os.cpu_count()} cores",
            "python": platform.python_version(),
            "pydantic": version("pydantic"),
            "against": options.against,
            "models": options.models,
            "runs": options.runs,
        }
        text = json.dumps({"about": facts, "processor_time": results}, indent=2)
        options.json.write_text(text + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

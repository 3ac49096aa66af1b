"""How long `renaissance check` takes on a 100-line file, against a bare Python.

    python benchmarks/startup.py [--runs 15]

Prints the median of whole processes, run in turn so that a busy machine disturbs both alike.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.resources import files
from pathlib import Path


def hundred_lines() -> str:
    """Return a valid spec of at least 100 lines: the quickstart with more models."""
    quickstart = (files("renaissance.specs") / "quickstart.vl").read_text()
    model = (
        "\nmodel extra_{number} {{\n"
        "  backbone text   = random {{ layers = 2, width = 64, heads = 2, max_tokens = 24 }}\n"
        "  backbone vision = random {{ layers = 2, width = 64, heads = 2, image_size = 64 }}\n"
        "  fusion cross = cross_attention(text, vision) {{ layers = 2, width = 64, heads = 2 }}\n"
        "}}\n"
    )
    text, number = quickstart, 0
    while text.count("\n") < 100:
        text += model.format(number=number)
        number += 1
    return text


def seconds(command: list[str]) -> float:
    """Return the wall time of one process."""
    start = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=15)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as folder:
        spec = Path(folder, "hundred.vl")
        spec.write_text(hundred_lines())
        check = [sys.executable, "-m", "renaissance", "check", str(spec)]
        bare = [sys.executable, "-c", "pass"]
        seconds(check)
        times = [(seconds(check), seconds(bare)) for _ in range(runs)]
    check_median = statistics.median(pair[0] for pair in times)
    bare_median = statistics.median(pair[1] for pair in times)
    ratio = statistics.median(pair[0] / pair[1] for pair in times)
    print(f"check, 100 lines: {check_median * 1000:.0f} ms (median of {runs})")
    print(f"bare python:      {bare_median * 1000:.0f} ms, ratio {ratio:.1f}")


if __name__ == "__main__":
    main()

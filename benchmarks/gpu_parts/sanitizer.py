"""NVIDIA's compute-sanitizer over the kernels on small problems: accesses and races."""

import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.gpu_parts.results import Options, Results, Values

TOOLS = ("memcheck", "racecheck")
PLACES = ("/usr/local/cuda/bin", "/usr/local/cuda/compute-sanitizer", "/opt/cuda/bin")
SUMMARY = re.compile(r"(?:ERROR|RACECHECK) SUMMARY: .*")
REPORT = re.compile(r"========= (?!COMPUTE-SANITIZER|ERROR SUMMARY|RACECHECK SUMMARY)(\S.*)")


def program() -> str | None:
    """Return where the tool is, if it is anywhere."""
    path = os.pathsep.join([os.environ.get("PATH", ""), *PLACES])
    return shutil.which("compute-sanitizer", path=path)


def run(results: Results) -> None:
    """Run both tools at the same time."""
    tool = program()
    if tool is None or not results.options.cuda:
        reason = "compute-sanitizer is not installed" if tool is None else "there is no GPU"
        results.write("all", reason=reason)
        return
    with ThreadPoolExecutor() as threads:
        list(threads.map(lambda name: _run(tool, name, results), TOOLS))


def _run(tool: str, name: str, results: Results) -> None:
    results.item(name, lambda: _found(tool, name, results.options))


def _found(tool: str, name: str, options: Options) -> Values:
    command = [tool, "--tool", name, "--error-exitcode", "9", sys.executable]
    command += ["-m", "benchmarks.numerics", "--device", options.device, "--launch-only"]
    environment = {**os.environ, "PYTORCH_NO_CUDA_MEMORY_CACHING": "1"}
    log = options.out / f"{name}.log"
    with log.open("w") as file:
        done = subprocess.run(
            command,
            cwd=Path(__file__).parents[2],
            env=environment,
            stdout=file,
            stderr=subprocess.STDOUT,
            check=False,
        )
    text = log.read_text(errors="replace")
    summary = SUMMARY.findall(text)
    return {
        "exit": done.returncode,
        "clean": done.returncode == 0 and bool(summary),
        "summary": summary[-1] if summary else "it printed no summary",
        "first": REPORT.findall(text)[:8],
        "log": log.name,
    }

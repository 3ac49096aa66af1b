"""`pytest -m gpu`: what fails is a result the moment that it fails."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

from benchmarks.gpu_parts.results import Options, Results, Values

ROOT = Path(__file__).parents[2]
OUTCOME = re.compile(r"(?:\[gw\d+\] \[ *\d+%\] )?(PASSED|FAILED|ERROR|SKIPPED) (\S+::.*)")
OTHER_WAY_ROUND = re.compile(r"(\S+::.*) (PASSED|FAILED|ERROR|SKIPPED)\b")
PROCESSES = 6
TEST_SECONDS = 80


def command(options: Options) -> list[str]:
    """Return what runs the tests; in several processes and with a limit a test where it can."""
    paths = ["tests/compiler/kernels"]
    if options.tiny:
        paths = ["tests/compiler/kernels/test_lengths.py", "tests/compiler/kernels/test_fusion.py"]
    found = [sys.executable, "-m", "pytest", "-m", "gpu", "-v", "-rf", "--tb=short", *paths]
    found += ["-o", "filterwarnings=default", "-p", "no:cacheprovider"]
    if importlib.util.find_spec("xdist") and not options.tiny:
        found += ["-n", str(PROCESSES)]
    if importlib.util.find_spec("pytest_timeout"):
        found += ["--timeout", str(TEST_SECONDS)]
    return found


def run(results: Results) -> None:
    """Run them, write each failure at once and the counts at the end, also if that is early."""
    environment = {name: value for name, value in os.environ.items() if name != "TRITON_INTERPRET"}
    counts = dict.fromkeys(("PASSED", "FAILED", "ERROR", "SKIPPED"), 0)
    log = results.options.out / "pytest.log"
    process = subprocess.Popen(
        command(results.options),
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    ended: Values = {"ended": False}
    try:
        assert process.stdout is not None
        with log.open("w") as file:
            for line in process.stdout:
                file.write(line)
                file.flush()
                _note(line, counts, results)
        ended = {"ended": True, "exit": process.wait()}
    finally:
        process.kill()
        named = {word.lower(): number for word, number in counts.items()}
        results.write("all", **named, **ended, log=log.name)


def _note(line: str, counts: dict[str, int], results: Results) -> None:
    found = OUTCOME.match(line)
    outcome, test = found.groups() if found else ("", "")
    if not found:
        turned = OTHER_WAY_ROUND.match(line)
        if turned is None:
            # The summary at the end says why.
            return
        test, outcome = turned.groups()
    if " - " in test and outcome in ("FAILED", "ERROR"):
        name, _, reason = test.partition(" - ")
        results.write(name, reason=reason.strip()[:300])
        return
    counts[outcome] += 1
    if outcome in ("FAILED", "ERROR"):
        results.write(test.strip(), outcome=outcome.lower())

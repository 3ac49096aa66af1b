"""Run this folder in Triton's interpreter, which a process chooses when it imports Triton."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from renaissance.compiler.kernels.availability import interpreting


def test_kernels_in_the_interpreter():
    if interpreting():
        pytest.skip("this process interprets kernels itself")
    folder = Path(__file__).parent
    command = [sys.executable, "-m", "pytest", str(folder), "-q", "-k", "interpreter"]
    environment = {**os.environ, "TRITON_INTERPRET": "1"}
    run = subprocess.run(
        [*command, "-p", "no:cacheprovider", "-r", "fE"],
        cwd=folder.parents[2],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-6000:] + run.stderr[-2000:]
    assert " passed" in run.stdout

"""Run what Triton's interpreter can, which a process chooses when it imports Triton."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from renaissance.compiler.kernels.availability import interpreting

ROOT = Path(__file__).parents[3]
PLACES = (
    "tests/compiler/kernels",
    "tests/compiler/test_interpreted_models.py",
    "tests/benchmarks/test_attention.py",
)


def test_kernels_and_whole_models_in_the_interpreter():
    if interpreting():
        pytest.skip("this process interprets kernels itself")
    command = [sys.executable, "-m", "pytest", *PLACES, "-q", "-k", "interpreter or interpreted"]
    run = subprocess.run(
        [*command, "-p", "no:cacheprovider", "-r", "fE"],
        cwd=ROOT,
        env={**os.environ, "TRITON_INTERPRET": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-6000:] + run.stderr[-2000:]
    assert " passed" in run.stdout

"""What a call costs the host, and that what was compiled is kept by all that it follows from."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("triton", reason="launching needs Triton")

PYTHON_CALLS = {"text": (80, 175), "image": (80, 190), "co-attention": (100, 240)}
LAUNCHES = {"text": 2, "image": 3, "co-attention": 3}


def run(*command: str) -> str:
    """Run in a process that does not interpret; its Triton gets a driver that does nothing."""
    environment = {key: value for key, value in os.environ.items() if key != "TRITON_INTERPRET"}
    done = subprocess.run(
        [sys.executable, *command],
        cwd=Path(__file__).parents[3],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def test_a_call_is_few_steps_for_the_host() -> None:
    lines = [
        json.loads(line)
        for line in run("-m", "benchmarks.launches", "--rounds", "1", "--json").splitlines()
    ]
    found = {line["call"]: line for line in lines}
    for name, line in found.items():
        kind = name.split(",")[0]
        if kind not in LAUNCHES:
            continue
        assert line["launches"] == LAUNCHES[kind]
        forward, training = PYTHON_CALLS[kind]
        assert line["forward_python"] <= forward, line
        assert line["training_python"] <= training, line


SCRIPT = """
from dataclasses import replace

import torch
from benchmarks.launches import NoLauncher, packed, without_a_gpu
from renaissance.compiler.kernels import plans, varlen_attention
from renaissance.compiler.kernels.configurations import choose, override

def attend(lengths=(12, 9), heads=4, dtype=torch.bfloat16, shift=0, copies=1, **options):
    tokens, ends = packed(list(lengths), heads)
    flat = torch.zeros(tokens.numel() + shift, dtype=dtype)[shift:]
    query, key, value = flat.view(tokens.shape).unbind(1)
    longest = max(lengths)
    varlen_attention(query, key, value, ends, ends, longest, longest, **options)

def compiled():
    return [id(plan.compiled) for plan in plans._plans.values()]

with without_a_gpu(), torch.no_grad():
    attend()
    first = compiled()
    assert len(first) == 1 and plans.FUNCTIONS["forward"].device_caches[0][0].__len__() == 1
    # Other numbers, other alignment of the lengths or of the streams: the same kernel.
    attend(lengths=(12, 9, 3), heads=1)
    attend(heads=16)
    attend(shift=1)
    attend(dropout=0.0, seed=7)
    assert compiled() == first
    assert len(plans.FUNCTIONS["forward"].device_caches[0][0]) == 1
    # Whatever makes another kernel makes another plan.
    variants = [
        dict(dropout=0.1, seed=7), dict(dropout=0.1, seed=torch.tensor([7])),
        dict(lengths=(20, 9)), dict(lengths=(70, 9)), dict(dtype=torch.float16),
        dict(bias=torch.zeros(4, 12, 12)), dict(bias=torch.zeros(4, 12, 12, dtype=torch.bfloat16)),
    ]
    for number, variant in enumerate(variants, 2):
        attend(**variant)
        attend(**variant)
        assert len(plans._plans) == number, variant
        assert len(plans.FUNCTIONS["forward"].device_caches[0][0]) == number, variant
    assert len(set(compiled())) == len(plans._plans)
    # Another configuration, and the stored one again.
    before = len(plans._plans)
    stored = choose(
        "sm_90", "short_forward", dtype=torch.bfloat16, head_dim=64, max_query=12, max_key=12,
        dropout=False, bias=False,
    )
    with override({"short_forward": replace(stored, warps=2)}):
        attend()
        assert len(plans._plans) == before + 1
    attend()
    assert len(plans._plans) == before + 1
print("kept")
"""


def test_what_is_compiled_is_kept_by_what_it_follows_from() -> None:
    assert run("-c", SCRIPT).strip() == "kept"

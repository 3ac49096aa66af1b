"""Every shipped configuration compiles for its chip with no GPU here, within the chip's limits."""

import json
import os
import subprocess
import sys
from functools import cache

import pytest

pytest.importorskip("triton", reason="Triton compiles the kernels")

SHARED_LIMITS = {"sm_80": 99 * 1024, "sm_90": 227 * 1024, "gfx942": 64 * 1024}
REGISTER_LIMITS = {"sm_80": 255, "sm_90": 255, "gfx942": 512}
REGISTER_FILE = 64 * 1024
ROWS = {"sm_80": 25, "sm_90": 29, "gfx942": 21}


@cache
def build(architecture):
    """Compile in a process that does not interpret; one result a shipped configuration."""
    environment = {key: value for key, value in os.environ.items() if key != "TRITON_INTERPRET"}
    module = "renaissance.compiler.kernels.ahead_of_time"
    run = subprocess.run(
        [sys.executable, "-m", module, architecture],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-3000:]
    return [json.loads(line) for line in run.stdout.splitlines()]


@pytest.mark.parametrize("architecture", SHARED_LIMITS)
def test_shipped_configurations(architecture):
    results = build(architecture)
    failures = []
    for row in results:
        tile = row["configuration"]
        line = (
            f"{architecture} {row['kernel']:15} {row['bits']} bit, head {row['head_dim']:3}, "
            f"{row['load']:7} {tile['block_m']:3}x{tile['block_n']:2} {tile['warps']:2} warps "
            f"{tile['stages']} stages: {row['registers']} registers, {row['spilled']} B spilled, "
            f"{row['shared']} B shared, {row['matrix']}"
        )
        print(line)
        fits = row["shared"] <= SHARED_LIMITS[architecture]
        held = row["spilled"] == 0 and row["registers"] <= REGISTER_LIMITS[architecture]
        if not (fits and held):
            failures.append(line)
    assert not failures, "\n".join(failures)
    assert len(results) == ROWS[architecture]


@pytest.mark.parametrize("architecture", SHARED_LIMITS)
def test_products_run_on_matrix_cores(architecture):
    """16-bit products everywhere; on Hopper the large tiles through its own instruction."""
    for row in build(architecture):
        if row["bits"] == 16:
            assert row["matrix"] in ("wgmma", "mma", "mfma"), row
        elif architecture.startswith("sm_"):
            assert row["matrix"] == "fma", row
        warps, tile = row["configuration"]["warps"], row["configuration"]
        if architecture == "sm_90" and row["bits"] == 16 and warps >= 4:
            assert (tile["block_m"] < 64 and tile["block_n"] < 64) or row["matrix"] == "wgmma", row


def test_a_bound_on_registers_lets_two_programs_share_a_multiprocessor():
    bounded = [row for row in build("sm_90") if row["configuration"]["registers"] is not None]
    assert [(row["kernel"], row["load"]) for row in bounded] == [("forward", "plain")]
    for row in bounded:
        threads = 32 * row["configuration"]["warps"]
        assert row["registers"] <= row["configuration"]["registers"]
        assert 2 * threads * row["registers"] <= REGISTER_FILE
        assert 2 * row["shared"] <= SHARED_LIMITS["sm_90"]


def test_dropout_keeps_the_large_tile_of_the_key_gradient():
    """The random words come from memory: drawn again, they would not fit beside a tile of 64."""
    rows = {
        (row["head_dim"], row["load"]): row
        for row in build("sm_90")
        if row["kernel"] == "key_gradient" and row["bits"] == 16
    }
    tile = rows[64, "dropout"]["configuration"]
    assert (tile["block_m"], tile["block_n"]) == (64, 64)
    assert rows[64, "dropout"]["spilled"] == 0

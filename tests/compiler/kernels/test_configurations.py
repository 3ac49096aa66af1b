"""Every shape that the operators take finds a stored configuration that suits it."""

import itertools
from dataclasses import replace

import pytest
import torch

from renaissance.compiler.kernels.availability import AMD_ARCHITECTURES, DTYPES
from renaissance.compiler.kernels.configurations import choose, is_short, override, rows, table

TABLES = ("sm_80", "sm_90", *AMD_ARCHITECTURES, "interpreter")
LONG = ("forward", "narrow_forward", "query_gradient", "key_gradient", "bias_gradient")


@pytest.mark.parametrize("architecture", TABLES)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_every_shape_has_one(architecture, dtype):
    flags = itertools.product(range(16, 129, 8), (False, True), (False, True))
    stored = [row.configuration for row in rows(architecture)]
    for head_dim, dropout, bias in flags:
        options = {"dtype": dtype, "head_dim": head_dim, "dropout": dropout, "bias": bias}
        for kernel in LONG:
            chosen = choose(architecture, kernel, max_query=577, max_key=577, **options)
            assert chosen in stored
            assert min(chosen.block_m, chosen.block_n, chosen.tail) >= 16


@pytest.mark.parametrize("architecture", TABLES)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("kernel", ["short_forward", "short_backward"])
def test_short_tiles_hold_whole_sequences(architecture, dtype, kernel):
    for max_query, max_key in itertools.product(range(0, 80, 7), repeat=2):
        if not is_short(dtype, max_query, max_key):
            assert max(max_query, max_key) > 32
            continue
        chosen = choose(
            architecture,
            kernel,
            dtype=dtype,
            head_dim=64,
            max_query=max_query,
            max_key=max_key,
            dropout=True,
            bias=True,
        )
        assert chosen.block_m >= max_query
        assert chosen.block_n >= max_key


def test_captions_and_windows_are_short():
    assert is_short(torch.bfloat16, 50, 50)
    assert is_short(torch.float16, 49, 49)
    assert not is_short(torch.bfloat16, 50, 197)


@pytest.mark.parametrize(
    ("architecture", "expected"),
    [
        ("sm_80", "sm_80"),
        ("sm_86", "sm_80"),
        ("sm_89", "sm_80"),
        ("sm_90", "sm_90"),
        ("sm_100", "sm_90"),
        ("sm_120", "sm_80"),
        ("gfx942", "gfx942"),
    ],
)
def test_tables_serve_their_relatives(architecture, expected):
    assert table(architecture) == expected


def test_nothing_stored_is_said():
    with pytest.raises(LookupError, match="64-bit configuration of forward"):
        choose(
            "sm_90",
            "forward",
            dtype=torch.float64,
            head_dim=64,
            max_query=100,
            max_key=100,
            dropout=False,
            bias=False,
        )


def test_another_configuration_can_be_put_in_place_and_is_gone_afterwards():
    asked = {"dtype": torch.bfloat16, "head_dim": 64, "max_query": 197, "max_key": 197}
    asked |= {"dropout": False, "bias": False}
    stored = choose("sm_90", "forward", **asked)
    small = replace(stored, block_m=64, warps=4, registers=None)
    with override({"forward": small}):
        assert choose("sm_90", "forward", **asked) == small
        with override({"query_gradient": small}), override({"forward": stored}):
            assert choose("sm_90", "forward", **asked) == stored
            assert choose("sm_90", "query_gradient", **asked) == small
        assert choose("sm_90", "forward", **asked) == small
        assert choose("sm_90", "query_gradient", **asked) != small
    assert choose("sm_90", "forward", **asked) == stored


def test_registers_are_bounded_only_where_it_is_said():
    stored = choose(
        "sm_90",
        "forward",
        dtype=torch.bfloat16,
        head_dim=64,
        max_query=197,
        max_key=197,
        dropout=False,
        bias=False,
    )
    assert stored.options == {"num_warps": 8, "num_stages": 3, "maxnreg": 128}
    assert replace(stored, registers=None).options == {"num_warps": 8, "num_stages": 3}

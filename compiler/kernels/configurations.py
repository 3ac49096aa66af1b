"""Tile sizes, warps and pipeline stages, stored per architecture and chosen by shape.

Nothing is tuned at run time. Each row is the largest tile that the compiler fits into registers
and shared memory without spilling, checked by compiling it ahead of time; no row has been timed on
a GPU. Dropout and a bias cost registers, so rows say which of them they bear.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import count
from typing import Literal

import torch

Kernel = Literal[
    "forward",
    "narrow_forward",
    "short_forward",
    "query_gradient",
    "key_gradient",
    "bias_gradient",
    "short_backward",
]
Load = Literal["plain", "dropout", "bias"]
LOADS: tuple[Load, ...] = ("plain", "dropout", "bias")
NARROW = 64
BLOCKS = (16, 32, 64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """How one kernel is cut up.

    Attributes:
        block_m: query rows of a tile.
        block_n: key rows of a tile.
        tail: rows of the small tile that takes a short remainder of the loop.
        warps: warps of a program.
        stages: tiles in flight in the loop's software pipeline.
        chunk: columns of a head that are multiplied at a time; the whole head if it is wider.
        registers: of a thread, at most, so that more programs fit on a multiprocessor; None leaves
            it to the compiler. NVIDIA's chips only.
    """

    block_m: int
    block_n: int
    tail: int
    warps: int
    stages: int
    chunk: int
    registers: int | None = None

    @property
    def options(self) -> dict[str, int]:
        """What Triton's compiler is told."""
        options = {"num_warps": self.warps, "num_stages": self.stages}
        return options if self.registers is None else options | {"maxnreg": self.registers}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A configuration and what it bears.

    Attributes:
        kernel: the kernel it is for.
        bits: width of a number, 16 or 32.
        head_dim: the widest head it fits.
        load: what it bears: nothing, dropout, or dropout and a bias.
        configuration: the configuration.
    """

    kernel: Kernel
    bits: int
    head_dim: int
    load: Load
    configuration: Configuration


# block_m, block_n, warps, stages, chunk, and registers where they are bounded
_Numbers = tuple[int, int, int, int, int] | tuple[int, int, int, int, int, int]
# kernel, bits, widest head, load
_Line = tuple[Kernel, int, int, Load, _Numbers]

# Exact float32 products run on ordinary cores on NVIDIA's chips, in small tiles and chunks.
_NVIDIA_FLOAT32: tuple[_Line, ...] = (
    ("forward", 32, 128, "bias", (32, 16, 4, 1, 16)),
    ("narrow_forward", 32, 128, "bias", (32, 16, 4, 1, 16)),
    ("query_gradient", 32, 128, "bias", (32, 16, 8, 1, 16)),
    ("key_gradient", 32, 128, "bias", (16, 64, 8, 1, 16)),
)
_LINES: dict[str, tuple[_Line, ...]] = {
    "sm_80": (
        ("forward", 16, 64, "bias", (128, 64, 8, 2, 128)),
        ("forward", 16, 128, "dropout", (128, 32, 8, 2, 128)),
        ("forward", 16, 128, "bias", (64, 32, 4, 1, 32)),
        ("narrow_forward", 16, 64, "bias", (64, 64, 4, 2, 128)),
        ("narrow_forward", 16, 128, "bias", (64, 32, 4, 1, 32)),
        ("query_gradient", 16, 64, "dropout", (64, 64, 4, 2, 128)),
        ("query_gradient", 16, 64, "bias", (64, 32, 4, 2, 128)),
        ("query_gradient", 16, 128, "bias", (64, 32, 8, 1, 64)),
        ("key_gradient", 16, 64, "bias", (32, 64, 4, 2, 128)),
        ("key_gradient", 16, 128, "dropout", (32, 64, 8, 1, 64)),
        ("key_gradient", 16, 128, "bias", (32, 64, 8, 1, 32)),
        ("bias_gradient", 16, 128, "bias", (64, 32, 8, 1, 128)),
        ("bias_gradient", 32, 128, "bias", (32, 32, 8, 1, 16)),
        *_NVIDIA_FLOAT32,
    ),
    "sm_90": (
        # 128 registers let two programs share a multiprocessor.
        ("forward", 16, 64, "plain", (128, 64, 8, 3, 128, 128)),
        ("forward", 16, 64, "bias", (128, 64, 8, 3, 128)),
        ("forward", 16, 128, "dropout", (128, 64, 8, 3, 128)),
        ("forward", 16, 128, "bias", (64, 32, 8, 2, 128)),
        ("narrow_forward", 16, 64, "bias", (64, 64, 4, 3, 128)),
        ("narrow_forward", 16, 128, "dropout", (64, 64, 4, 3, 128)),
        ("narrow_forward", 16, 128, "bias", (64, 32, 8, 2, 128)),
        ("query_gradient", 16, 64, "bias", (64, 64, 4, 2, 128)),
        ("query_gradient", 16, 128, "dropout", (64, 32, 4, 2, 128)),
        ("query_gradient", 16, 128, "bias", (64, 32, 8, 2, 128)),
        ("key_gradient", 16, 64, "dropout", (64, 64, 4, 2, 128)),
        ("key_gradient", 16, 64, "bias", (32, 64, 8, 2, 128)),
        ("key_gradient", 16, 128, "plain", (64, 64, 8, 2, 128)),
        ("key_gradient", 16, 128, "dropout", (32, 64, 8, 2, 128)),
        ("key_gradient", 16, 128, "bias", (16, 64, 8, 1, 128)),
        ("bias_gradient", 16, 128, "bias", (64, 64, 8, 2, 128)),
        ("bias_gradient", 32, 128, "bias", (32, 32, 4, 1, 16)),
        *_NVIDIA_FLOAT32,
    ),
    "gfx942": (
        ("forward", 16, 64, "plain", (128, 64, 4, 1, 128)),
        ("forward", 16, 128, "bias", (64, 64, 4, 1, 128)),
        ("narrow_forward", 16, 128, "bias", (64, 64, 4, 1, 128)),
        ("query_gradient", 16, 64, "bias", (64, 64, 4, 1, 128)),
        ("query_gradient", 16, 128, "bias", (64, 32, 4, 1, 128)),
        ("key_gradient", 16, 64, "bias", (64, 64, 4, 1, 128)),
        ("key_gradient", 16, 128, "bias", (32, 64, 4, 1, 128)),
        ("bias_gradient", 16, 128, "bias", (64, 64, 4, 1, 128)),
        ("forward", 32, 128, "bias", (64, 32, 4, 1, 128)),
        ("narrow_forward", 32, 128, "bias", (64, 32, 4, 1, 128)),
        ("query_gradient", 32, 128, "bias", (32, 32, 4, 1, 128)),
        ("key_gradient", 32, 128, "bias", (32, 32, 4, 1, 128)),
        ("bias_gradient", 32, 128, "bias", (32, 32, 4, 1, 128)),
    ),
    # Small tiles, so that short tests in the interpreter go through every branch of the loops.
    "interpreter": tuple(
        (kernel, bits, 128, "bias", (32, 32, 4, 1, 128 if bits == 16 else 32))
        for kernel in (
            "forward",
            "narrow_forward",
            "query_gradient",
            "key_gradient",
            "bias_gradient",
        )
        for bits in (16, 32)
    ),
}
# Warps of a program that takes whole sequences: kernel, bits, longer side of its tile.
_Warps = dict[Kernel, dict[int, dict[int, int]]]
_SHORT_WARPS: dict[str, _Warps] = {
    "sm_80": {
        "short_forward": {16: {16: 1, 32: 2, 64: 4}, 32: {16: 4, 32: 8}},
        "short_backward": {16: {16: 1, 32: 2, 64: 4}, 32: {16: 4, 32: 16}},
    },
    "sm_90": {
        "short_forward": {16: {16: 1, 32: 2, 64: 4}, 32: {16: 4, 32: 8}},
        "short_backward": {16: {16: 1, 32: 2, 64: 4}, 32: {16: 4, 32: 8}},
    },
    "gfx942": {
        "short_forward": {16: {16: 1, 32: 2, 64: 4}, 32: {16: 1, 32: 4}},
        "short_backward": {16: {16: 1, 32: 2, 64: 4}, 32: {16: 1, 32: 4}},
    },
    "interpreter": {
        "short_forward": {16: {16: 1, 32: 1, 64: 1}, 32: {16: 1, 32: 1}},
        "short_backward": {16: {16: 1, 32: 1, 64: 1}, 32: {16: 1, 32: 1}},
    },
}
_TAIL = 16

_in_place: Mapping[Kernel, Configuration] = {}
_generation = 0
_generations = count(1)


def table(architecture: str) -> str:
    """The stored table that serves an architecture.

    Args:
        architecture: such as `sm_86` or `gfx942`.

    Returns:
        `sm_90` for chips with at least its registers and shared memory, `sm_80` for NVIDIA's
        others, whose smallest has 99 KiB of shared memory; else the architecture itself.
    """
    if architecture.startswith("sm_"):
        return "sm_90" if 90 <= int(architecture.removeprefix("sm_")) < 120 else "sm_80"
    return architecture


def rows(architecture: str) -> list[Row]:
    """Everything stored for a table's architecture; short sequences as square tiles."""
    long = [
        Row(
            kernel=kernel,
            bits=bits,
            head_dim=head_dim,
            load=load,
            configuration=_configuration(*numbers),
        )
        for kernel, bits, head_dim, load, numbers in _LINES[architecture]
    ]
    short = [
        Row(
            kernel=kernel,
            bits=bits,
            head_dim=128,
            load="bias",
            configuration=_short(architecture, kernel, bits, block, block),
        )
        for kernel, widths in _SHORT_WARPS[architecture].items()
        for bits, warps in widths.items()
        for block in warps
    ]
    return long + short


def choose(
    architecture: str,
    kernel: Kernel,
    *,
    dtype: torch.dtype,
    head_dim: int,
    max_query: int,
    max_key: int,
    dropout: bool,
    bias: bool,
) -> Configuration:
    """The configuration of one launch.

    Args:
        architecture: of the GPU, such as `sm_90`, or `interpreter`.
        kernel: the kernel.
        dtype: of queries, keys and values.
        head_dim: width of a head.
        max_query: tokens of the longest query sequence of any direction.
        max_key: tokens of the longest key sequence of any direction.
        dropout: whether weights are dropped.
        bias: whether a bias is added.

    Raises:
        LookupError: if nothing is stored for it.
    """
    if kernel in _in_place:
        return _in_place[kernel]
    name, bits = table(architecture), 8 * dtype.itemsize
    if kernel in ("short_forward", "short_backward"):
        return _short(name, kernel, bits, short_block(max_query), short_block(max_key))
    load = LOADS.index("bias" if bias else "dropout" if dropout else "plain")
    for line_kernel, line_bits, widest, line_load, numbers in _LINES[name]:
        fits = head_dim <= widest and load <= LOADS.index(line_load)
        if line_kernel == kernel and line_bits == bits and fits:
            return _configuration(*numbers)
    raise LookupError(f"no {bits}-bit configuration of {kernel} for heads {head_dim} wide")


@contextmanager
def override(configurations: Mapping[Kernel, Configuration]) -> Iterator[None]:
    """Run kernels with other configurations than the stored ones; for measurements.

    Every call within takes them, whatever its shapes, on every thread, so a kernel of short
    sequences must be given tiles that hold them, and the tile of a tail must be no larger than its
    block. Contexts nest; names that are not given keep what they have. An example:

        row = choose("sm_90", "forward", dtype=torch.bfloat16, head_dim=64, max_query=197,
                     max_key=197, dropout=False, bias=False)
        with override({"forward": replace(row, block_m=64, warps=4, registers=None)}):
            varlen_attention(...)

    Args:
        configurations: by the kernel that they are for.
    """
    global _in_place, _generation
    before = _in_place, _generation
    _in_place, _generation = {**_in_place, **configurations}, next(_generations)
    try:
        yield
    finally:
        _in_place, _generation = before


def generation() -> int:
    """Return a number that tells apart what `choose` returns at one time and at another."""
    return _generation


def is_short(dtype: torch.dtype, max_query: int, max_key: int) -> bool:
    """Whether whole sequences fit in the tile of one program on every architecture."""
    return max(max_query, max_key) <= (64 if dtype.itemsize == 2 else 32)


def _configuration(
    block_m: int, block_n: int, warps: int, stages: int, chunk: int, registers: int | None = None
) -> Configuration:
    return Configuration(
        block_m=block_m,
        block_n=block_n,
        tail=_TAIL,
        warps=warps,
        stages=stages,
        chunk=chunk,
        registers=registers,
    )


def _short(
    architecture: str, kernel: Kernel, bits: int, block_m: int, block_n: int
) -> Configuration:
    return Configuration(
        block_m=block_m,
        block_n=block_n,
        tail=block_n,
        warps=_SHORT_WARPS[architecture][kernel][bits][max(block_m, block_n)],
        stages=1,
        chunk=16 if bits == 32 and architecture.startswith("sm_") else 128,
    )


@cache
def short_block(longest: int) -> int:
    """Rows of the smallest tile that holds a sequence."""
    return next(size for size in BLOCKS if size >= longest)

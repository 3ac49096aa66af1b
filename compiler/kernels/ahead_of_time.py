"""Compile kernels for a GPU that is not here, and read what they need of it.

Run as a program it builds configurations that ship and prints one JSON object a line:
`python -m renaissance.compiler.kernels.ahead_of_time sm_90`.
"""

import json
import re
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

from renaissance.compiler.kernels.configurations import Configuration, Kernel, Row, rows
from renaissance.compiler.kernels.plans import FUNCTIONS, constants

WAY = {"wgmma": "mma_async", "mma": "sync"}
DTYPES = {torch.bfloat16: "bf16", torch.float16: "fp16", torch.float32: "fp32"}
FLOATS = {"scale", "gradient_scale", "keep_scale"}
FIXED_POINTERS = {
    "log_sum": "*fp32",
    "delta": "*fp32",
    "partial": "*fp32",
    "bias": "*fp32",
    "cu_query": "*i32",
    "cu_key": "*i32",
}
UNALIGNED = ("bias", "cu_query", "cu_key")
STREAMS = ("query", "key", "value", "output", "grad_output", "grad_query", "grad_key", "grad_value")


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One kernel with everything that is fixed when it is compiled.

    Attributes:
        kernel: which kernel.
        dtype: dtype of queries, keys and values.
        head_dim: width of a head.
        dropout: whether weights are dropped.
        bias: whether a bias is added.
        pair: whether both directions of co-attention run.
        configuration: tile sizes, warps and stages.
    """

    kernel: Kernel
    dtype: torch.dtype
    head_dim: int
    dropout: bool
    bias: bool
    pair: bool
    configuration: Configuration


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """What a compiled kernel takes.

    Attributes:
        registers: registers of a thread.
        spilled: bytes of a thread that did not fit in registers.
        shared: bytes of shared memory (LDS) of a program.
        matrix: the instruction of its matrix products: `wgmma` (Hopper's tensor cores), `mma`,
            `mfma` (AMD's matrix cores), or `fma` (none).
    """

    registers: int
    spilled: int
    shared: int
    matrix: str


def target(architecture: str) -> GPUTarget:
    """The compiler's name for an architecture such as `sm_90` or `gfx942`."""
    if architecture.startswith("gfx"):
        return GPUTarget("hip", architecture, 64)
    return GPUTarget("cuda", int(architecture.removeprefix("sm_")), 32)


def build(variant: Variant, architecture: str) -> Resources:
    """Compile one variant.

    Raises:
        RuntimeError: if the compiler's output does not say what the kernel takes.
    """
    configuration = variant.configuration
    compiled = triton.compile(
        _source(variant),
        target=target(architecture),
        options=configuration.options,
    )
    shared = compiled.metadata.shared
    if architecture.startswith("gfx"):
        return _read_assembly(compiled.asm["amdgcn"], shared)
    return _read_cubin(compiled.asm["cubin"], compiled.asm["ptx"], shared)


def shipped(architecture: str) -> list[tuple[Row, Variant]]:
    """Each stored row with the most demanding variant that it serves, bfloat16 or float32.

    Rows that share a configuration, width and load are built once.
    """
    found: dict[Variant, Row] = {}
    for row in rows(architecture):
        bias = row.load == "bias"
        kernel: Kernel = "forward" if row.kernel == "narrow_forward" else row.kernel
        variant = Variant(
            kernel=kernel,
            dtype=torch.bfloat16 if row.bits == 16 else torch.float32,
            head_dim=row.head_dim,
            dropout=row.load != "plain",
            bias=bias,
            pair=not bias,
            configuration=row.configuration,
        )
        found.setdefault(variant, row)
    return [(row, variant) for variant, row in found.items()]


def _source(variant: Variant) -> ASTSource:
    """The kernel with the argument types and alignments that a launch would give it."""
    function = FUNCTIONS[variant.kernel]
    fixed = constants(
        variant.kernel,
        variant.configuration,
        head_dim=variant.head_dim,
        dropout=variant.dropout,
        bias=variant.bias,
        pair=variant.pair,
    )
    if not variant.bias:
        fixed["bias"] = None
    # A seed comes as a number.
    fixed["seed"] = None
    signature: dict[str, str] = {}
    attributes: dict[tuple[int, ...], list[list[object]]] = {}
    for index, name in enumerate(function.arg_names):
        if name.endswith("_second") and name != "tiles_second" and not variant.pair:
            fixed[name] = None
        stream = name.removesuffix("_second") in STREAMS
        if name in fixed:
            signature[name] = "constexpr"
        elif stream or name in FIXED_POINTERS:
            signature[name] = f"*{DTYPES[variant.dtype]}" if stream else FIXED_POINTERS[name]
            if name not in UNALIGNED:
                attributes[(index,)] = [["tt.divisibility", 16]]
        else:
            signature[name] = "fp32" if name in FLOATS else "i32"
    used = {name: value for name, value in fixed.items() if name in function.arg_names}
    return ASTSource(function, signature, used, attributes)


def _read_cubin(cubin: bytes, ptx: str, shared: int) -> Resources:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "kernel.cubin")
        path.write_bytes(cubin)
        usage = _cuobjdump("-res-usage", path)
    found = re.search(r"REG:(\d+) STACK:(\d+) SHARED:\d+ LOCAL:(\d+)", usage)
    if found is None:
        raise RuntimeError(f"no resource usage in what cuobjdump printed: {usage}")
    registers, stack, local = map(int, found.groups())
    matrix = next((word for word in ("wgmma", "mma") if f"{word}.{WAY[word]}" in ptx), "fma")
    return Resources(registers=registers, spilled=stack + local, shared=shared, matrix=matrix)


def _cuobjdump(option: str, path: Path) -> str:
    tool = triton.knobs.nvidia.cuobjdump.path
    return subprocess.run([tool, option, path], capture_output=True, text=True, check=True).stdout


def _read_assembly(assembly: str, shared: int) -> Resources:
    def number(name: str) -> int:
        found = re.search(rf"\.{name}:\s*(\d+)", assembly)
        if found is None:
            raise RuntimeError(f"the assembly does not name its {name}")
        return int(found.group(1))

    matrix = "mfma" if "v_mfma" in assembly else "fma"
    return Resources(
        registers=number("vgpr_count"),
        spilled=number("private_segment_fixed_size"),
        shared=shared,
        matrix=matrix,
    )


def main(architecture: str) -> None:
    """Build what ships for an architecture and print a JSON object for each row as it is built."""
    for row, variant in shipped(architecture):
        print(json.dumps({**asdict(row), **asdict(build(variant, architecture))}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])

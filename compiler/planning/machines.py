"""Machines to plan for: published figures of GPUs, and files that `renaissance bench` wrote."""

from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt, ValidationError

from renaissance.compiler.amounts import GIBIBYTE
from renaissance.compiler.errors import CompileError
from renaissance.grammar.names import listing

Precision = Literal["fp32", "bf16", "fp16"]
Device = Literal["cpu", "cuda"]

PUBLISHED_EFFICIENCY = 0.5
"""Share of published peaks that products and copies of a step are assumed to reach. An assumption:
large products alone reach 0.6 to 0.8, those of small models far less."""

MEASURED_EFFICIENCY = 0.8
"""Share of measured ceilings that they are assumed to reach: a ceiling is a large product, and a
step has small ones. An assumption as well."""

DECODE = 1.3e-3
"""Seconds of one core for a JPEG photograph of half a megapixel or less: reading, decoding and
resizing it to 224 × 224, at best; measured on one core of a server."""

AUTO_WORKERS = {"cpu": 0, "cuda": 16}
"""Processes that `workers = auto` takes by the type of the device, where cores are enough."""

WRITE_RATE = 1e9
"""Bytes a second that a disk writes and keeps, assumed where not measured: one NVMe disk."""

USABLE = 0.9
"""Share of the memory of a device that a step is given. The rest is for the driver, libraries of
products, and what an allocator keeps in pieces; an assumption."""

LAUNCH = 6e-6
"""Seconds that the host needs to launch one kernel from Python, assumed where not measured."""

_GB = 10**9
_TERA = 10**12


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What a device can do at most, and how much of it is counted on.

    Attributes:
        name: in words.
        device: its type, as torch has it.
        fp32: peak of products of float32 operands, FLOP/s, dense, no TF32.
        bf16: peak of products in bfloat16; None where the device has no such units.
        fp16: the same in float16.
        bandwidth: of its memory, bytes/s.
        memory: bytes; None if unknown.
        launch: seconds that the host needs for one kernel.
        efficiency: share of the peaks that is counted on; an assumption.
        source: where the figures come from.
        kernels: whether it is a GPU that runs the project's attention kernels.
        decode: seconds of one process for an image.
        written: bytes a second that its disk keeps.
    """

    name: str
    device: Device
    fp32: float
    bf16: float | None
    fp16: float | None
    bandwidth: float
    memory: int | None
    launch: float
    efficiency: float
    source: str
    kernels: bool = True
    decode: float = DECODE
    written: float = WRITE_RATE

    @property
    def room(self) -> int | None:
        """Bytes that are counted on; None where the memory is unknown."""
        return None if self.memory is None else int(self.memory * USABLE)

    def peak(self, precision: Precision) -> float:
        """Return the peak of products of a precision, FLOP/s.

        Raises:
            CompileError: if the device has none for it.
        """
        found = {"fp32": self.fp32, "bf16": self.bf16, "fp16": self.fp16}[precision]
        if found is None:
            others = {"bf16": self.bf16, "fp16": self.fp16}
            known = [key for key, peak in others.items() if peak is not None]
            named = listing((*known, "fp32"), between=" or ")
            raise CompileError(
                f"{self.name} computes no products in {precision}; plan for it with "
                f"`precision` at {named}"
            )
        return found


def _published(
    name: str,
    *,
    fp32: float,
    half: float,
    bandwidth: float,
    memory: float,
    source: str,
    bf16: bool = True,
    kernels: bool = True,
) -> Machine:
    return Machine(
        name=name,
        device="cuda",
        fp32=fp32 * _TERA,
        bf16=half * _TERA if bf16 else None,
        fp16=half * _TERA,
        bandwidth=bandwidth * _GB,
        memory=round(memory * GIBIBYTE),
        launch=LAUNCH,
        efficiency=PUBLISHED_EFFICIENCY,
        source=source,
        kernels=kernels,
    )


GPUS: dict[str, Machine] = {
    "h100": _published(
        "H100 SXM",
        fp32=67,
        half=989,
        bandwidth=3350,
        memory=80,
        source="NVIDIA H100 datasheet, dense",
    ),
    "h200": _published(
        "H200", fp32=67, half=989, bandwidth=4800, memory=141, source="NVIDIA H200 datasheet, dense"
    ),
    "a100": _published(
        "A100 40 GB SXM",
        fp32=19.5,
        half=312,
        bandwidth=1555,
        memory=40,
        source="NVIDIA A100 datasheet, dense",
    ),
    "a100-80": _published(
        "A100 80 GB SXM",
        fp32=19.5,
        half=312,
        bandwidth=2039,
        memory=80,
        source="NVIDIA A100 80 GB datasheet, dense",
    ),
    "l40s": _published(
        "L40S",
        fp32=91.6,
        half=362,
        bandwidth=864,
        memory=48,
        source="NVIDIA L40S datasheet, dense",
    ),
    "l4": _published(
        "L4", fp32=30.3, half=121, bandwidth=300, memory=24, source="NVIDIA L4 datasheet, dense"
    ),
    "t4": _published(
        "T4",
        fp32=8.1,
        half=65,
        bandwidth=300,
        memory=16,
        bf16=False,
        kernels=False,
        source="NVIDIA T4 datasheet",
    ),
    "rtx4090": _published(
        "GeForce RTX 4090",
        fp32=82.6,
        half=165.2,
        bandwidth=1008,
        memory=24,
        source="NVIDIA Ada architecture whitepaper, dense, float32 accumulation",
    ),
    "mi300x": _published(
        "Instinct MI300X",
        fp32=163.4,
        half=1307.4,
        bandwidth=5300,
        memory=192,
        source="AMD Instinct MI300X datasheet, dense",
    ),
}
"""Published figures by the name that `--gpu` takes."""


def find_gpu(name: str) -> Machine:
    """Return a GPU by name; case, spaces and dashes do not count.

    Raises:
        CompileError: if there is none of this name, with the nearest names.
    """

    def bare(text: str) -> str:
        return "".join(letter for letter in text.lower() if letter.isalnum())

    known = {bare(key): machine for key, machine in GPUS.items()} | {
        bare(machine.name): machine for machine in GPUS.values()
    }
    if bare(name) in known:
        return known[bare(name)]
    near = get_close_matches(name.lower(), GPUS, n=3, cutoff=0.5)
    said = f"nearest are {', '.join(near)}; " if near else ""
    raise CompileError(
        f"there are no figures for a GPU `{name}`; {said}known are {', '.join(GPUS)}; "
        "`renaissance bench --out FILE` measures this machine for --bench FILE"
    )


Rate = Annotated[float, Field(ge=1)]
"""A second; less than one of anything is no figure of a machine, and gives times without end."""


class Bench(BaseModel):
    """A file that `renaissance bench` writes.

    Attributes:
        name: of the device, in words.
        device: its type.
        threads: of torch on a CPU; None on a GPU.
        torch: its version.
        products: FLOP/s of large matrix products, by precision.
        bandwidth: of a copy, bytes read and written a second.
        memory: bytes that it has; None if unknown.
        launch: seconds of one operation on a single number.
        written: bytes a second that the disk of temporary files keeps; None if not measured.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    name: str
    device: Device
    threads: PositiveInt | None
    torch: str
    products: dict[Precision, Rate]
    bandwidth: Rate
    memory: PositiveInt | None
    launch: PositiveFloat
    written: Rate | None = None

    def machine(self) -> Machine:
        """Return it as a machine to plan for."""
        threads = f", {self.threads} threads" if self.threads else ""
        return Machine(
            name=f"{self.name}{threads}",
            device=self.device,
            fp32=self.products["fp32"],
            bf16=self.products.get("bf16"),
            fp16=self.products.get("fp16"),
            bandwidth=self.bandwidth,
            memory=self.memory,
            launch=self.launch,
            efficiency=MEASURED_EFFICIENCY,
            source=f"measured with torch {self.torch}",
            written=self.written or WRITE_RATE,
        )


def read_bench(path: str) -> Machine:
    """Return the machine that a file of `renaissance bench` describes.

    Raises:
        CompileError: if it cannot be read, or is no such file.
    """
    try:
        found = Bench.model_validate_json(Path(path).read_bytes())
    except OSError as error:
        raise CompileError(f"cannot read {path}: {error.strerror or error}") from None
    except ValidationError:
        raise CompileError(
            f"{path} is no file of `renaissance bench`; write one with "
            "`renaissance bench --out FILE`"
        ) from None
    if "fp32" not in found.products:
        raise CompileError(f"{path} has no figure for products in fp32")
    return found.machine()

"""Where the kernels run, and one sentence for everywhere else."""

import importlib.util

import torch

from renaissance.grammar.schema.model import FUSED_HEADS

SMALLEST_HEAD_DIM = FUSED_HEADS[0]
LARGEST_HEAD_DIM = FUSED_HEADS[-1]
HEAD_DIM_STEP = FUSED_HEADS.step
DTYPES = (torch.bfloat16, torch.float16, torch.float32)
AMD_ARCHITECTURES = ("gfx942",)


class AttentionUnavailable(ValueError):  # noqa: N818
    """The fused attention cannot run here; the message is one sentence that says why."""


def supported(device: torch.device | str, dtype: torch.dtype, head_dim: int) -> str | None:
    """Say why the fused attention is not available, if it is not.

    Args:
        device: where query, key and value live.
        dtype: dtype of query, key and value.
        head_dim: width of one head.

    Returns:
        None where the kernels run, else one sentence without a full stop for a person to read.
    """
    device = torch.device(device)
    refusal = supported_anywhere(dtype, head_dim)
    if refusal is not None:
        return refusal
    if importlib.util.find_spec("triton") is None:
        return "fused attention needs Triton, which is not installed"
    if interpreting():
        if dtype is torch.bfloat16:
            return "Triton's interpreter cannot multiply bfloat16 numbers"
        return None
    if device.type != "cuda":
        return f"fused attention runs on a GPU, not on `{device.type}`"
    return _gpu_reason(device)


def supported_anywhere(dtype: torch.dtype, head_dim: int) -> str | None:
    """Say why the fused attention runs on no device, if it does not.

    Args:
        dtype: dtype of query, key and value.
        head_dim: width of one head.

    Returns:
        None where some device runs it, else one sentence without a full stop.
    """
    if dtype not in DTYPES:
        return f"fused attention takes bfloat16, float16 or float32, not {_name(dtype)}"
    if not SMALLEST_HEAD_DIM <= head_dim <= LARGEST_HEAD_DIM or head_dim % HEAD_DIM_STEP:
        return (
            f"fused attention takes heads {SMALLEST_HEAD_DIM} to {LARGEST_HEAD_DIM} wide in steps "
            f"of {HEAD_DIM_STEP}, not {head_dim}"
        )
    return None


def interpreting() -> bool:
    """Whether Triton runs kernels in its interpreter (`TRITON_INTERPRET=1`), on any device."""
    if importlib.util.find_spec("triton") is None:
        return False
    from triton import knobs

    return bool(knobs.runtime.interpret)


def architecture(device: torch.device | str) -> str:
    """Name a GPU's architecture as compilers do, such as `sm_90` or `gfx942`.

    Raises:
        AttentionUnavailable: if `device` is no GPU of this machine.
    """
    if not torch.cuda.is_available():
        raise AttentionUnavailable("this machine has no GPU that PyTorch can use")
    if torch.version.hip is not None:
        name: str = torch.cuda.get_device_properties(device).gcnArchName
        return name.split(":")[0]
    major, minor = torch.cuda.get_device_capability(device)
    return f"sm_{major}{minor}"


def _gpu_reason(device: torch.device) -> str | None:
    if not torch.cuda.is_available():
        return "fused attention runs on a GPU, and PyTorch finds none here"
    name = architecture(device)
    if name.startswith("gfx"):
        if name in AMD_ARCHITECTURES:
            return None
        return f"fused attention has no configuration for the AMD GPU {name}"
    if int(name.removeprefix("sm_")) < 80:
        return f"fused attention needs a GPU of compute capability 8.0 or newer, not {name}"
    return None


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")

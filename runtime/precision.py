"""Precision of the forward and backward pass; weights that learn stay float32."""

import math
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Literal

import torch
from torch import Tensor

from renaissance.compiler.lowering.dispatch import PRODUCTS

Name = Literal["fp32", "bf16", "fp16"]

FIRST_SCALE = 2.0**16
"""What losses are multiplied by in fp16 until gradients overflow."""


@contextmanager
def exact_float32() -> Iterator[None]:
    """Let a GPU compute what is in float32 exactly, without TF32, and restore what was set before.

    torch lets convolutions round their operands to 10 bits otherwise.
    """
    # torch has two sets of names for this, and one cannot be read where the other was written.
    before = _by_older_names() or _by_newer_names()
    for owner, name, exact, _ in before:
        setattr(owner, name, exact)
    try:
        yield
    finally:
        for owner, name, _, value in before:
            setattr(owner, name, value)


_Setting = tuple[Any, str, Any, Any]
"""Where a setting stands, its name, its value for exact results and the one that it has."""


def _by_older_names() -> list[_Setting]:
    matmul, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn
    try:
        return [
            (matmul, "allow_tf32", False, matmul.allow_tf32),
            (cudnn, "allow_tf32", False, cudnn.allow_tf32),
        ]
    except RuntimeError:
        return []


def _by_newer_names() -> list[_Setting]:
    cudnn: Any = torch.backends.cudnn
    owners: tuple[Any, ...] = (torch.backends.cuda.matmul, cudnn.conv, cudnn.rnn)
    return [(owner, "fp32_precision", "ieee", owner.fp32_precision) for owner in owners]


def slow_on(name: Name, device: torch.device) -> str | None:
    """Return a sentence where another precision is far faster on a device; None elsewhere."""
    if name != "fp32" or device.type != "cuda":
        return None
    half = "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp16"
    return (
        "products are computed in exact float32, which uses no tensor cores; with "
        f"`precision = {half}` this GPU is many times as fast"
    )


class Precision:
    """Casts the forward pass, and in fp16 scales losses so that small gradients survive.

    `dtype` is what the forward pass computes in; None where that is the weights' own.

    Args:
        name: as in the spec.
        device: where the model is.
        ranks: processes whose gradients are averaged, so that each multiplies its loss by so many;
            the scale is that much smaller, and an item's gradient overflows where it does in one.
    """

    def __init__(self, name: Name, device: torch.device, *, ranks: int = 1) -> None:
        """Choose type and scaler."""
        self._ranks = ranks
        self.dtype = None if name == "fp32" else PRODUCTS[name]
        self._device = device.type
        self._scaler = None
        if name == "fp16":
            self._scaler = torch.amp.GradScaler(device.type, init_scale=FIRST_SCALE / ranks)
        self._asked = self.scale

    def forward(self) -> AbstractContextManager[Any]:
        """Return the context of a forward pass."""
        if self.dtype is None:
            return nullcontext()
        return torch.autocast(self._device, self.dtype)

    def backward(self, loss: Tensor) -> None:
        """Compute gradients of a loss."""
        (loss if self._scaler is None else self._scaler.scale(loss)).backward()  # type: ignore[no-untyped-call]

    def step(
        self,
        optimizer: torch.optim.Optimizer,
        parameters: list[torch.nn.Parameter],
        clip: float | None,
        *,
        measure: bool = False,
    ) -> Tensor | None:
        """Clip the gradients at a global norm and update the weights.

        Returns the norm before clipping, still on the device; None where they are neither clipped
        nor to be measured. In fp16 a step whose gradients overflowed is skipped and the scale is
        lowered.
        """
        if self._scaler is not None:
            self._scaler.unscale_(optimizer)
        norm = None
        if clip is not None:
            norm = torch.nn.utils.clip_grad_norm_(parameters, clip)
        elif measure:
            gradients = [each.grad for each in parameters if each.grad is not None]
            norm = torch.nn.utils.get_total_norm(gradients)
        if self._scaler is None:
            optimizer.step()
            return norm
        self._scaler.step(optimizer)
        self._scaler.update()
        return norm

    def skipped(self) -> int:
        """Return how many steps have overflowed since this was last asked; waits for the device.

        Each halves the scale, which doubles after thousands of steps that do not.
        """
        before, self._asked = self._asked, self.scale
        return max(round(math.log2(before / max(self._asked, 2.0**-126))), 0)

    @property
    def scale(self) -> float:
        """What losses are multiplied by in one process; 1 without a scaler."""
        return 1.0 if self._scaler is None else float(self._scaler.get_scale()) * self._ranks

    def state(self) -> dict[str, float]:
        """Return the state of the scaler as it would be in one process; empty without one."""
        if self._scaler is None:
            return {}
        state: dict[str, float] = dict(self._scaler.state_dict())
        return state | {"scale": state["scale"] * self._ranks}

    def load(self, state: dict[str, float]) -> None:
        """Take up what `state` returned, with any number of processes."""
        if self._scaler is not None and state:
            whole = {
                k: int(v) if k in ("growth_interval", "_growth_tracker") else v
                for k, v in state.items()
            }
            whole["scale"] = state["scale"] / self._ranks
            self._scaler.load_state_dict(whole)
            self._asked = self.scale

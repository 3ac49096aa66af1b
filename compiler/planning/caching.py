"""Whether the features of a constant tower are worth keeping: predicted before they are computed.

Keeping can lose: reading the features of a small tower takes longer than computing them.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from renaissance.compiler.model import VisionLanguageModel
from renaissance.compiler.planning.passes import Outcome
from renaissance.compiler.planning.substitution import Substitution
from renaissance.compiler.planning.tracing import trace
from renaissance.grammar.checks.caching import cached_streams
from renaissance.grammar.schema.model import Model

READ_RATE = 2e9
"""Bytes a second that a disk of today gives; the memory of the operating system gives more."""
READ_DELAY = 50e-6
"""Seconds for an image whatever its size: finding, checking and copying its features."""
COMPUTE_RATES = {"cpu": 1e11, "cuda": 1e14}
"""Floating-point operations a second that a few cores, or one GPU, really do in a tower."""
MARGIN = 2.0
"""How many times faster reading must be predicted to be than computing."""

GIBIBYTE = 1024**3


@dataclass(frozen=True, slots=True, kw_only=True)
class Caching:
    """What keeping the features of a stream would cost and save.

    Attributes:
        stream: name of the tower.
        mode: what the spec says.
        limit: most bytes on disk.
        tokens: of an image.
        width: channels of a token.
        value_bytes: of one number.
        flops: forward pass of the tower over one image.
        obstacle: why nothing can be kept in this job, a sentence; None where it can.
    """

    stream: str
    mode: bool | Literal["auto"]
    limit: int
    tokens: int
    width: int
    value_bytes: int
    flops: int
    obstacle: str | None

    @property
    def bytes_per_image(self) -> int:
        """Bytes that are kept of an image."""
        return self.tokens * self.width * self.value_bytes

    def gain(self, device: str) -> float:
        """Return how many times longer computing is predicted to take than reading.

        Args:
            device: `cpu` or `cuda`.
        """
        computing = self.flops / COMPUTE_RATES.get(device, COMPUTE_RATES["cuda"])
        return computing / (READ_DELAY + self.bytes_per_image / READ_RATE)

    def refusal(
        self, device: str, *, images: int | None = None, views: float | None = None
    ) -> str | None:
        """Say why nothing is kept; None where features are kept.

        Args:
            device: `cpu` or `cuda`.
            images: of the job; None where that is not known, as in a plan.
            views: how often the job looks at each of them on average; likewise.
        """
        if self.obstacle is not None:
            return self.obstacle
        if self.mode is True:
            return None
        gain = self.gain(device)
        if gain < MARGIN:
            return f"reading is predicted to take {_times(1 / gain)} as long as computing"
        if views is not None and views < 2:
            return "the job sees most images once"
        if images is not None and images * self.bytes_per_image > self.limit:
            return (
                f"{images:,} images take {images * self.bytes_per_image / GIBIBYTE:.1f} GiB, "
                f"more than `cache_limit = {self.limit / GIBIBYTE:g}`"
            )
        return None


def caching(
    model: VisionLanguageModel, declared: Model, *, precision: str = "fp32", augmented: bool = False
) -> Caching | None:
    """Predict what keeping features would cost and save.

    Args:
        model: as assembled on torch's meta device.
        declared: its declaration.
        precision: of the job's forward pass. In `bf16` and `fp16` two bytes a number are kept: the
            projection behind the tower would round to them anyway.
        augmented: the images of the job change at random.

    Returns:
        None where no vision tower is frozen as a whole for the whole of a job.
    """
    directive, stream = next(
        (
            (directive, stream)
            for directive in declared.freeze
            for stream in cached_streams(directive, declared.streams)
        ),
        (None, ""),
    )
    if directive is None or stream not in model.towers:
        return None
    size = model.towers[stream].facts.image_size or 0
    encoded: list[Tensor] = []

    def run() -> Outcome:
        with torch.no_grad():
            pixels = torch.empty(1, 3, size, size, device="meta")
            encoded.append(model.encode(stream, pixels).tokens)
        return Outcome(results=encoded, kept=[])

    traced = trace(model, run, backward=False, substitution=Substitution("cpu", "fp32"))
    _, tokens, width = encoded[0].shape
    obstacle = None
    if directive.cache is False:
        obstacle = "the spec says `cache = false`"
    elif augmented:
        obstacle = "the job changes its images at random"
    return Caching(
        stream=stream,
        mode=directive.cache,
        limit=round(directive.cache_limit * GIBIBYTE),
        tokens=tokens,
        width=width,
        value_bytes=4 if precision == "fp32" else 2,
        flops=sum(operation.forward for operation in traced.operations),
        obstacle=obstacle,
    )


def _times(ratio: float) -> str:
    return f"{ratio:.1f} times" if ratio < 10 else f"{ratio:.0f} times"

"""What keeping the features of a tower costs and saves, as figures, and when it is worth it."""

from dataclasses import dataclass
from typing import Literal

from renaissance.compiler.amounts import GIBIBYTE, gibibytes
from renaissance.compiler.planning.machines import AUTO_WORKERS, DECODE
from renaissance.grammar.kinds.source import Modality

READ_RATE = 2e9
"""Bytes a second that one process reads, checks and copies. What a job reads again and again stands
mostly in the memory of the operating system, which serves several processes at once."""
READ_DELAY = 50e-6
"""Seconds for an image or a text whatever its size: finding, checking and copying its features."""
COMPUTE_RATES = {"cpu": 1e11, "cuda": 4e14}
"""Floating-point operations a second that a few cores, or one GPU, really do in a tower."""
MARGIN = 2.0
"""How many times faster reading must be predicted to be than computing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caching:
    """What keeping the features of a stream would cost and save.

    Attributes:
        stream: name of the tower.
        modality: what it reads.
        mode: what the spec says.
        limit: most bytes on disk.
        tokens: of an image or a text.
        width: channels of a token.
        value_bytes: of one number.
        flops: forward pass of the tower over one image or text.
        obstacle: why nothing can be kept in this job, a sentence; None where it can.
    """

    stream: str
    modality: Modality
    mode: bool | Literal["auto"]
    limit: int
    tokens: int
    width: int
    value_bytes: int
    flops: int
    obstacle: str | None

    @property
    def inputs(self) -> str:
        """What the tower reads, in a word."""
        return "images" if self.modality == "vision" else "texts"

    @property
    def entry_bytes(self) -> int:
        """Bytes that are kept of an image or a text."""
        return self.tokens * self.width * self.value_bytes

    def gain(self, device: str, workers: int | None = None) -> float:
        """Return how many times longer computing is predicted to take than reading.

        While a GPU computes, other processes decode the next images, or read their features: an
        image takes the longer of both. On a CPU decoded images mostly stay in memory.

        Args:
            device: `cpu` or `cuda`.
            workers: processes that read data; as many as `workers = auto` takes if None.
        """
        if device == "cpu":
            return self.flops / COMPUTE_RATES["cpu"] / self._reading
        processes = max(AUTO_WORKERS["cuda"] if workers is None else workers, 1)
        computing = self.flops / COMPUTE_RATES["cuda"]
        decoding = DECODE / processes if self.modality == "vision" else 0.0
        return max(computing, decoding) / (self._reading / processes)

    @property
    def _reading(self) -> float:
        """Seconds in which one process reads the features of an image or a text."""
        return READ_DELAY + self.entry_bytes / READ_RATE

    def refusal(
        self,
        device: str,
        *,
        workers: int | None = None,
        inputs: int | None = None,
        views: float | None = None,
    ) -> str | None:
        """Say why nothing is kept; None where features are kept.

        Args:
            device: `cpu` or `cuda`.
            workers: processes that read data; as many as `workers = auto` takes if None.
            inputs: distinct images or texts of the job; None where that is not known, as in a plan.
            views: how often the job looks at each of them on average; likewise.
        """
        if self.obstacle is not None:
            return self.obstacle
        if self.mode is True:
            return None
        gain = self.gain(device, workers)
        if gain < MARGIN:
            return f"reading is predicted to take {_times(1 / gain)} as long as computing"
        if views is not None and views < 2:
            return f"the job sees most {self.inputs} once"
        if inputs is not None and inputs * self.entry_bytes > self.limit:
            return (
                f"{inputs:,} {self.inputs} take {gibibytes(inputs * self.entry_bytes)}, "
                f"more than `cache_limit = {self.limit / GIBIBYTE:g}`"
            )
        return None


def _times(ratio: float) -> str:
    return f"{ratio:.1f} times" if ratio < 10 else f"{ratio:.0f} times"

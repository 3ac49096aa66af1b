"""Whether the features of a constant tower are worth keeping: predicted before they are computed.

Keeping can lose: reading the features of a small tower takes longer than computing them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from renaissance.compiler.features import TextInput
from renaissance.compiler.model import VisionLanguageModel
from renaissance.compiler.planning.machines import AUTO_WORKERS, DECODE
from renaissance.compiler.planning.passes import (
    Outcome,
    sample_images,
    sample_texts,
    text_tokens,
)
from renaissance.compiler.planning.substitution import Substitution
from renaissance.compiler.planning.tracing import trace
from renaissance.grammar.checks.caching import cached_streams, change
from renaissance.grammar.schema.jobs import Evaluate, Finetune, Job, Pretrain
from renaissance.grammar.schema.model import Freeze, Model
from renaissance.grammar.schema.streams import Modality

READ_RATE = 2e9
"""Bytes a second that one process reads, checks and copies. What a job reads again and again stands
mostly in the memory of the operating system, which serves several processes at once."""
READ_DELAY = 50e-6
"""Seconds for an image or a text whatever its size: finding, checking and copying its features."""
COMPUTE_RATES = {"cpu": 1e11, "cuda": 4e14}
"""Floating-point operations a second that a few cores, or one GPU, really do in a tower."""
MARGIN = 2.0
"""How many times faster reading must be predicted to be than computing."""

GIBIBYTE = 1024**3


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
                f"{inputs:,} {self.inputs} take {inputs * self.entry_bytes / GIBIBYTE:.1f} GiB, "
                f"more than `cache_limit = {self.limit / GIBIBYTE:g}`"
            )
        return None


def caching(
    model: VisionLanguageModel,
    declared: Model,
    *,
    job: Job | None = None,
    training: Pretrain | Finetune | None = None,
    tokens: int | None = None,
) -> tuple[Caching, ...]:
    """Predict what keeping features would cost and save.

    Args:
        model: as assembled on torch's meta device.
        declared: its declaration.
        job: what is done; None for the model alone.
        training: the job whose heads the model has. Where its forward pass is in `bf16` or `fp16`
            two bytes a number are kept: the projection behind the tower would round to them anyway.
        tokens: mean of a text; as many as the tower takes if None.

    Returns:
        One for each tower that is frozen as a whole for the whole of a job.
    """
    precision = "fp32" if training is None else training.precision
    found = []
    for directive, stream in _cached(declared):
        facts = model.towers[stream].facts
        entry, flops = _encoded(model, stream, tokens)
        obstacle = None
        if directive.cache is False:
            obstacle = "the spec says `cache = false`"
        elif job is not None and not isinstance(job, Evaluate) and change(job, facts.modality):
            obstacle = f"the job {change(job, facts.modality)}"
        elif facts.mixes:
            obstacle = "what it makes of a text depends on the texts beside it"
        found.append(
            Caching(
                stream=stream,
                modality=facts.modality,
                mode=directive.cache,
                limit=round(directive.cache_limit * GIBIBYTE),
                tokens=entry.shape[1],
                width=entry.shape[2],
                value_bytes=4 if precision == "fp32" else 2,
                flops=flops,
                obstacle=obstacle,
            )
        )
    return tuple(found)


def _cached(declared: Model) -> Iterator[tuple[Freeze, str]]:
    """Yield the streams whose features stay the same, each with the first directive about it."""
    seen: set[str] = set()
    for directive in declared.freeze:
        for stream in cached_streams(directive, declared.streams):
            if stream not in seen:
                seen.add(stream)
                yield directive, stream


def _encoded(model: VisionLanguageModel, stream: str, tokens: int | None) -> tuple[Tensor, int]:
    """Return the features of one input, `[1, tokens, width]`, and the operations they take."""
    tower = model.towers[stream]
    encoded: list[Tensor] = []

    def run() -> Outcome:
        inputs: Tensor | TextInput = (
            sample_images(tower, 1)
            if tower.facts.modality == "vision"
            else sample_texts(1, text_tokens(model, tokens), packed=False)
        )
        with torch.no_grad():
            encoded.append(model.encode(stream, inputs).tokens)
        return Outcome(results=encoded, kept=[])

    traced = trace(model, run, backward=False, substitution=Substitution("cpu", "fp32"))
    return encoded[0], sum(operation.forward for operation in traced.operations)


def _times(ratio: float) -> str:
    return f"{ratio:.1f} times" if ratio < 10 else f"{ratio:.0f} times"

"""What a model is asked in one pass: `mlm` and `itm` together, or the answers of a task."""

from dataclasses import dataclass
from functools import reduce

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from renaissance.compiler.features import Features, Reading
from renaissance.compiler.model import VisionLanguageModel
from renaissance.grammar.schema.jobs import Finetune, Pretrain
from renaissance.grammar.schema.model import Model
from renaissance.grammar.schema.streams import modality
from renaissance.runtime.data.assembly import Batch
from renaissance.runtime.data.batch import PartlyEncoded, PretrainBatch, TaskBatch, TextRows
from renaissance.runtime.data.job import UNKNOWN_ANSWER
from renaissance.runtime.features.tower import KnownTower


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """What one head says about its items, and how wrong it is.

    Attributes:
        loss: sum of the cross entropy over the items, float32; 0 where there are none.
        scores: `[items, classes]` float32, detached.
        labels: `[items]` int64.
    """

    loss: Tensor
    scores: Tensor
    labels: Tensor


class Objectives(nn.Module):
    """A model together with the losses of a job.

    Each distinct image of a batch is encoded once, masked and plain texts in one pass, and one
    pass of the fusion serves all objectives.

    Args:
        model: with the job's heads.
        declared: its declaration, which says what each stream reads.
        known: encodes images of which some features are known; None where none are.
    """

    def __init__(
        self, model: VisionLanguageModel, declared: Model, known: KnownTower | None = None
    ) -> None:
        """Find the stream of texts and that of images."""
        super().__init__()
        self._known = known
        self.model = model
        kinds = {modality(stream): name for name, stream in declared.streams.items()}
        self._text, self._vision = kinds["text"], kinds["vision"]

    def forward(self, batch: Batch) -> dict[str, Scored]:
        """Score a batch, by name of the head."""
        if isinstance(batch, TaskBatch):
            return self._answer(batch)
        return self._pretrain(batch)

    def _answer(self, batch: TaskBatch) -> dict[str, Scored]:
        vision = self._encoded(batch.images).select(batch.image_index)
        text = self.model.encode(self._text, batch.text.for_model())
        features = {self._text: text, self._vision: vision}
        reading = Reading(rows=len(batch.labels), tokens=batch.text.tokens)
        (pooled,) = self.model.read(features, [reading])
        return {"answer": _scored(self.model.heads["answer"](pooled), batch.labels)}

    def _encoded(self, images: Tensor | PartlyEncoded) -> Features:
        if isinstance(images, Tensor):
            return self.model.encode(self._vision, images)
        assert self._known is not None  # batches know features only where it is there
        return self._known(images)

    def _pretrain(self, batch: PretrainBatch) -> dict[str, Scored]:
        masked, matching = batch.masked, batch.matching
        rows = len(batch.image_index)
        # Rows of the text pass: masked texts first, then plain ones; pairs of the fusion alike.
        texts, text_index, image_index, readings = [], [], [], []
        if masked is not None:
            texts.append(masked.text)
            text_index.append(torch.arange(rows, device=batch.image_index.device))
            image_index.append(batch.image_index)
            readings.append(
                Reading(
                    rows=rows,
                    stream=self._text,
                    positions=masked.positions,
                    tokens=masked.text.tokens,
                )
            )
        if matching is not None:
            text_index.append(matching.row_index + len(texts) * rows)
            image_index.append(matching.image_index)
            texts.append(batch.text)
            readings.append(Reading(rows=len(matching.labels), tokens=matching.tokens))
        vision = self._encoded(batch.images).select(torch.cat(image_index))
        text = self.model.encode(self._text, reduce(TextRows.followed_by, texts).for_model())
        text = text.select(torch.cat(text_index), sum(reading.tokens for reading in readings))
        read = iter(self.model.read({self._text: text, self._vision: vision}, readings))
        scored = {}
        if masked is not None:
            scored["mlm"] = _scored(self.model.heads["mlm"](next(read)), masked.labels)
        if matching is not None:
            scored["itm"] = _scored(self.model.heads["itm"](next(read)), matching.labels)
        return scored


def _scored(scores: Tensor, labels: Tensor) -> Scored:
    scores = scores.float()
    # The sum over no items is 0 and still reaches the head's parameters, with zero gradients.
    loss = F.cross_entropy(scores, labels, reduction="sum", ignore_index=UNKNOWN_ANSWER)
    return Scored(loss=loss, scores=scores.detach(), labels=labels)


def weights_of(job: Pretrain | Finetune) -> dict[str, float]:
    """Return the factor of each loss in the sum, by name of the head."""
    if isinstance(job, Finetune):
        return {"answer": 1.0}
    return {objective.objective: objective.weight for objective in job.objectives}


def items_of(batch: Batch) -> dict[str, int]:
    """Return how many items each loss of a batch is summed over; the batch is on the CPU."""
    if isinstance(batch, TaskBatch):
        return {"answer": int((batch.labels != UNKNOWN_ANSWER).sum())}
    items = {}
    if batch.masked is not None:
        items["mlm"] = len(batch.masked.labels)
    if batch.matching is not None:
        items["itm"] = len(batch.matching.labels)
    return items

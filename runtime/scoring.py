"""What a model is asked in one pass: `mlm` and `itm` together, or the answers of a task."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from renaissance.compiler.features import Features, Reading
from renaissance.compiler.model import VisionLanguageModel
from renaissance.grammar.kinds.source import modality
from renaissance.grammar.schema.jobs import Finetune, Pretrain
from renaissance.grammar.schema.model import Model
from renaissance.runtime.data.assembly import Batch
from renaissance.runtime.data.batch import (
    PartlyEncoded,
    PartlyEncodedTexts,
    PretrainBatch,
    TaskBatch,
    TextRows,
)
from renaissance.runtime.data.job import UNKNOWN_ANSWER
from renaissance.runtime.data.pixels import Normalisation
from renaissance.runtime.data.streams import image_needs


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

    Each distinct image of a batch is encoded once, masked and plain texts in one pass (plain ones
    apart where their features are kept), and one pass of the fusion serves all objectives.

    Args:
        model: with the job's heads.
        declared: its declaration, which says what each stream reads.

    Attributes:
        known: encodes inputs of which some features are known, by name of the stream; empty where
            no features are kept.
    """

    def __init__(self, model: VisionLanguageModel, declared: Model) -> None:
        """Find the stream of texts and that of images."""
        super().__init__()
        self.model = model
        kinds = {modality(stream): name for name, stream in declared.streams.items()}
        self._text, self._vision = kinds["text"], kinds["vision"]
        needs = image_needs(declared)
        self._normalised = Normalisation(needs.mean, needs.std)
        self.known: Mapping[str, Callable[..., Features]] = {}

    def forward(self, batch: Batch) -> dict[str, Scored]:
        """Score a batch, by name of the head."""
        if isinstance(batch, TaskBatch):
            return self._answer(batch)
        return self._pretrain(batch)

    def _answer(self, batch: TaskBatch) -> dict[str, Scored]:
        vision = self._images(batch.images).select(batch.image_index)
        text = self._texts([batch.text] if batch.known is None else [], batch.known)
        features = {self._text: text, self._vision: vision}
        reading = Reading(rows=len(batch.labels), tokens=batch.text.tokens)
        (pooled,) = self.model.read(features, [reading])
        return {"answer": _scored(self.model.heads["answer"](pooled), batch.labels)}

    def _images(self, images: Tensor | PartlyEncoded) -> Features:
        if isinstance(images, Tensor):
            return self.model.encode(self._vision, self._normalised(images))
        return self.known[self._vision](replace(images, pixels=self._normalised(images.pixels)))

    def _texts(self, texts: Sequence[TextRows], known: PartlyEncodedTexts | None) -> Features:
        """Encode texts in one pass, and those of which some features are known behind them."""
        encoded: list[Features] = []
        if texts:
            rows = reduce(TextRows.followed_by, texts)
            encoded.append(self.model.encode(self._text, rows.for_model()))
        if known is not None:
            encoded.append(self.known[self._text](known))
        return reduce(Features.followed_by, encoded)

    def _pretrain(self, batch: PretrainBatch) -> dict[str, Scored]:
        masked, matching = batch.masked, batch.matching
        rows = len(batch.image_index)
        # Rows of texts: masked ones first, then plain ones; pairs of the fusion alike.
        texts, text_index, image_index, readings = [], [], [], []
        known = None
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
            known = batch.known
            if known is None:
                texts.append(batch.text)
            readings.append(Reading(rows=len(matching.labels), tokens=matching.tokens))
        vision = self._images(batch.images).select(torch.cat(image_index))
        text = self._texts(texts, known)
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

"""The passes that a job makes through its model, on inputs without contents."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from renaissance.compiler.backbones.tower import Tower
from renaissance.compiler.features import Features, Reading
from renaissance.compiler.model import VisionLanguageModel
from renaissance.grammar.schema.jobs import Evaluate, Finetune, Job, Pretrain

_GROUPS = 8
"""Images of the batch that a pass is counted on."""

_SPECIAL_TOKENS = 2
"""Tokens at the ends of a text that are never masked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """A pass and what it is about.

    Attributes:
        texts: samples that its figures are divided by.
        run: makes the pass and returns what losses are computed from.
    """

    texts: int
    run: Callable[[], list[Tensor]]


def sample_pass(model: VisionLanguageModel) -> Pass:
    """Return one forward pass over one sample, all outputs read."""

    def run() -> list[Tensor]:
        inputs = {name: _inputs(tower, 1) for name, tower in model.towers.items()}
        output = model(**inputs)
        return [*output.streams.values(), output.pooled]

    return Pass(texts=1, run=run)


def job_pass(model: VisionLanguageModel, job: Job, training: Pretrain | Finetune) -> Pass:
    """Return the passes of one training step, or of one batch of an evaluation.

    Each image is encoded once, masked and plain texts in one pass of the text tower, and one pass
    of the fusion serves all objectives. Texts have their full length, images `texts_per_image`
    texts each, and evaluations one.
    """
    if isinstance(job, Evaluate):
        return Pass(texts=1, run=lambda: _answer(model, 1, 1))
    texts = _GROUPS * job.texts_per_image
    if isinstance(training, Finetune):
        return Pass(texts=texts, run=lambda: _answer(model, texts, _GROUPS))
    return Pass(texts=texts, run=lambda: _pretrain(model, training, texts))


def _answer(model: VisionLanguageModel, texts: int, images: int) -> list[Tensor]:
    features = {
        name: _encode(model, name, texts if tower.facts.modality == "text" else images, texts)
        for name, tower in model.towers.items()
    }
    (pooled,) = model.read(features, [Reading(rows=texts)])
    return [model.heads["answer"](pooled)]


def _pretrain(model: VisionLanguageModel, job: Pretrain, texts: int) -> list[Tensor]:
    masking = next((item for item in job.objectives if item.objective == "mlm"), None)
    matching = next((item for item in job.objectives if item.objective == "itm"), None)
    pairs = (1 + matching.negatives) * texts if matching else 0
    masked_rows = texts if masking else 0
    passes = bool(masking) + bool(matching)
    text_name = ""
    features = {}
    for name, tower in model.towers.items():
        if tower.facts.modality == "text":
            text_name = name
            features[name] = _encode(model, name, passes * texts, masked_rows + pairs)
        else:
            features[name] = _encode(model, name, _GROUPS, masked_rows + pairs)
    readings = []
    if masking:
        words = texts * max((model_tokens(model, text_name) - _SPECIAL_TOKENS), 1)
        chosen = max(round(masking.probability * words), 1)
        readings.append(Reading(rows=texts, stream=text_name, positions=_index(chosen)))
    if matching:
        readings.append(Reading(rows=pairs))
    read = iter(model.read(features, readings))
    results = []
    if masking:
        results.append(model.heads["mlm"](next(read)))
    if matching:
        results.append(model.heads["itm"](next(read)))
    return results


def model_tokens(model: VisionLanguageModel, name: str) -> int:
    """Return the longest text of a stream, tokens."""
    return model.towers[name].facts.max_tokens or 0


def _encode(model: VisionLanguageModel, name: str, rows: int, gathered: int) -> Features:
    features = model.encode(name, _inputs(model.towers[name], rows))
    return features.select(_index(gathered))


def _index(rows: int) -> Tensor:
    return torch.zeros(rows, dtype=torch.long, device="meta")


def _inputs(tower: Tower, rows: int) -> dict[str, Tensor | None] | Tensor:
    facts = tower.facts
    if facts.modality == "vision":
        size = facts.image_size or 0
        return torch.empty(rows, 3, size, size, device="meta")
    ids = torch.zeros(rows, facts.max_tokens or 0, dtype=torch.long, device="meta")
    return {"input_ids": ids, "attention_mask": None}

"""The passes that a job makes through its model, on inputs without contents."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from math import ceil

import torch
from torch import Tensor
from torch.nn import functional as F

from renaissance.compiler.errors import CompileError
from renaissance.compiler.features import Features, Reading, TextInput
from renaissance.compiler.model import VisionLanguageModel
from renaissance.compiler.model.tower import Tower
from renaissance.compiler.packing import Packing
from renaissance.compiler.planning.figures import TowerRuns
from renaissance.grammar.schema.jobs import Evaluate, Finetune, Job, Pretrain
from renaissance.runtime.objectives.itm.schema import Itm
from renaissance.runtime.objectives.mlm.schema import Mlm

_SPECIAL_TOKENS = 2
"""Tokens at the ends of a text that are never masked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a pass leaves.

    Attributes:
        results: what the backward pass starts from.
        kept: what outlives the backward pass.
    """

    results: list[Tensor]
    kept: list[Tensor]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """A pass and what it is about.

    Attributes:
        texts: samples that its figures are divided by.
        towers: how often each tower runs.
        images: by stream, as bytes.
        run: makes the pass.
    """

    texts: int
    towers: tuple[TowerRuns, ...]
    images: Mapping[str, Tensor]
    run: Callable[[], Outcome]


def sample_pass(model: VisionLanguageModel, tokens: int | None) -> Pass:
    """Return one forward pass over one sample, all outputs read.

    Raises:
        CompileError: if no text of the model can have as many tokens.
    """
    length = text_tokens(model, tokens)
    towers = tuple(TowerRuns(stream=name, rows=1, unshared=1) for name in model.towers)
    images = _images(model, towers)

    def run() -> Outcome:
        texts = {
            name: sample_texts(1, length, packed=False)
            for name in model.towers
            if name not in images
        }
        output = model(**texts, **images)
        return Outcome(results=[*output.streams.values(), output.pooled], kept=[])

    return Pass(texts=1, towers=towers, images=images, run=run)


def job_pass(
    model: VisionLanguageModel,
    job: Job,
    training: Pretrain | Finetune,
    tokens: int | None,
    *,
    packed: bool,
) -> Pass:
    """Return the pass of a micro-batch, or of a batch of an evaluation.

    Each image is encoded once, masked and plain texts in one pass of the text tower, and one pass
    of the fusion serves all objectives.

    Args:
        model: with the heads of the job.
        job: what is done.
        training: the job that its heads come from.
        tokens: of each text; as many as the tower takes if None.
        packed: texts come one behind the other, as they do in training, where nobody knows that
            they are of one length: what cannot read them so copies them into rows.
    """
    length = text_tokens(model, tokens)
    texts = job.batch if isinstance(job, Evaluate) else min(job.micro_batch or job.batch, job.batch)
    masking, matching = _objectives(training)
    distinct = texts if isinstance(job, Evaluate) else _distinct_images(job, texts, matching)
    pairs = (1 + matching.negatives) * texts if matching else 0
    unshared = texts if isinstance(training, Finetune) else (texts if masking else 0) + pairs
    passes = 1 if isinstance(training, Finetune) else bool(masking) + bool(matching)
    towers = tuple(
        TowerRuns(
            stream=name,
            rows=passes * texts if tower.facts.modality == "text" else distinct,
            unshared=unshared,
        )
        for name, tower in model.towers.items()
    )
    images = _images(model, towers, torch.uint8)

    def run() -> Outcome:
        features = {}
        for name in model.towers:
            inputs: Tensor | TextInput = (
                _normalised(images[name])
                if name in images
                else sample_texts(passes * texts, length, packed=packed)
            )
            encoded = model.encode(name, inputs)
            features[name] = encoded.select(_index(unshared), unshared * length)
        if isinstance(training, Finetune):
            (pooled,) = model.read(features, [Reading(rows=texts, tokens=texts * length)])
            return _scored([model.heads["answer"](pooled)])
        return _pretrain(model, features, masking, texts, pairs, length)

    return Pass(texts=texts, towers=towers, images=images, run=run)


def text_tokens(model: VisionLanguageModel, tokens: int | None) -> int:
    """Return the tokens that each text is counted with.

    Raises:
        CompileError: if no text of the model can have as many.
    """
    longest = max((tower.facts.max_tokens or 0 for tower in model.towers.values()), default=0)
    if tokens is None:
        return longest
    if not 1 <= tokens <= longest:
        raise CompileError(
            f"a text of model `{model.name}` has 1 to {longest} tokens, so {tokens} cannot be "
            "their mean; `renaissance data` shows it"
        )
    return tokens


def _objectives(training: Pretrain | Finetune) -> tuple[Mlm | None, Itm | None]:
    items = training.objectives if isinstance(training, Pretrain) else ()
    masking = next((item for item in items if isinstance(item, Mlm)), None)
    return masking, next((item for item in items if isinstance(item, Itm)), None)


def _distinct_images(job: Pretrain | Finetune, texts: int, matching: Itm | None) -> int:
    """Return the distinct images of a micro-batch: its own, and the others that texts are shown."""
    own = ceil(texts / job.texts_per_image)
    if matching is None:
        return own
    drawn = matching.negatives * texts
    if matching.draw == "data":
        return own + drawn
    # What is drawn from images of other micro-batches comes on top; some are drawn twice.
    others = ceil(job.batch / job.texts_per_image) - own
    missed = (1 - 1 / (own + others - 1)) ** drawn if others else 1.0
    return own + round(others * (1 - missed))


def _pretrain(
    model: VisionLanguageModel,
    features: dict[str, Features],
    masking: Mlm | None,
    texts: int,
    pairs: int,
    tokens: int,
) -> Outcome:
    readings = []
    if masking:
        name = next(name for name, tower in model.towers.items() if tower.facts.modality == "text")
        words = texts * max(tokens - _SPECIAL_TOKENS, 1)
        chosen = max(round(masking.probability * words), 1)
        places = _index(chosen)
        readings.append(Reading(rows=texts, stream=name, positions=places, tokens=texts * tokens))
    if pairs:
        readings.append(Reading(rows=pairs, tokens=pairs * tokens))
    read = iter(model.read(features, readings))
    scores = [model.heads["mlm"](next(read))] if masking else []
    return _scored([*scores, model.heads["itm"](next(read))] if pairs else scores)


def _scored(scores: list[Tensor]) -> Outcome:
    """Return the losses of scores; the scores stay, because accuracies are made from them."""
    kept = [part.float() for part in scores]
    losses = [F.cross_entropy(part, _index(len(part)), reduction="sum") for part in kept]
    return Outcome(results=losses, kept=[part.detach() for part in kept])


def _index(rows: int) -> Tensor:
    return torch.zeros(rows, dtype=torch.long, device="meta")


def _images(
    model: VisionLanguageModel, towers: Iterable[TowerRuns], dtype: torch.dtype = torch.float32
) -> dict[str, Tensor]:
    return {
        runs.stream: sample_images(model.towers[runs.stream], runs.rows, dtype)
        for runs in towers
        if model.towers[runs.stream].facts.modality == "vision"
    }


def sample_images(tower: Tower, rows: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """Return images without contents, as a tower reads them or as bytes."""
    size = tower.facts.image_size or 0
    return torch.empty(rows, 3, size, size, dtype=dtype, device="meta")


def _normalised(images: Tensor) -> Tensor:
    """Return bytes as numbers, as the device makes them of a batch."""
    factor = torch.empty(1, 3, 1, 1, device="meta")
    return images.float().mul_(factor).add_(factor)


def sample_texts(rows: int, tokens: int, *, packed: bool) -> TextInput:
    """Return texts of one length without contents."""
    if not packed:
        return TextInput(input_ids=torch.zeros(rows, tokens, dtype=torch.long, device="meta"))
    cumulative = torch.zeros(rows + 1, dtype=torch.int32, device="meta")
    packing = Packing(cumulative=cumulative, longest=tokens)
    return TextInput(input_ids=_index(rows * tokens), packing=packing)

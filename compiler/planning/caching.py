"""Whether the features of a constant tower are worth keeping: predicted before they are computed.

Keeping can lose: reading the features of a small tower takes longer than computing them.
"""

import torch
from torch import Tensor

from renaissance.compiler.amounts import GIBIBYTE
from renaissance.compiler.batch import RegionRows
from renaissance.compiler.model import VisionLanguageModel
from renaissance.compiler.model.inputs import TextInput
from renaissance.compiler.model.tower import TowerFacts
from renaissance.compiler.planning.benefit import Caching
from renaissance.compiler.planning.passes import (
    Outcome,
    sample_images,
    sample_texts,
    text_tokens,
)
from renaissance.compiler.planning.substitution import Substitution
from renaissance.compiler.planning.tracing import trace
from renaissance.grammar.checks.caching import change, kept_streams
from renaissance.grammar.kinds.source import Modality
from renaissance.grammar.schema.jobs import Evaluate, Finetune, Job, Pretrain
from renaissance.grammar.schema.model import Freeze, Model

Known = dict[tuple[str, str, int | None], tuple[tuple[int, ...], int]]
"""Shapes of features and operations of one input, by model as declared, stream and tokens."""


def caching(
    model: VisionLanguageModel,
    declared: Model,
    *,
    job: Job | None = None,
    training: Pretrain | Finetune | None = None,
    tokens: int | None = None,
    known: Known | None = None,
) -> tuple[Caching, ...]:
    """Predict what keeping features would cost and save.

    Args:
        model: as assembled on torch's meta device.
        declared: its declaration.
        job: what is done; None for the model alone.
        training: the job whose heads the model has. Where its forward pass is in `bf16` or `fp16`
            two bytes a number are kept: the projection behind the tower would round to them anyway.
        tokens: mean of a text; as many as the tower takes if None.
        known: what was found of towers before; takes in what is found.

    Returns:
        One for each tower that is frozen as a whole for the whole of a job.
    """
    precision = "fp32" if training is None else training.precision
    known = {} if known is None else known
    same = declared.model_dump_json(exclude={"freeze"})
    found = []
    for directive, stream in kept_streams(declared):
        facts = model.towers[stream].facts
        key = (same, stream, tokens)
        if key not in known:
            known[key] = _encoded(model, stream, tokens)
        shape, flops = known[key]
        changes = _changes(job, training, facts.modality)
        found.append(
            Caching(
                stream=stream,
                modality=facts.modality,
                mode=directive.cache,
                limit=round(directive.cache_limit * GIBIBYTE),
                tokens=shape[1],
                width=shape[2],
                value_bytes=4 if precision == "fp32" else 2,
                flops=flops,
                obstacle=_obstacle(directive, facts, declared, changes),
            )
        )
    return tuple(found)


def _obstacle(
    directive: Freeze, facts: TowerFacts, declared: Model, changes: str | None
) -> str | None:
    """Say why the features of a tower are not kept, whose inputs a job may change."""
    if directive.cache is False:
        return "the spec says `cache = false`"
    if changes:
        return f"the job {changes}"
    if facts.modality == "vision" and len(declared.vision) > 1:
        return "the model has several streams of images"
    return "what it makes of a text depends on the texts beside it" if facts.mixes else None


def _changes(
    job: Job | None, training: Pretrain | Finetune | None, modality: Modality
) -> str | None:
    """Say what a job does to its inputs; an evaluation does to texts what its training does."""
    if job is None or training is None:
        return None
    if not isinstance(job, Evaluate):
        return change(job, modality)
    return change(training, modality) if modality == "text" else None


def _encoded(
    model: VisionLanguageModel, stream: str, tokens: int | None
) -> tuple[tuple[int, ...], int]:
    """Return the shape of the features of one input, and the operations they take."""
    tower = model.towers[stream]
    encoded: list[Tensor] = []

    def run() -> Outcome:
        inputs: Tensor | RegionRows | TextInput = (
            sample_images(tower, 1)
            if tower.facts.modality == "vision"
            else sample_texts(1, text_tokens(model, tokens), packed=False)
        )
        with torch.no_grad():
            encoded.append(model.encode(stream, inputs).tokens)
        return Outcome(results=encoded, kept=[])

    traced = trace(model, run, backward=False, substitution=Substitution("cpu", "fp32"))
    return tuple(encoded[0].shape), sum(operation.forward for operation in traced.operations)

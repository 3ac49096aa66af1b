"""From a spec to a model in memory."""

import threading
from collections.abc import Mapping

import torch
from torch import nn

from renaissance.compiler import freeze
from renaissance.compiler.adapter_proof import check_called
from renaissance.compiler.adapters import add_adapters
from renaissance.compiler.asked import check_asked
from renaissance.compiler.backbones.sources import build_embedding, build_stack, build_tower
from renaissance.compiler.errors import CompileError
from renaissance.compiler.heads import job_heads
from renaissance.compiler.lowering.context import Context
from renaissance.compiler.lowering.implementations import check_head_widths
from renaissance.compiler.lowering.lowerings import OF_MODELS, lower
from renaissance.compiler.model import VisionLanguageModel
from renaissance.compiler.model.heads import Heads
from renaissance.compiler.model.pool import Pool
from renaissance.compiler.model.tower import Stacked, Tower, first_streams
from renaissance.compiler.published.naming import Roles
from renaissance.compiler.published.starting import start_from_published
from renaissance.grammar.encoder_folder import FolderError
from renaissance.grammar.kinds.fusion import FusionBlock, FusionLayers
from renaissance.grammar.kinds.registry import facet
from renaissance.grammar.kinds.source import is_embedding
from renaissance.grammar.names import listing
from renaissance.grammar.schema.jobs import Finetune, Pretrain
from renaissance.grammar.schema.model import Model
from renaissance.grammar.schema.spec import Spec

_ONE_AT_A_TIME = threading.RLock()


def build(spec: Spec, model: str | None = None, job: str | None = None) -> VisionLanguageModel:
    """Build a model of a spec, initialised and frozen as it says for the first step.

    With a job, what none of its heads reads is held too.

    The same spec gives the same weights: the seed of the job (0 without a job) decides them, and
    the caller's random state is left as it was. Threads take turns.

    Args:
        spec: a resolved spec.
        model: name of the model; needed where there are several and no job is named.
        job: adds the heads of this job and applies its own changes to the model.

    Raises:
        CompileError: if there is no such model or job, or it cannot be built.
    """
    declared, training = _declared(spec, model, job)
    # Weights are drawn from torch's one generator, and libraries are switched, for all threads.
    with _ONE_AT_A_TIME, torch.random.fork_rng(devices=[]):
        torch.manual_seed(training.seed if training else 0)
        built = assemble(declared, training, weights=True)
    freeze.resolve(built, declared.frozen).apply(built, 0, 1)
    return built


def assemble(
    declared: Model, training: Pretrain | Finetune | None, *, weights: bool
) -> VisionLanguageModel:
    """Put a model together, lowered unless it says `lower = none`, with nothing frozen.

    Args:
        declared: its declaration.
        training: the job whose heads it gets.
        weights: load pretrained weights; without, only shapes count.
    """
    try:
        with _ONE_AT_A_TIME:
            streams, fusion = _encoder(declared, weights=weights)
    except FolderError as error:
        raise CompileError(str(error)) from None
    _check_pool(declared, streams)
    widths: Mapping[str, int] = fusion.widths  # type: ignore[assignment]
    texts = [name for name, tower in streams.items() if tower.facts.modality == "text"]
    pool = Pool(declared.pool, widths, declared.pooler, texts)
    heads = Heads() if training is None else _heads(declared, training, streams, widths, pool.width)
    model = VisionLanguageModel(
        name=declared.name,
        streams=streams,
        fusion=fusion,
        anatomy=declared.anatomy(() if training is None else training.heads()),
        pool=pool,
        heads=heads,
    )
    if declared.weights is not None:
        first, *_ = declared.vision
        text = next(name for name in declared.fusion.inputs if name not in declared.vision)
        roles = Roles(text=text, vision=first)
        model.started = start_from_published(model, declared.weights, roles, weights=weights)
    # Drawn last: everything else starts as it does without them.
    if declared.adapt:
        add_adapters(model, declared.adapt)
        check_called(model)
    if declared.lowers:
        with _ONE_AT_A_TIME:
            lower(model, Context(attention=declared.attention), OF_MODELS)
        check_head_widths(model)
    for address, tower in streams.items():
        tower.settle(address)
    return model


def _heads(
    declared: Model,
    training: Pretrain | Finetune,
    streams: Mapping[str, Tower],
    widths: Mapping[str, int],
    pooled_width: int,
) -> Heads:
    """Return the heads of a job; `widths` are those of the streams behind the fusion."""
    texts = [name for name, tower in streams.items() if tower.facts.modality == "text"]
    shown = [name for name in streams if name not in texts]
    space = declared.fusion.space
    alone = {
        name: widths[name] if declared.fusion.encodes(name) else tower.facts.width
        for name, tower in streams.items()
    }
    return job_heads(
        training,
        text_width=widths[texts[0]] if texts else 0,
        lone_width=alone[texts[0]] if texts else 0,
        stream_widths={name: space or alone[name] for name in first_streams(streams)},
        space=space,
        vocabulary=streams[texts[0]].facts.vocabulary or 0 if texts else 0,
        words=streams[texts[0]].words() if texts else None,
        pooled_width=pooled_width,
        vision=streams[shown[0]].facts if shown else None,
        vision_width=widths[shown[0]] if shown else 0,
        images_a_pair=declared.images_a_pair,
    )


def _check_pool(declared: Model, streams: Mapping[str, Tower]) -> None:
    """Refuse to pool a first token that is no class token."""
    if declared.pool not in ("cls", "first", "last"):
        return
    inputs = declared.fusion.inputs
    for name in inputs[:1] if declared.pool == "first" else inputs:
        facts = streams[name].facts
        if facts.modality == "vision" and not facts.class_token:
            raise CompileError(
                f"`pool = {declared.pool}` needs a class token, and `{name}` has none; write "
                "`pool = mean`"
            )


def _encoder(declared: Model, *, weights: bool) -> tuple[dict[str, Tower], nn.Module]:
    """Return the streams by name, and what joins them."""
    fusion, root, attention = declared.fusion, declared.fusion_name, declared.attention_taken
    stack = None
    if fusion.stack is not None:
        stack = build_stack(fusion.stack, root, attention=attention, weights=weights)
    streams: dict[str, Tower] = {}
    for name in fusion.inputs:
        stream = declared.streams[name]
        if is_embedding(stream):
            width, dropout = _of_layers(fusion, stack)
            streams[name] = build_embedding(
                stream, name, stack_width=width, dropout=dropout, weights=weights
            )
        else:
            streams[name] = build_tower(stream, name, attention=attention, weights=weights)
    facts = {name: tower.facts for name, tower in streams.items()}
    joined: nn.Module = facet(fusion, "module").build(fusion, facts, address=root, stack=stack)
    if weights and fusion.weights_of is not None:
        facet(fusion, "module").load(fusion, joined, root)
    return streams, joined


def _of_layers(fusion: FusionBlock, stack: Stacked | None) -> tuple[int, float]:
    """Return channels and dropout of the layers that embeddings stand in front of."""
    if stack is not None:
        return stack.facts.width, stack.dropout
    if not isinstance(fusion, FusionLayers):
        raise CompileError(
            f"`{fusion.word()}` has no layers that embeddings could stand in front of"
        )
    return fusion.width, fusion.dropout


def _declared(
    spec: Spec, model: str | None, job: str | None
) -> tuple[Model, Pretrain | Finetune | None]:
    if job is not None:
        check_asked(spec, (job,))
        return spec.model_of(job), spec.training_job(job)
    if model is None:
        if len(spec.models) != 1:
            raise CompileError(f"which model is meant? models are {listing(spec.models)}")
        return next(iter(spec.models.values())), None
    check_asked(spec, model=model)
    return spec.models[model], None

"""What a job puts on top of a model, as its objectives or its task declare it."""

from collections.abc import Mapping
from typing import TypeAlias

from torch import nn

from renaissance.compiler.errors import CompileError
from renaissance.compiler.model.heads import Heads, LinearHead, LmHead, MlpHead, TiedLmHead
from renaissance.compiler.model.tower import TowerFacts
from renaissance.grammar.kinds.data import TaskBlock
from renaissance.grammar.kinds.head import Head
from renaissance.grammar.kinds.objective import ObjectiveBlock
from renaissance.grammar.kinds.registry import facet
from renaissance.grammar.record import replace
from renaissance.grammar.schema.jobs import Finetune, Pretrain

Kind: TypeAlias = ObjectiveBlock | TaskBlock
"""What a model is asked."""


def kinds_of(job: Pretrain | Finetune) -> dict[str, Kind]:
    """Return the objectives of a job, or its task, by name of the head, as they are declared."""
    if isinstance(job, Finetune):
        return {job.task.head_name(): job.task}
    return {objective.head_name(): objective for objective in job.objectives}


def job_heads(
    job: Pretrain | Finetune,
    *,
    text_width: int,
    lone_width: int,
    stream_widths: Mapping[str, int],
    space: int | None,
    vocabulary: int,
    words: nn.Embedding | None,
    pooled_width: int,
    vision: TowerFacts | None = None,
    vision_width: int = 0,
    images_a_pair: int = 1,
) -> Heads:
    """Return the heads that a job trains, by name.

    Args:
        job: its objectives or its task decide.
        text_width: channels of the text stream after fusion.
        lone_width: channels of the text stream before fusion.
        stream_widths: channels of the vector of each stream before fusion, by its name.
        space: the same where the fusion has a space of its own; None elsewhere.
        vocabulary: word pieces of the text stream.
        words: their embeddings; None where the stream has none that can be told.
        pooled_width: channels of the pooled vector.
        vision: what is known of the first stream of images; None without one.
        vision_width: channels of it after fusion.
        images_a_pair: that the model reads beside a text at once, so that fewer pooled vectors are
            read as one.

    Raises:
        CompileError: if one of them needs what a step does not offer, is tied to nothing, or reads
            other numbers of images.
    """
    widths = {"tokens": text_width, "text": lone_width, "pooled": pooled_width}
    kinds = kinds_of(job)
    declared = {name: _declared(kind, images_a_pair) for name, kind in kinds.items()}
    modules: dict[str, nn.Module] = {}
    for name, head in declared.items():
        if head.reads == "streams":
            modules[name] = facet(kinds[name], "head").build(kinds[name], stream_widths, space)
        elif head.reads == "patches":
            modules[name] = _of_patches(kinds[name], head, vision_width, vision)
        elif head.tied:
            modules[name] = _tied(name, widths[head.reads], words)
        else:
            modules[name] = _built(kinds[name], head, widths[head.reads], vocabulary)
    return Heads(modules, declared)


def _declared(kind: Kind, images_a_pair: int) -> Head:
    """Return the head of a kind.

    Its loss is a sum over what the head says of each item; one that compares all rows of a step
    reads one vector of each stream.
    """
    head = kind.head()
    compares = getattr(kind, "scope", "item") == "global_batch"
    if head is None or compares != (head.reads == "streams"):
        raise CompileError(
            f"`{kind.word()}` compares all rows of a step, which is offered to heads that read "
            "one vector of each stream before the fusion"
            if compares
            else f"`{kind.word()}` has no head that scores items one by one"
        )
    if head.views % images_a_pair:
        raise CompileError(
            f"`{kind.word()}` shows a text with {head.views} at a time of the {images_a_pair} "
            "images that the model reads at once"
        )
    return replace(head, views=head.views // images_a_pair)


def _of_patches(kind: Kind, head: Head, width: int, vision: TowerFacts | None) -> nn.Module:
    if head.predicts == "regions":
        if vision is None or vision.channels is None:
            raise CompileError(f"`{kind.word()}` predicts regions, and the model reads none")
        of_regions: nn.Module = facet(kind, "head").build(kind, width, vision.channels)
        return of_regions
    if vision is None or not vision.grid or not vision.image_size:
        raise CompileError(f"`{kind.word()}` predicts patches, and the model has no grid of them")
    side = vision.image_size // vision.grid
    outputs = 3 * side * side if head.predicts == "pixels" else vision.width
    built: nn.Module = facet(kind, "head").build(kind, width, outputs, vision.width)
    return built


def _tied(name: str, width: int, words: nn.Embedding | None) -> nn.Module:
    if words is None:
        raise CompileError(
            f"the head `{name}` is tied to the word embeddings of the text stream, which has none; "
            "write `decoder = own`"
        )
    return TiedLmHead(width, words)


def _built(kind: Kind, head: Head, width: int, vocabulary: int) -> nn.Module:
    """Build a head that reads vectors of a width, several of them where it has several views."""
    outputs = vocabulary if head.outputs is None else head.outputs
    read = (width + head.numbers) * head.views
    if head.form == "lm":
        return LmHead(width, outputs)
    if head.form == "linear":
        return LinearHead(read, outputs)
    if head.form == "mlp":
        return MlpHead(read, 2 * width, outputs)
    built: nn.Module = facet(kind, "head").build(kind, read, outputs)
    return built

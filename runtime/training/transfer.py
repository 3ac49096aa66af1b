"""Starting a job from the weights of another one: what is taken, dropped, resized, drawn anew."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from torch import Tensor

from renaissance.compiler.backbones.positions import fit_positions
from renaissance.compiler.errors import BackboneError
from renaissance.compiler.model import VisionLanguageModel
from renaissance.compiler.model.tower import Tower
from renaissance.grammar.names import FEW, listing
from renaissance.runtime.checkpoint import Checkpoint, Reference, State
from renaissance.runtime.errors import CheckpointError
from renaissance.runtime.training.adapting import with_adapters
from renaissance.runtime.weights import (
    Differences,
    copy_into,
    differences,
    model_tensors,
)

HEADS = "heads."


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """What became of the weights of a source.

    Attributes:
        taken: tensors that were loaded.
        referenced: tensors that the source leaves to the same pretrained backbone.
        dropped: names of heads that the new job does not have.
        inherited: by name of a head, the head of the source that it starts from, and which output.
        initialised: names of heads that the source does not have, or of another size.
        notes: sentences on position embeddings that were resized, and on adapters.
        averaged: those that the source learned are averages over its steps.
    """

    taken: int
    referenced: int
    dropped: tuple[str, ...]
    inherited: Mapping[str, tuple[str, int]]
    initialised: tuple[str, ...]
    notes: tuple[str, ...]
    averaged: bool = False

    def sentences(self, source: str) -> tuple[str, ...]:
        """Say it in words."""
        sentences = [f"{self.taken + self.referenced} tensors start from job `{source}`"]
        if self.averaged:
            sentences.append(f"what job `{source}` learned is taken as the average over its steps")
        sentences += [
            f"the head `{head}` starts from output {output} of the head `{other}` of job `{source}`"
            for head, (other, output) in self.inherited.items()
        ]
        if self.dropped:
            sentences.append(
                f"the heads {listing(self.dropped, most=FEW)} of job `{source}` are not needed"
            )
        if self.initialised:
            sentences.append(
                f"the heads {listing(self.initialised, most=FEW)} start from random weights"
            )
        return (*sentences, *self.notes)


def start_from(
    model: VisionLanguageModel, checkpoint: Checkpoint, references: Mapping[str, Reference]
) -> Transfer:
    """Load everything but heads from the checkpoint of another job.

    Heads of the same name and size are taken over too.

    Args:
        model: as built for the new job.
        checkpoint: of the source.
        references: pretrained backbones of the new model, by root address.

    Raises:
        CheckpointError: if other tensors than heads and positions differ.
    """
    source = checkpoint.state.job
    before, now = differing_references(checkpoint.state, model, references)
    if before != now:
        raise CheckpointError(
            f"job `{source}` was trained on other pretrained weights than the model has now: "
            f"{_in_words(before)} instead of {_in_words(now)}"
        )
    adapted, said = with_adapters(model, checkpoint.measured)
    given, inherited = with_inherited(model, adapted)
    weights = _weights(model, given, absent=checkpoint.state.referenced)
    if weights.unfit:
        raise CheckpointError(
            f"the weights of job `{source}` do not fit model `{model.name}`: {weights.unfit}"
        )
    copy_into(model, weights.usable)
    of_source = {_head(name) for name in checkpoint.model if name.startswith(HEADS)}
    own = {_head(name) for name in model_tensors(model)[0] if name.startswith(HEADS)}
    return Transfer(
        taken=len(weights.usable),
        referenced=len(checkpoint.state.referenced),
        dropped=tuple(sorted(of_source - own - {other for other, _ in inherited.values()})),
        inherited=inherited,
        initialised=tuple(sorted(weights.fresh)),
        notes=(*weights.notes, *said),
        averaged=bool(checkpoint.average),
    )


def with_inherited(
    model: VisionLanguageModel, given: Mapping[str, Tensor]
) -> tuple[dict[str, Tensor], dict[str, tuple[str, int]]]:
    """Add heads that start from an output of another head, as their declaration says.

    Args:
        model: as built for the new job.
        given: tensors of the source.

    Returns:
        The tensors with those of such heads, and what these were made of, by name of the head.
    """
    tensors, inherited = dict(given), {}
    for head, declared in model.heads.declared.items():
        mine = f"{HEADS}{head}."
        if declared.inherits is None or any(name.startswith(mine) for name in given):
            continue
        other, output = declared.inherits
        theirs = f"{HEADS}{other}."
        found = {
            mine + name.removeprefix(theirs): tensor[output : output + 1]
            for name, tensor in given.items()
            if name.startswith(theirs)
        }
        if found:
            tensors |= found
            inherited[head] = declared.inherits
    return tensors, inherited


def check_transfer(model: VisionLanguageModel, source: VisionLanguageModel) -> None:
    """Make sure that a model can start from the weights of another one, before there are any.

    Args:
        model: as assembled on torch's meta device.
        source: likewise.

    Raises:
        CheckpointError: if other tensors than heads and positions differ.
    """
    unfit = _weights(model, with_adapters(model, model_tensors(source)[0])[0]).unfit
    if unfit:
        raise CheckpointError(f"the weights do not fit model `{model.name}`: {unfit}")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Weights:
    """What a model can take of the weights of another one.

    Attributes:
        usable: tensors by name, positions resized.
        fresh: names of heads that start anew.
        unfit: what does not fit; empty if all does.
        notes: sentences on position embeddings that were resized.
    """

    usable: dict[str, Tensor]
    fresh: set[str]
    unfit: Differences
    notes: tuple[str, ...]


def _weights(
    model: VisionLanguageModel, given: Mapping[str, Tensor], *, absent: Collection[str] = ()
) -> _Weights:
    needed, _ = model_tensors(model)
    fitted, notes = _fitted(model, needed, given)
    heads = {name for name in needed if name.startswith(HEADS)}
    usable = {
        name: tensor
        for name, tensor in fitted.items()
        if not name.startswith(HEADS) or (name in heads and tensor.shape == needed[name].shape)
    }
    # A head is one thing: with a part of it missing, all of it starts anew.
    fresh = {_head(name) for name in heads if name not in usable}
    usable = {name: tensor for name, tensor in usable.items() if _head(name) not in fresh}
    unfit = differences(
        {name: tensor for name, tensor in needed.items() if _head(name) not in fresh},
        usable,
        absent=absent,
    )
    return _Weights(usable=usable, fresh=fresh, unfit=unfit, notes=notes)


def references_of(model: VisionLanguageModel) -> dict[str, Reference]:
    """Return the pretrained backbones of a model, by root address."""
    return {
        root: Reference(id=backbone.id, revision=backbone.revision, content=backbone.content)
        for root, backbone in model.references().items()
    }


def differing_references(
    state: State, model: VisionLanguageModel, references: Mapping[str, Reference]
) -> tuple[dict[str, Reference], dict[str, Reference]]:
    """Return the pretrained backbones that a checkpoint leaves tensors to, where they differ now.

    Weights of other backbones stand in the checkpoint: it does not matter where they came from.

    Args:
        state: of the checkpoint.
        model: that is to take its tensors.
        references: pretrained backbones of the model, by root address.

    Returns:
        Those of the checkpoint, and those of the model in their place; both empty if all agree.
    """
    roots = {root_of(name, model) for name in state.referenced}
    differing = {root for root in roots if state.references.get(root) != references.get(root)}
    return (
        {root: backbone for root, backbone in state.references.items() if root in differing},
        {root: backbone for root, backbone in references.items() if root in differing},
    )


def root_of(name: str, model: VisionLanguageModel) -> str:
    """Return the root address that a tensor of a model belongs to."""
    first, _, rest = name.partition(".")
    return rest.partition(".")[0] if first == "streams" else model.fusion_name


def _head(name: str) -> str:
    return name.split(".")[1] if name.startswith(HEADS) else ""


def _fitted(
    model: VisionLanguageModel, needed: Mapping[str, Tensor], given: Mapping[str, Tensor]
) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    """Resize positions of each stream to the image size and text length of the new model."""
    fitted = dict(given)
    notes: list[str] = []
    for stream, tower in model.streams.items():
        assert isinstance(tower, Tower)
        prefix = f"streams.{stream}."
        try:
            tensors, sentences = fit_positions(
                {name: tensor for name, tensor in given.items() if name.startswith(prefix)},
                needed,
                facts=tower.facts,
                address=stream,
            )
        except BackboneError:
            continue  # named with everything else that does not fit
        fitted |= tensors
        notes += sentences
    return fitted, tuple(notes)


def _in_words(references: Mapping[str, Reference]) -> str:
    return ", ".join(f"`{r.id}` ({r.content[:12]})" for r in references.values()) or "none"

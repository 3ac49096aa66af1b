"""Whether a checkpoint is one of the very job that is to go on."""

from collections.abc import Callable, Collection, Mapping

from renaissance.compiler.backbones.content import tensor_hash
from renaissance.compiler.model import VisionLanguageModel
from renaissance.grammar.names import FEW, listing
from renaissance.runtime.checkpoint import Checkpoint, State
from renaissance.runtime.errors import CheckpointError
from renaissance.runtime.weights import differences, model_tensors


def belongs(
    anew: State,
    hashes: Collection[str],
    model: VisionLanguageModel,
    as_built: Mapping[str, str],
) -> Callable[[Checkpoint], None]:
    """Return a function that refuses a checkpoint of anything but this very job.

    Args:
        anew: what the job would begin with.
        hashes: that name its spec in its folder.
        model: as built.
        as_built: hashes of frozen tensors that checkpoints may leave to a reference, by name.
    """
    needed, _ = model_tensors(model)

    def fits(checkpoint: Checkpoint) -> None:
        _check_state(checkpoint.state, anew, hashes)
        differing = differences(needed, checkpoint.model, absent=checkpoint.state.referenced)
        if differing:
            raise CheckpointError(f"its tensors are not those of model `{model.name}`: {differing}")
        _check_frozen(checkpoint, as_built)

    return fits


def _check_state(state: State, anew: State, hashes: Collection[str]) -> None:
    # Of format 1 there are some whose hash nothing can be compared with; spec.json is the same.
    same = state.spec_hash in hashes or state.format == 1
    own_hash = anew.spec_hash[:12]
    facts = (
        ("job", state.job, anew.job),
        ("spec hash", own_hash if same else state.spec_hash[:12], own_hash),
        ("number of steps", state.total_steps, anew.total_steps),
        ("answers", state.answers, anew.answers),
        ("vocabulary", state.vocabulary or anew.vocabulary, anew.vocabulary),
        ("pretrained weights", state.references, anew.references),
    )
    for what, stored, own in facts:
        if stored != own:
            both = f": {stored} instead of {own}" if len(f"{stored}{own}") < 80 else ""
            raise CheckpointError(f"its {what} is not that of this job{both}")


def _check_frozen(checkpoint: Checkpoint, as_built: Mapping[str, str]) -> None:
    state = checkpoint.state
    moved = [
        name for name, value in state.frozen.items() if _hash(checkpoint, name) not in (None, value)
    ]
    moved += [name for name in state.referenced if as_built.get(name) != state.frozen.get(name)]
    if moved:
        raise CheckpointError(
            f"frozen tensors are not those of the job's start: {listing(moved, most=FEW)}"
        )


def _hash(checkpoint: Checkpoint, name: str) -> str | None:
    """Return the hash of a tensor; None if it is not stored."""
    tensor = checkpoint.model.get(checkpoint.state.shared.get(name, name))
    return None if tensor is None else tensor_hash(tensor)

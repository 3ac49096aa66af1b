"""The event of a checkpoint."""

import torch
from torch.nn.utils import get_total_norm

from renaissance.runtime.checkpoint import State, rewrite_state, write_checkpoint
from renaissance.runtime.checkpoints import FOLDER
from renaissance.runtime.records import Checkpoint
from renaissance.runtime.training.not_finite import not_finite
from renaissance.runtime.training.progress import Progress
from renaissance.runtime.training.reporting import report
from renaissance.runtime.training.sharding import collected, whole
from renaissance.runtime.training.training import Training
from renaissance.runtime.weights import model_tensors


def save(training: Training, progress: Progress) -> None:
    """Write a checkpoint; all processes come here together, the first one writes.

    Raises:
        JobError: if weights are not finite, or it cannot be written.
        FrozenChangedError: if a frozen tensor has changed.
    """
    report(training, progress)
    if progress.is_saved:
        _save_state(training, progress)
        return
    processes, contract = training.session.processes, training.beginning.contract
    _check_weights(training, progress)
    contract.check(f"at step {progress.step}")
    tensors, shared = model_tensors(training.setup.model)
    tensors = collected(tensors, processes)
    moments = collected(training.prepared.optimization.state(), processes)
    average = training.prepared.average
    means = None if average is None else collected(average.state(), processes)
    momentum = training.prepared.momentum
    copies = None if momentum is None else collected(momentum.state(), processes)
    state = _state(training, progress, shared)
    progress.save(state)
    if not processes.first:
        return
    path = training.checkpoints.path(progress.step)
    tensors |= training.prepared.originals
    stored = {name: t for name, t in tensors.items() if name not in state.referenced}
    progress.saved = write_checkpoint(path, state, stored, moments, means, copies)
    training.checkpoints.mark_best(progress.best, state.spec_hash)
    training.log.write(Checkpoint(step=progress.step, path=f"{FOLDER}/{path.name}"))
    progress.restart_clock()


def _state(training: Training, progress: Progress, shared: dict[str, str]) -> State:
    """Return what a checkpoint says beside its tensors."""
    hashes = training.beginning.contract.hashes
    return training.beginning.state.model_copy(
        update={
            "step": progress.step,
            "validated": progress.validated,
            "seconds": progress.seconds,
            "texts": progress.texts,
            "best": progress.best,
            "scaler": training.prepared.precision.state(),
            "frozen": hashes,
            "referenced": tuple(n for n in hashes if n in training.beginning.referable),
            "shared": shared,
        }
    )


def _save_state(training: Training, progress: Progress) -> None:
    """Add to the checkpoint of this step what has been measured since it was written."""
    saved = progress.saved
    assert saved is not None  # asked before
    if (saved.validated, saved.best) == (progress.validated, progress.best):
        return
    state = saved.model_copy(update={"validated": progress.validated, "best": progress.best})
    progress.saved = state
    if training.session.processes.first:
        rewrite_state(training.checkpoints.path(progress.step), state)
        training.checkpoints.mark_best(progress.best, state.spec_hash)


def _check_weights(training: Training, progress: Progress) -> None:
    parameters = training.prepared.optimization.parameters
    norm = whole(get_total_norm([p.detach() for p in parameters]))
    if not torch.isfinite(norm):
        raise not_finite(training, progress.step - 1)

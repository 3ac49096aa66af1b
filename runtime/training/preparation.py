"""Making a model with its first weights ready to learn: precision, lowerings, shards, optimizer."""

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from renaissance.compiler.freeze import FreezePlan
from renaissance.compiler.lowering.compilation import compile_layers, repeated_layers
from renaissance.compiler.lowering.low_precision import hold_in_low_precision
from renaissance.compiler.lowering.recomputation import recompute_layers
from renaissance.compiler.step import Objectives
from renaissance.runtime.errors import JobError
from renaissance.runtime.precision import Precision, slow_on
from renaissance.runtime.training.beginning import Beginning
from renaissance.runtime.training.optimization import Optimization
from renaissance.runtime.training.recomputing import recomputes
from renaissance.runtime.training.session import Session
from renaissance.runtime.training.setup import Setup
from renaissance.runtime.training.sharding import shard


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A model that is ready to learn, on its device.

    Attributes:
        objectives: the model with its losses.
        optimization: with the running averages of the step that the training begins with.
        precision: with the scale of that step.
        originals: float32 tensors of what the model holds in low precision, for checkpoints.
        compiled: addresses of the layers that torch.compile runs.
        notices: sentences on what a person should know of it.
    """

    objectives: Objectives
    optimization: Optimization
    precision: Precision
    originals: Mapping[str, Tensor]
    compiled: tuple[str, ...]
    notices: tuple[str, ...]


def prepare(session: Session, setup: Setup, freezing: FreezePlan, beginning: Beginning) -> Prepared:
    """Lower, split and move a model, and make its optimizer.

    Args:
        session: of the job.
        setup: its data and its model, with the weights that it begins with.
        freezing: what is frozen when.
        beginning: where the training begins.

    Raises:
        JobError: if weights that begin to learn on the way would be split.
        CheckpointError: if a checkpoint's optimizer is not of what learns.
    """
    job, processes, model = session.training, session.processes, setup.model
    precision = Precision(job.precision, processes.device, ranks=processes.ranks)
    originals = {}
    if session.declared.lowers:
        originals = _held_in_low_precision(setup, freezing, beginning, precision)
    lowers = session.declared.lowers
    compiled: tuple[str, ...] = ()
    if lowers and job.compile == "layers":
        compiled = compile_layers(model, processes.device)
    recomputing = recomputes(session.spec, session.name, setup.data, processes) if lowers else None
    if recomputing is not None:
        recompute_layers(repeated_layers(model).values())
    objectives = Objectives(model, session.declared, job)
    if job.shard == "full" and processes.ranks > 1:
        _split(session, setup, freezing, objectives)
    model.to(processes.device)
    model.train()
    optimization = Optimization(model, job.optimizer, job.scale_lr)
    if beginning.checkpoint is not None:
        optimization.load(beginning.checkpoint.optimizer)
        precision.load(beginning.state.scaler)
    slow = slow_on(job.precision, processes.device)
    layers = f"{len(compiled)} layers are compiled while the first steps run" if compiled else None
    return Prepared(
        objectives=objectives,
        optimization=optimization,
        precision=precision,
        originals=originals,
        compiled=compiled,
        notices=tuple(text for text in (recomputing, slow, layers) if text is not None),
    )


def _held_in_low_precision(
    setup: Setup, freezing: FreezePlan, beginning: Beginning, precision: Precision
) -> dict[str, Tensor]:
    """Hold what never learns as the forward pass casts it; return it as it was, by name."""
    if precision.dtype is None:
        return {}
    total = beginning.state.total_steps
    never = freezing.frozen(total - 1, total)
    originals = hold_in_low_precision(setup.model, never, precision.dtype)
    beginning.contract.hold(originals)
    return {name: held for name, held in originals.items() if name not in beginning.referable}


def _split(session: Session, setup: Setup, freezing: FreezePlan, objectives: Objectives) -> None:
    """Split the weights that learn over the processes."""
    total = setup.data.total_steps
    if freezing.next_change(0, total) is not None:
        raise JobError(
            f"job `{session.name}` has `shard = full` and a `freeze … until`: how weights are "
            "split is decided at the start; write `shard = none` or leave out `until`"
        )
    shard(objectives, freezing.frozen(total - 1, total), session.processes)

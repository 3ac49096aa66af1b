"""Making a model with its first weights ready to learn: precision, lowerings, shards, optimizer."""

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from renaissance.compiler.freeze import FreezePlan
from renaissance.compiler.lowering.compilation import repeated_layers
from renaissance.compiler.lowering.context import Context
from renaissance.compiler.lowering.low_precision import constant_weights
from renaissance.compiler.lowering.lowerings import OF_JOBS, lower
from renaissance.compiler.model import VisionLanguageModel
from renaissance.compiler.step import Objectives
from renaissance.grammar.names import plural
from renaissance.runtime.errors import JobError
from renaissance.runtime.precision import Precision, slow_on
from renaissance.runtime.training.average import Average
from renaissance.runtime.training.beginning import Beginning
from renaissance.runtime.training.momentum import Momentum
from renaissance.runtime.training.optimization import Optimization
from renaissance.runtime.training.recomputing import recomputes
from renaissance.runtime.training.session import Session
from renaissance.runtime.training.setup import Setup
from renaissance.runtime.training.sharding import shard

_PLAIN = "the model runs as it is written, padded and without what makes it faster (`lower = none`)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A model that is ready to learn, on its device.

    Attributes:
        objectives: the model with its losses.
        optimization: with the running averages of the step that the training begins with.
        precision: with the scale of that step.
        average: of the weights that learn, at that step; None where the job has none.
        momentum: moving copies at that step; None where nothing is compared with any.
        originals: float32 tensors of what the model holds in low precision, for checkpoints.
        compiled: addresses of the layers that torch.compile runs.
        notices: sentences on what a person should know of it.
    """

    objectives: Objectives
    optimization: Optimization
    precision: Precision
    average: Average | None
    momentum: Momentum | None
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
    originals: dict[str, Tensor] = {}
    compiled: tuple[str, ...] = ()
    said: str | None = _PLAIN
    if session.declared.lowers:
        said = recomputes(session.spec, session.name, setup.data, processes)
        context = _context(session, freezing, beginning, precision, recomputed=said is not None)
        originals = _lowered(model, context, beginning)
        compiled = tuple(repeated_layers(model)) if context.compiles else ()
    objectives = Objectives(model, session.declared, job)
    if job.shard == "full" and processes.ranks > 1:
        _split(session, setup, freezing, objectives)
    model.to(processes.device)
    model.train()
    optimization = Optimization(model, job.optimizer, job.scale_lr, job.decay_lr)
    average = None if job.average is None else Average(job.average, optimization.names)
    momentum = None
    if objectives.moving:
        momentum = Momentum(objectives, optimization.names, precision, processes)
    if beginning.checkpoint is not None:
        optimization.load(beginning.checkpoint.optimizer)
        if average is not None:
            average.load(beginning.checkpoint.average)
        if momentum is not None:
            momentum.load(beginning.checkpoint.momentum, remember=beginning.same_data)
        precision.load(beginning.state.scaler)
    slow = slow_on(job.precision, processes.device)
    layers = None
    if compiled:
        are = "is" if len(compiled) == 1 else "are"
        layers = f"{plural(len(compiled), 'layer')} {are} compiled while the first steps run"
    return Prepared(
        objectives=objectives,
        optimization=optimization,
        precision=precision,
        average=average,
        momentum=momentum,
        originals=originals,
        compiled=compiled,
        notices=tuple(text for text in (said, slow, layers) if text is not None),
    )


def _context(
    session: Session,
    freezing: FreezePlan,
    beginning: Beginning,
    precision: Precision,
    *,
    recomputed: bool,
) -> Context:
    """Return what a model is lowered for."""
    total = beginning.state.total_steps
    return Context(
        attention=session.declared.attention,
        device="cuda" if session.processes.device.type == "cuda" else "cpu",
        products=precision.dtype,
        never=freezing.frozen(total - 1, total),
        compiles=session.training.compile == "layers",
        recomputes=recomputed,
    )


def _lowered(
    model: VisionLanguageModel, context: Context, beginning: Beginning
) -> dict[str, Tensor]:
    """Lower a model for a job; return the weights held in low precision as they were, by name."""
    held = {} if context.products is None else constant_weights(model, context.never)
    originals = {name: parameter.data for name, parameter in held.items()}
    lower(model, context, OF_JOBS)
    beginning.contract.hold(originals)
    return {name: before for name, before in originals.items() if name not in beginning.referable}


def _split(session: Session, setup: Setup, freezing: FreezePlan, objectives: Objectives) -> None:
    """Split the weights that learn over the processes."""
    total = setup.data.total_steps
    if freezing.next_change(0, total) is not None:
        raise JobError(
            f"job `{session.name}` has `shard = full` and a `freeze … until`: how weights are "
            "split is decided at the start; write `shard = none` or leave out `until`"
        )
    shard(objectives, freezing.frozen(total - 1, total), session.processes)

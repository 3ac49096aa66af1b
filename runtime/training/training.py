"""What a training consists of from its first step to its last, and when its events are due."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from renaissance.compiler.freeze import FreezePlan
from renaissance.compiler.step import weights_of
from renaissance.grammar.declaration import Minutes
from renaissance.grammar.schema.jobs import Finetune, Pretrain
from renaissance.runtime.checkpoints import Checkpoints
from renaissance.runtime.log import Log
from renaissance.runtime.training.beginning import Beginning
from renaissance.runtime.training.held_out import Measured
from renaissance.runtime.training.measures import Accuracies, StepLosses
from renaissance.runtime.training.preparation import Prepared
from renaissance.runtime.training.schedule import LearningRate, steps_of
from renaissance.runtime.training.session import Session
from renaissance.runtime.training.setup import Setup
from renaissance.runtime.training.step import TrainingStep

ByProtocol = Callable[..., Measured | None]
"""Measures held-out data by the protocol of a task: see `runtime/evaluation/selecting.py`."""

LINES = 200
"""Lines that a log has of a long run, at least."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """When something is due, in steps.

    Attributes:
        report: steps from one line of the log to the next, at most.
        validate: steps from one validation to the next.
        checkpoint: steps from one checkpoint to the next.
        checkpoint_seconds: seconds from one checkpoint to the next, at most.
        total: steps of the whole job; after the last one everything is due.
    """

    report: int
    validate: int
    checkpoint: int
    checkpoint_seconds: float
    total: int

    @classmethod
    def of(cls, job: Pretrain | Finetune, total: int) -> Self:
        """Lay what a job says over its steps."""
        every = job.checkpoint_every
        steps = total if isinstance(every, Minutes) else steps_of(every, total)
        return cls(
            report=min(max(total // LINES, 1), 50),
            validate=max(steps_of(job.validate_every, total), 1),
            checkpoint=max(steps, 1),
            checkpoint_seconds=every * 60 if isinstance(every, Minutes) else math.inf,
            total=total,
        )

    def due(self, every: int, step: int) -> bool:
        """Tell whether something is due after a step."""
        return step % every == 0 or step == self.total


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """What a training consists of.

    Attributes:
        session: what is asked for, where, and with whom.
        setup: data and model, on its device.
        freezing: what is frozen when; was applied for the first step.
        beginning: where it begins.
        prepared: the model as it learns, with its optimizer.
        checkpoints: of the job.
        log: of the job.
        rhythm: when something is due.
        rate: learning rate of each step.
        weights: factor of each loss in the sum, by name of the head.
        losses: of the steps since the last line.
        accuracies: likewise.
        step: does a step.
        by_protocol: measures held-out data where another metric of the task selects.
    """

    session: Session
    setup: Setup
    freezing: FreezePlan
    beginning: Beginning
    prepared: Prepared
    checkpoints: Checkpoints
    log: Log
    rhythm: Rhythm
    rate: LearningRate
    weights: dict[str, float]
    losses: StepLosses
    accuracies: Accuracies
    step: TrainingStep
    by_protocol: ByProtocol

    @classmethod
    def of(
        cls,
        session: Session,
        setup: Setup,
        freezing: FreezePlan,
        beginning: Beginning,
        prepared: Prepared,
        checkpoints: Checkpoints,
        log: Log,
        by_protocol: ByProtocol,
    ) -> Self:
        """Lay schedule, validations and checkpoints over the steps.

        Raises:
            JobError: if the warm-up is longer than the job.
        """
        job, processes = session.training, session.processes
        total = beginning.state.total_steps
        weights = weights_of(job)
        accuracies = Accuracies(
            prepared.objectives.metrics, processes, prepared.objectives.further_metrics
        )
        return cls(
            session=session,
            setup=setup,
            freezing=freezing,
            beginning=beginning,
            prepared=prepared,
            checkpoints=checkpoints,
            log=log,
            rhythm=Rhythm.of(job, total),
            rate=LearningRate.of(job.schedule, job.optimizer.lr, total),
            weights=weights,
            losses=StepLosses(tuple(weights), weights, processes),
            accuracies=accuracies,
            step=TrainingStep(
                objectives=prepared.objectives,
                optimization=prepared.optimization,
                precision=prepared.precision,
                weights=weights,
                clip=job.clip,
                seed=job.seed,
                processes=processes,
                accuracies=accuracies,
                average=prepared.average,
                momentum=prepared.momentum,
            ),
            by_protocol=by_protocol,
        )

    @property
    def total_steps(self) -> int:
        """Steps of the whole job."""
        return self.rhythm.total

"""The stages of a job, in each of which the same parameters learn: what a step of them costs."""

from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import dataclass
from math import ceil

import torch
from torch import Tensor

from renaissance.compiler.freeze import FreezePlan
from renaissance.compiler.lowering.compilation import repeated_layers
from renaissance.compiler.lowering.dispatch import PRODUCTS
from renaissance.compiler.lowering.low_precision import hold_in_low_precision
from renaissance.compiler.lowering.lowerings import is_lowered
from renaissance.compiler.lowering.recomputation import recompute_layers
from renaissance.compiler.moving import moving_bytes
from renaissance.compiler.planning.components import flops_of
from renaissance.compiler.planning.job_plan import Stage
from renaissance.compiler.planning.machines import Device, Machine
from renaissance.compiler.planning.matching import matched, pass_of
from renaissance.compiler.planning.memory import accumulate, forget, memory_of
from renaissance.compiler.planning.speed import speed_of
from renaissance.compiler.planning.substitution import Substitution
from renaissance.compiler.planning.tracing import Trace, trace
from renaissance.compiler.step import Objectives
from renaissance.grammar.declaration import Share
from renaissance.grammar.schema.jobs import Evaluate, Finetune, Job, Pretrain


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """What a plan supposes.

    Attributes:
        device: whose kernels run.
        machine: whose speed counts; None for no times.
        tokens: of a text; as many as its tower takes if None.
        texts: of an epoch; None if unknown.
        counted: images and texts of the split of an evaluation that scores each with each; as many
            as were published if None.
    """

    device: Device
    machine: Machine | None
    tokens: int | None
    texts: int | None
    counted: tuple[int, int] | None = None


SUPPOSED = 10**9
"""Steps of a run of unknown length: shares of it are then places in it all the same."""


def steps_of_job(job: Job, texts: int | None) -> int | None:
    """Return how many steps a job has; None where that takes more than is known."""
    if isinstance(job, Evaluate):
        return None if texts is None else ceil(texts / job.batch)
    if job.steps is not None:
        return job.steps
    return None if texts is None or job.epochs is None else ceil(job.epochs * texts / job.batch)


def as_measured(job: Job, training: Pretrain | Finetune, objectives: Objectives) -> Job:
    """Return a job with the texts that its passes really have.

    An evaluation of objectives that compare the rows of a batch takes the batches of the
    training's own validations.
    """
    own = isinstance(job, Evaluate) and job.task is None and isinstance(training, Pretrain)
    if not own or not objectives.compares:
        return job
    batch = min(training.micro_batch or training.batch, training.batch)
    return job.model_copy(update={"batch": batch})


class Stages:
    """Traces steps of a job.

    Args:
        objectives: with a model on the meta device, whose gradients are switched on and off.
        resolved: what is frozen when.
        job: what is done.
        training: the job whose heads the model has.
        conditions: what is supposed.
        recomputes: repeated layers of the model are computed again already.

    Attributes:
        length: steps of the job, or a number that stands for them.
        lowers: whether anything may make the model faster or smaller.
        never: names of parameters that do not learn in any step.
        held_in: type that these are held in where that changes nothing; None for their own.
        recomputes: whether repeated layers are computed again in the backward pass.
    """

    def __init__(
        self,
        objectives: Objectives,
        resolved: FreezePlan,
        job: Job,
        training: Pretrain | Finetune,
        conditions: Conditions,
        *,
        recomputes: bool = False,
    ) -> None:
        self._objectives, self._resolved = objectives, resolved
        self._model = objectives.model
        self._job, self._training, self._conditions = job, training, conditions
        self._total = steps_of_job(job, conditions.texts)
        self.length = self._total or SUPPOSED
        self.recomputes = recomputes
        self.lowers = is_lowered(self._model)
        self.never = resolved.frozen(self.length - 1, self.length)
        self.held_in: torch.dtype | None = None
        self._originals: dict[str, Tensor] = {}
        if self.lowers and training.precision != "fp32" and not isinstance(job, Evaluate):
            self.held_in = PRODUCTS[training.precision]
            self._originals = hold_in_low_precision(self._model, self.never, self.held_in)

    def release(self) -> None:
        """Hold everything in the type again that it had before."""
        parameters = dict(self._model.named_parameters())
        for name, original in self._originals.items():
            parameters[name].data = original

    def recompute(self) -> None:
        """Compute repeated layers again in the backward pass, from now on."""
        recompute_layers(repeated_layers(self._model).values())
        self.recomputes = True

    def traced(self, micro_batch: int | None = None) -> list[tuple[Trace, Stage]]:
        """Return each stage with a pass of it; the model is left as in the first of them.

        Args:
            micro_batch: texts of a pass; as the job says if None.
        """
        job = self._job
        if micro_batch is not None and not isinstance(job, Evaluate):
            job = job.model_copy(update={"micro_batch": micro_batch})
        found = []
        for start, place, steps in self._places():
            self._freeze(place)
            found.append(self._stage(job, start, steps))
        self._freeze(0)
        return found

    def _freeze(self, place: int) -> None:
        self._resolved.apply(self._model, place, self.length)
        if isinstance(self._job, Evaluate):
            self._model.eval().requires_grad_(False)

    def _places(self) -> list[tuple[str | int, int, int | None]]:
        """Return stages: where they start as written, a step in them, how many steps they have."""
        starts: dict[int, str | int] = {0: 0}
        if not isinstance(self._job, Evaluate):
            for selection in self._resolved.selections:
                place, until = selection.thaws_at(self.length), selection.directive.until
                if place is not None and 0 < place < self.length and until is not None:
                    starts[place] = str(until) if isinstance(until, Share) else until
        places = sorted(starts)
        ends = [*places[1:], self.length]
        return [
            (starts[place], place, end - place if self._total else None)
            for place, end in zip(places, ends, strict=True)
        ]

    def _stage(self, job: Job, start: str | int, steps: int | None) -> tuple[Trace, Stage]:
        model, training, conditions = self._model, self._training, self._conditions
        # On a GPU the kernels of the project read packed texts as they are.
        packed = conditions.device == "cpu"
        scored = matched(job, self._objectives, conditions.counted)
        step = pass_of(self._objectives, job, conditions.tokens, scored, packed=packed)
        passes = ceil(job.batch / step.texts)
        forget(model)
        if passes > 1:
            accumulate(model)
        substitution = Substitution(conditions.device, training.precision)
        with torch.no_grad() if isinstance(job, Evaluate) else nullcontext():
            traced = trace(
                model, step.run, held=step.tensors, backward=True, substitution=substitution
            )
        # A GPU is sent the next pass meanwhile; in the memory of a CPU are those of the whole step.
        there = 2 if conditions.device == "cuda" else passes
        memory = memory_of(
            model,
            traced,
            averages=training.optimizer.averages,
            averaged=not isinstance(job, Evaluate) and training.average is not None,
            momentum=0
            if isinstance(job, Evaluate)
            else moving_bytes(model, self._objectives.moving),
            inputs=there * _bytes(step.tensors),
            accumulated=passes > 1,
        )
        forget(model)
        speed = None
        if conditions.machine is not None:
            speed = speed_of(
                conditions.machine,
                traced.kernels,
                memory,
                precision=training.precision,
                passes=passes,
                texts=job.batch,
            )
        return traced, Stage(
            start=start,
            steps=steps,
            trainable=sum(part.numel() for part in model.parameters() if part.requires_grad),
            flops_per_sample=flops_of(traced.operations, step.texts),
            memory=memory,
            speed=speed,
        )


def _bytes(tensors: Iterable[Tensor]) -> int:
    return sum(part.numel() * part.element_size() for part in tensors)

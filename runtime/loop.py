"""The training loop: steps, validations, checkpoints, thaws."""

import math
import time
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.utils import get_total_norm

from renaissance.compiler.addresses import parameter_addresses
from renaissance.compiler.freeze import FreezePlan
from renaissance.compiler.model import VisionLanguageModel
from renaissance.grammar.declaration import Minutes
from renaissance.grammar.schema.jobs import Finetune, Pretrain
from renaissance.runtime.checkpoint import Best, State, rewrite_state, write_checkpoint
from renaissance.runtime.checkpoints import FOLDER, Checkpoints
from renaissance.runtime.data import JobData
from renaissance.runtime.data.moving import with_following
from renaissance.runtime.errors import InterruptionError, JobError
from renaissance.runtime.frozen import FrozenContract
from renaissance.runtime.log import Log
from renaissance.runtime.measures import Accuracies, StepLosses
from renaissance.runtime.notfinite import batch_in_words
from renaissance.runtime.observer import Observer
from renaissance.runtime.optimization import Optimization
from renaissance.runtime.precision import Precision
from renaissance.runtime.processes import Processes
from renaissance.runtime.records import Checkpoint as CheckpointEvent
from renaissance.runtime.records import Notice, Step, Thaw, Unreadable, Validate
from renaissance.runtime.schedule import LearningRate, steps_of
from renaissance.runtime.scoring import Objectives, weights_of
from renaissance.runtime.sharding import collected, gathered, whole
from renaissance.runtime.signals import StopRequest
from renaissance.runtime.step import TrainingStep
from renaissance.runtime.validation import Measured, measure
from renaissance.runtime.weights import model_tensors

LINES = 200
"""Lines that a log has of a long run, at least."""
SILENCE = 10.0
"""Seconds after which a line is due in any case."""


class Loop:
    """One job from a step to its last.

    Args:
        job: declaration of the job.
        folder: of the job.
        model: on its device, with the weights of `state.step`.
        objectives: the model with its losses.
        plan: what is frozen when; was applied for `state.step`.
        contract: what must not change.
        optimization: with the running averages of `state.step`.
        precision: with the scale of `state.step`.
        data: of the job.
        state: where the job is; its tables go into every checkpoint.
        as_built: tensors that a pretrained backbone gives exactly as they are.
        originals: float32 tensors of what the model holds in low precision, for checkpoints.
        processes: that share the job.
        request: to stop.
        observer: is told what happens.
        log: of the job.
    """

    def __init__(
        self,
        *,
        job: Pretrain | Finetune,
        folder: Path,
        model: VisionLanguageModel,
        objectives: Objectives,
        plan: FreezePlan,
        contract: FrozenContract,
        optimization: Optimization,
        precision: Precision,
        data: JobData,
        state: State,
        as_built: frozenset[str],
        originals: Mapping[str, Tensor],
        processes: Processes,
        request: StopRequest,
        observer: Observer,
        log: Log,
    ) -> None:
        """Lay schedule, validations and checkpoints over the run."""
        self._job, self._folder, self._model = job, folder, model
        self._objectives, self._plan, self._contract = objectives, plan, contract
        self._optimization, self._precision, self._data = optimization, precision, data
        self._state, self._as_built, self._originals = state, as_built, originals
        self._processes, self._request = processes, request
        self._observer, self._log = observer, log
        self._checkpoints = Checkpoints(folder, job.keep)
        self._weights = weights_of(job)
        heads = tuple(self._weights)
        self._accuracies = Accuracies(heads, processes)
        self._losses = StepLosses(heads, self._weights, processes)
        self._training_step = TrainingStep(
            objectives=objectives,
            optimization=optimization,
            precision=precision,
            weights=self._weights,
            clip=job.clip,
            seed=job.seed,
            processes=processes,
            accuracies=self._accuracies,
        )
        total = state.total_steps
        self._rate = LearningRate.of(job.schedule, job.optimizer.lr, total)
        self._validate_every = max(steps_of(job.validate_every, total), 1)
        every = job.checkpoint_every
        self._checkpoint_seconds = every * 60 if isinstance(every, Minutes) else math.inf
        steps = total if isinstance(every, Minutes) else steps_of(every, total)
        self._checkpoint_every = max(steps, 1)
        self._report_every = min(max(total // LINES, 1), 50)
        self._step, self._validated, self._best = state.step, state.validated, state.best
        self._saved = state if state.step else None
        self._saved_at = time.monotonic()
        self._began = time.monotonic() - state.seconds
        self._reported = time.monotonic()
        self._texts, self._texts_since = state.texts, 0
        self._unreadable = 0

    @property
    def best(self) -> Best | None:
        """The best validation."""
        return self._best

    @property
    def seconds(self) -> float:
        """Time the job has taken, resumed parts included."""
        return time.monotonic() - self._began

    @property
    def texts(self) -> int:
        """Texts that were learned from."""
        return self._texts

    def run(self) -> None:
        """Do all steps that are left.

        Raises:
            InterruptionError: if a signal asked to stop; a checkpoint was written.
            JobError: if the job cannot go on.
        """
        job, processes, total = self._job, self._processes, self._state.total_steps
        self._observer.begin(job.name, "train", total)
        self._observer.advance("train", self._step)
        self._objectives.train()
        self._measure_if_due()
        steps = self._data.train(self._step, processes.rank, processes.ranks)
        for batches, following in with_following(steps, self._training_step.looks_ahead):
            self._thaw_if_due()
            stepped = self._training_step(
                batches,
                step=self._step,
                rate=self._rate.at(self._step),
                stop=bool(self._request.signal),
                report=time.monotonic() - self._reported > SILENCE,
                save=time.monotonic() - self._saved_at > self._checkpoint_seconds,
                following=following,
            )
            self._losses.add(self._step, stepped.losses)
            self._step += 1
            self._texts += stepped.texts
            self._texts_since += stepped.texts
            self._observer.advance("train", self._step)
            if stepped.report or self._step % self._report_every == 0:
                self._report()
            self._measure_if_due()
            due = self._step % self._checkpoint_every == 0 or self._step == total
            if due or stepped.save:
                self._save()
            if stepped.stop or (self._request.signal and processes.ranks == 1):
                self._stop()
        self._report()
        self._observer.finish("train")

    def _thaw_if_due(self) -> None:
        total = self._state.total_steps
        if self._step == 0 or self._plan.next_change(self._step - 1, total) != self._step:
            return
        self._plan.apply(self._model, self._step, total)
        self._contract.release()
        added = self._optimization.extend()
        self._training_step.regroup()
        places = parameter_addresses(self._model)
        addresses = dict.fromkeys(places[name].address for name in added)
        self._log.write(Thaw(step=self._step, addresses=tuple(addresses)))

    def _report(self) -> None:
        """Write a line about the steps since the last one; all processes come here together."""
        if not len(self._losses):
            return
        loss, losses, broken = self._losses.take()
        metrics = self._accuracies.take()
        if broken is not None:
            raise self._not_finite(broken)
        now = time.monotonic()
        self._log.write(
            Step(
                step=self._step,
                loss=loss,
                losses=losses,
                metrics=metrics,
                lr=self._rate.at(self._step - 1),
                texts_per_second=self._texts_since / max(now - self._reported, 1e-9),
                seconds=self.seconds,
            )
        )
        self._reported, self._texts_since = now, 0
        count = self._precision.skipped()
        if count:
            text = (
                f"gradients overflowed in fp16: up to step {self._step} {count} "
                f"step{'s were' if count > 1 else ' was'} skipped; losses are now scaled by "
                f"{self._precision.scale:g}"
            )
            self._log.write(Notice(text=text))
        unreadable = self._data.unreadable
        if len(unreadable) > self._unreadable:
            self._unreadable = len(unreadable)
            paths = tuple(path for path, _ in unreadable)
            self._log.write(Unreadable(paths=paths, count=len(paths)))

    def _measure_if_due(self) -> None:
        """Validate, and keep the weights if none were better."""
        due = self._step % self._validate_every == 0 or self._step == self._state.total_steps
        if not due or self._step == 0 or self._validated == self._step:
            return
        self._report()
        self._observer.begin(self._job.name, "validate", len(self._data.part("validation")))
        with gathered(self._objectives):
            measured = measure(
                self._objectives,
                self._data.validation(self._processes.rank, self._processes.ranks),
                weights=self._weights,
                precision=self._precision,
                processes=self._processes,
                observer=self._observer,
                request=self._request,
            )
        self._observer.finish("validate")
        if measured is None and self._request.signal:
            self._stop()
        self._validated = self._step
        # Time spent here is no time of training: the clock of the next line starts anew.
        self._reported = time.monotonic()
        if measured is not None:
            self._log.write(
                Validate(step=self._step, losses=measured.losses, metrics=measured.metrics)
            )
        best = self._best_with(measured)
        improved, self._best = best is not self._best, best
        # Weights that were saved before they were measured get what has been found.
        if improved or self._is_saved:
            self._save()

    def _best_with(self, measured: Measured | None) -> Best | None:
        """Return the best validation, the one at hand included.

        Where nothing is held out the last weights count as the best.
        """
        if measured is None:
            last = self._step == self._state.total_steps and self._best is None
            return Best(step=self._step, score=(), losses={}, metrics={}) if last else self._best
        score = measured.score(self._job)
        if self._best is not None and score <= self._best.score:
            return self._best
        return Best(
            step=self._step,
            score=score,
            losses={"loss": measured.loss, **measured.losses},
            metrics=measured.metrics,
        )

    @property
    def _is_saved(self) -> bool:
        """Whether the weights of this step are in a checkpoint."""
        return self._saved is not None and self._saved.step == self._step

    def _stop(self) -> None:
        self._save()
        raise InterruptionError(
            self._request.signal,
            f"job `{self._job.name}` was stopped after step {self._step} of "
            f"{self._state.total_steps}; run the same command again to go on",
        )

    def _save(self) -> None:
        """Write a checkpoint; all processes come here together, the first one writes."""
        self._report()
        if self._is_saved:
            self._save_state()
            return
        self._check_weights()
        self._contract.check(f"at step {self._step}")
        tensors, shared = model_tensors(self._model)
        tensors = collected(tensors, self._processes)
        averages = collected(self._optimization.state(), self._processes)
        referenced = tuple(name for name in self._contract.hashes if name in self._as_built)
        self._saved_at = time.monotonic()
        state = self._saved = self._state.model_copy(
            update={
                "step": self._step,
                "validated": self._validated,
                "seconds": self.seconds,
                "texts": self._texts,
                "best": self._best,
                "scaler": self._precision.state(),
                "frozen": self._contract.hashes,
                "referenced": referenced,
                "shared": shared,
            }
        )
        if not self._processes.first:
            return
        path = self._checkpoints.path(self._step)
        tensors |= self._originals
        stored = {name: t for name, t in tensors.items() if name not in referenced}
        self._saved = write_checkpoint(path, state, stored, averages)
        self._checkpoints.mark_best(self._best, state.spec_hash)
        self._log.write(CheckpointEvent(step=self._step, path=f"{FOLDER}/{path.name}"))
        self._reported = time.monotonic()

    def _save_state(self) -> None:
        """Add to the checkpoint of this step what has been measured since it was written."""
        saved = self._saved
        assert saved is not None  # asked before
        if (saved.validated, saved.best) == (self._validated, self._best):
            return
        self._saved = saved.model_copy(update={"validated": self._validated, "best": self._best})
        if self._processes.first:
            rewrite_state(self._checkpoints.path(self._step), self._saved)
            self._checkpoints.mark_best(self._best, saved.spec_hash)

    def _check_weights(self) -> None:
        norm = whole(get_total_norm([p.detach() for p in self._optimization.parameters]))
        if not torch.isfinite(norm):
            raise self._not_finite(self._step - 1)

    def _not_finite(self, step: int) -> JobError:
        good = [s for s in self._checkpoints.steps() if s <= step]
        last = f"`{self._checkpoints.path(good[-1])}`" if good else "there is none"
        return JobError(
            f"the loss of step {step} of job `{self._job.name}` is not a finite number; its batch "
            f"has {batch_in_words(self._data, step, self._folder)}; last good checkpoint: {last}; "
            "a lower `lr`, a longer `warmup` or a smaller `clip` may help"
        )

"""Measuring a trained model on a split, from the set-up to the result."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

import torch

from renaissance.compiler.batch import Batch
from renaissance.compiler.losses import Scored
from renaissance.compiler.step import Objectives, weights_of
from renaissance.grammar.kinds.data import VALIDATION, TaskBlock
from renaissance.grammar.kinds.registry import optional_facet
from renaissance.grammar.names import listing, plural
from renaissance.grammar.schema.jobs import Evaluate, Finetune, Pretrain
from renaissance.runtime.checkpoint import Checkpoint
from renaissance.runtime.checkpoints import best_checkpoint
from renaissance.runtime.data import DataError, JobData
from renaissance.runtime.data.targets import Numbers
from renaissance.runtime.errors import CheckpointError, InterruptionError, JobError
from renaissance.runtime.evaluation import zero_shot
from renaissance.runtime.evaluation.answers import ask
from renaissance.runtime.evaluation.predictions import write_predictions
from renaissance.runtime.evaluation.result import figures_of, result_of
from renaissance.runtime.evaluation.rows import keep_rows
from renaissance.runtime.log import Log
from renaissance.runtime.precision import Precision, exact_float32
from renaissance.runtime.processes import device_in_words
from renaissance.runtime.records import End, JobResult, Start, Unreadable
from renaissance.runtime.results import write_result
from renaissance.runtime.tasks.answered import Answered
from renaissance.runtime.training.caching import cached_features
from renaissance.runtime.training.examples import examples
from renaissance.runtime.training.held_out import measure
from renaissance.runtime.training.session import Session
from renaissance.runtime.training.setup import Setup, set_up
from renaissance.runtime.training.transfer import differing_references, references_of
from renaissance.runtime.versions import versions
from renaissance.runtime.weights import restore

MOST_NAMED = 10
"""Rows without an answer that are named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What is measured, and on what.

    Attributes:
        session: of the evaluation.
        job: its declaration.
        data: of the job that is measured.
        objectives: the model with its losses, with the weights that are measured.
        precision: of the forward pass.
        log: of the evaluation.
    """

    session: Session
    job: Evaluate
    data: JobData
    objectives: Objectives
    precision: Precision
    log: Log

    def batches(self) -> Iterator[Batch]:
        """Yield this process's part of the split."""
        processes = self.session.processes
        pretraining = isinstance(self.session.training, Pretrain) and self.job.task is None
        if pretraining and self.job.split == VALIDATION and self.data.compares:
            # Rows are compared within a batch: those of the training's own validations.
            return self.data.validation(processes.rank, processes.ranks)
        return self.data.split(self.job.split, self.job.batch, processes.rank, processes.ranks)

    def advance(self, done: int) -> None:
        """Say how many rows are done; raises InterruptionError if a signal asked to stop."""
        self.session.observer.advance("evaluate", done)
        signal = self.session.request.signal
        if signal:
            raise InterruptionError(signal, "the evaluation was stopped before its end")


@exact_float32()
def evaluate_job(session: Session) -> JobResult:
    """Measure the best weights of a fine-tuning by its task, of a pretraining by its objectives.

    Args:
        session: of an evaluation.

    Raises:
        JobError: if the job that is measured has no usable result.
        InterruptionError: if a signal asked to stop.
        DataError: if the data do not allow it.
    """
    began = time.monotonic()
    spec, processes = session.spec, session.processes
    job, trained = spec.jobs[session.name], session.training
    if not isinstance(job, Evaluate):
        raise JobError(f"job `{session.name}` is no evaluation")
    checkpoint = best_checkpoint(session.folder / trained.name, session.hashes)
    setup = set_up(session)
    data, model = setup.data, setup.model
    _take_weights(setup, checkpoint, job)
    model.to(processes.device).eval()
    precision = Precision(trained.precision, processes.device)
    objectives = Objectives(model, session.declared, trained).eval()
    writes = session.home if processes.first else None
    with closing(Log(writes, 0, session.observer)) as log:
        log.write(_started(session))
        for sentence in setup.notices:
            log.notice(sentence)
        evaluation = Evaluation(
            session=session,
            job=job,
            data=data,
            objectives=objectives,
            precision=precision,
            log=log,
        )
        asks = isinstance(trained, Finetune) or job.task is not None
        of = _of_task if asks else _of_objectives
        result = of(evaluation, setup)
        seconds = time.monotonic() - began
        weights = None if trained.average is None else job.weights
        result = result.model_copy(update={"seconds": seconds, "weights": weights})
        if processes.first:
            write_result(session.home, result)
        log.write(End(step=0, seconds=seconds))
    processes.wait()
    return result


def _of_task(evaluation: Evaluation, setup: Setup) -> JobResult:
    """Measure by a task, learned or not; the first process writes what was predicted."""
    session, job, data = evaluation.session, evaluation.job, evaluation.data
    asked = session.spec.data_job(session.name)
    assert isinstance(asked, Finetune)
    task = asked.task
    with _measuring(evaluation, setup) as clock:
        search = optional_facet(task, "search")
        loss: float | None
        if search is not None:
            answered, loss = search.ask(
                session, evaluation.objectives, data, job.split, evaluation.precision
            )
            evaluation.log.notice(answered.searched.sentence)
        else:
            answered, loss = ask(
                session,
                data,
                job.split,
                evaluation.batches(),
                evaluation.precision,
                task=task,
                score=_score(evaluation, task),
                advance=evaluation.advance,
            )
    _report_flaws(data, job.split, answered, evaluation.log)
    figures = figures_of(job, task, data, answered)
    if session.processes.first:
        keep_rows(session.home, answered, figures.credit)
        if job.write is not None:
            write_predictions(session.folder / job.write, job, task, data, answered)
    return result_of(session, job, data, answered, figures, loss, measuring=clock.seconds)


def _score(evaluation: Evaluation, task: TaskBlock) -> Callable[[Batch], Scored]:
    """Return what scores a batch: the head that was learned, or what goes with an image."""
    objectives, data, job = evaluation.objectives, evaluation.data, evaluation.job
    if job.task is None:
        return lambda batch: objectives(batch)[task.head_name()]
    for sentence in zero_shot.sentences(task, objectives, data):
        evaluation.log.notice(sentence)
    with torch.no_grad(), evaluation.precision.forward():
        device = evaluation.session.processes.device
        return zero_shot.scoring(task, objectives, data, job.split, device)


def _of_objectives(evaluation: Evaluation, setup: Setup) -> JobResult:
    """Measure a pretraining by its losses and by how often its objectives are met."""
    session, job, data = evaluation.session, evaluation.job, evaluation.data
    with _measuring(evaluation, setup) as clock:
        measured = measure(
            session,
            evaluation.objectives,
            weights_of(session.training),
            evaluation.batches(),
            evaluation.precision,
            evaluation.advance,
        )
        device = session.processes.device
        shown = examples(evaluation.objectives, data, job.split, evaluation.precision, device)
    rows = len(data.part(job.split))
    if measured is None:
        raise JobError(f"`{job.split}` of job `{job.of}` holds nothing that could be measured")
    return JobResult(
        job=job.name,
        kind="evaluate",
        spec_hash=session.spec.hash,
        split=job.split,
        metrics={**measured.metrics, "loss": measured.loss, **measured.losses},
        rows=rows,
        texts_per_second=rows / max(clock.seconds, 1e-9),
        samples=shown,
    )


@dataclass(slots=True)
class Clock:
    """How long the model was asked."""

    seconds: float = 0.0


@contextmanager
def _measuring(evaluation: Evaluation, setup: Setup) -> Iterator[Clock]:
    """Read kept features meanwhile, tell who watches, and take the time."""
    session, job, data, log = (
        evaluation.session,
        evaluation.job,
        evaluation.data,
        evaluation.log,
    )
    clock = Clock()
    with cached_features(session, setup, evaluation.objectives, evaluation.precision, log):
        data.read_for(session.processes.device, log.notice)
        for sentence in _seen_before(data, job.split):
            log.notice(sentence)
        session.observer.begin(job.name, "evaluate", len(data.part(job.split)))
        started = time.monotonic()
        yield clock
        clock.seconds = time.monotonic() - started
        session.observer.finish("evaluate")


def _take_weights(setup: Setup, checkpoint: Checkpoint, job: Evaluate) -> None:
    """Load weights that were trained on the same answers, if on any, and pretrained weights.

    Raises:
        CheckpointError: if they were not, or do not fit.
    """
    state, model = checkpoint.state, setup.model
    if any(differing_references(state, model, references_of(model))):
        raise CheckpointError(
            f"the pretrained weights are not those that job `{state.job}` was trained on"
        )
    if job.task is None and state.answers != setup.data.answers:
        raise CheckpointError(
            f"the answers of the data are not those that job `{state.job}` learned"
        )
    tensors = checkpoint.model if job.weights == "last" else checkpoint.measured
    restore(model, tensors, state.referenced)


def _started(session: Session) -> Start:
    return Start(
        job=session.name,
        spec_hash=session.spec.hash,
        versions=versions(),
        device=device_in_words(session.processes.device),
    )


def _seen_before(data: JobData, split: str) -> list[str]:
    """Say which images of a split were there in training, whatever was said of them."""
    try:
        learned, images = data.learned_from(split), len(data.part(split).images)
    except DataError:
        # What was trained on need not be there any more.
        return []
    return [
        f"{count:,} of the {images:,} images of `{split}` are among those that job `{job}` "
        "learned from: this measures less of what the model does with new ones"
        for job, count in learned.items()
    ]


def _report_flaws(data: JobData, split: str, answered: Answered, log: Log) -> None:
    """Say which images could not be read, and how many answers could not be given."""
    unreadable = data.unreadable
    if unreadable:
        paths = tuple(path for path, _ in unreadable)
        log.write(Unreadable(paths=paths, count=len(paths)))
    missing = answered.missing
    if len(missing):
        named = [str(each) for each in answered.table.ids(missing)]
        numbers, one = isinstance(answered.targets, Numbers), len(missing) == 1
        have, are, count = ("has", "is", "counts") if one else ("have", "are", "count")
        log.notice(
            f"{plural(len(missing), 'row')} of `{split}` {have} an image that cannot be read and "
            f"{f'{are} left out of the figures' if numbers else f'{count} as wrong'}: "
            f"{listing(named, most=MOST_NAMED)}"
        )
    impossible = data.impossible(split)
    if impossible:
        log.notice(
            f"{impossible} questions of `{split}` have answers that training "
            "never saw; they count as wrong"
        )

"""Measuring a fine-tuned model on a split, from the set-up to the result."""

import time
from contextlib import closing

from renaissance.compiler.step import Objectives
from renaissance.grammar.kinds.registry import optional_facet
from renaissance.grammar.names import listing
from renaissance.grammar.schema.jobs import Evaluate, Finetune
from renaissance.runtime.checkpoint import Checkpoint
from renaissance.runtime.checkpoints import best_checkpoint
from renaissance.runtime.data import DataError, JobData
from renaissance.runtime.errors import CheckpointError, JobError
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
from renaissance.runtime.training.session import Session
from renaissance.runtime.training.setup import Setup, set_up
from renaissance.runtime.training.transfer import differing_references, references_of
from renaissance.runtime.versions import versions
from renaissance.runtime.weights import restore

MOST_NAMED = 10
"""Rows without an answer that are named."""


@exact_float32()
def evaluate_job(session: Session) -> JobResult:
    """Measure the best weights of a fine-tuning.

    Args:
        session: of an evaluation.

    Raises:
        JobError: if the fine-tuning has no usable result.
        InterruptionError: if a signal asked to stop.
        DataError: if the data do not allow it.
    """
    began = time.monotonic()
    spec, processes = session.spec, session.processes
    job, trained = spec.jobs[session.name], session.training
    if not isinstance(job, Evaluate) or not isinstance(trained, Finetune):
        raise JobError(f"job `{session.name}` is no evaluation")
    task = trained.task
    checkpoint = best_checkpoint(session.folder / trained.name, session.hashes)
    setup = set_up(session)
    data, model = setup.data, setup.model
    _take_weights(setup, checkpoint)
    model.to(processes.device).eval()
    precision = Precision(trained.precision, processes.device)
    objectives = Objectives(model, session.declared, trained)
    writes = session.home if processes.first else None
    with closing(Log(writes, 0, session.observer)) as log:
        log.write(_started(session))
        for sentence in setup.notices:
            log.notice(sentence)
        with cached_features(session, setup, objectives, precision, log):
            data.read_for(processes.device, log.notice)
            for sentence in _seen_before(data, job.split):
                log.notice(sentence)
            session.observer.begin(job.name, "evaluate", len(data.part(job.split)))
            started = time.monotonic()
            search = optional_facet(task, "search")
            loss: float | None
            if search is not None:
                answered, loss = search.ask(session, objectives, data, job.split, precision)
                log.notice(answered.searched.sentence)
            else:
                batches = data.split(job.split, job.batch, processes.rank, processes.ranks)
                answered, loss = ask(session, objectives, data, job.split, batches, precision)
            measuring = time.monotonic() - started
            session.observer.finish("evaluate")
        _report_flaws(data, job.split, answered, log)
        figures = figures_of(task, data, answered)
        if processes.first:
            keep_rows(session.home, answered, figures.credit)
            if job.write is not None:
                write_predictions(session.folder / job.write, job, task, data, answered)
        seconds = time.monotonic() - began
        result = result_of(
            session, job, data, answered, figures, loss, seconds=seconds, measuring=measuring
        )
        if processes.first:
            write_result(session.home, result)
        log.write(End(step=0, seconds=seconds))
    processes.wait()
    return result


def _take_weights(setup: Setup, checkpoint: Checkpoint) -> None:
    """Load weights that were trained on the same answers and pretrained weights.

    Raises:
        CheckpointError: if they were not, or do not fit.
    """
    state, model = checkpoint.state, setup.model
    if any(differing_references(state, model, references_of(model))):
        raise CheckpointError(
            f"the pretrained weights are not those that job `{state.job}` was trained on"
        )
    if state.answers != setup.data.answers:
        raise CheckpointError(
            f"the answers of the data are not those that job `{state.job}` learned"
        )
    restore(model, checkpoint.model, state.referenced)


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
        log.notice(
            f"{len(missing)} rows of `{split}` have an image that cannot be read and count as "
            f"wrong: {listing(named, most=MOST_NAMED)}"
        )
    impossible = data.impossible(split)
    if impossible:
        log.notice(
            f"{impossible} questions of `{split}` have answers that training "
            "never saw; they count as wrong"
        )

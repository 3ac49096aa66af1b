"""Training one job, from its set-up to its result."""

from contextlib import closing, nullcontext

from renaissance.compiler.freeze import resolve
from renaissance.compiler.lowering.compilation import explained
from renaissance.grammar.kinds.data import VALIDATION
from renaissance.runtime.checkpoints import Checkpoints
from renaissance.runtime.data.excluded import exclusions
from renaissance.runtime.log import Log
from renaissance.runtime.precision import exact_float32
from renaissance.runtime.processes import device_in_words
from renaissance.runtime.records import End, JobResult, ParameterCounts, Prediction, Start
from renaissance.runtime.results import write_result
from renaissance.runtime.training.beginning import Beginning, begin
from renaissance.runtime.training.caching import cached_features
from renaissance.runtime.training.examples import examples
from renaissance.runtime.training.loop import run_steps
from renaissance.runtime.training.preparation import Prepared, prepare
from renaissance.runtime.training.progress import Progress
from renaissance.runtime.training.session import Session
from renaissance.runtime.training.setup import Setup, set_up
from renaissance.runtime.training.training import ByProtocol, Training


@exact_float32()
def train_job(session: Session, by_protocol: ByProtocol) -> JobResult:
    """Train one job to its end, from its last usable checkpoint if there is one.

    Args:
        session: of a pretraining or fine-tuning.
        by_protocol: measures held-out data where another metric than the mean credit selects.

    Raises:
        JobError: if the job cannot start or go on.
        InterruptionError: if a signal asked to stop.
        DataError: if the data do not allow to go on.
        CompileError: if the model cannot be built.
    """
    processes = session.processes
    setup = set_up(session)
    freezing = resolve(setup.model, session.declared.frozen)
    checkpoints = Checkpoints(session.home, session.training.keep)
    beginning = begin(session, setup, freezing, checkpoints)
    prepared = prepare(session, setup, freezing, beginning)
    state = beginning.state
    writes = session.home if processes.first else None
    with closing(Log(writes, state.step, session.observer)) as log:
        log.write(_started(session, setup, beginning, prepared))
        for sentence in (*setup.notices, *beginning.notices, *prepared.notices):
            log.notice(sentence)
        if left := exclusions(setup.data.part("train").table.excluded):
            log.notice(f"nothing is learned from {left} (`exclude`)")
        with cached_features(session, setup, prepared.objectives, prepared.precision, log):
            setup.data.read_for(processes.device, log.notice)
            training = Training.of(
                session, setup, freezing, beginning, prepared, checkpoints, log, by_protocol
            )
            progress = Progress.at(state)
            if processes.first:
                checkpoints.mark_best(progress.best, state.spec_hash)
            with explained() if prepared.compiled else nullcontext():
                run_steps(training, progress)
            # Its last checkpoint has compared them.
            for sentence in beginning.contract.sentences:
                log.notice(sentence)
            shown = examples(
                prepared.objectives, setup.data, VALIDATION, prepared.precision, processes.device
            )
        result = _result(session, state.total_steps, progress, shown)
        if processes.first:
            write_result(session.home, result)
        log.write(End(step=state.total_steps, seconds=progress.seconds))
    processes.wait()
    return result


def _started(session: Session, setup: Setup, beginning: Beginning, prepared: Prepared) -> Start:
    state, ranks = beginning.state, session.processes.ranks
    parameters = list(setup.model.parameters())
    device = device_in_words(session.processes.device)
    return Start(
        job=state.job,
        spec_hash=state.spec_hash,
        versions=state.versions,
        device=f"{device}, {ranks} processes" if ranks > 1 else device,
        parameters=ParameterCounts(
            total=sum(p.numel() for p in parameters),
            trainable=sum(p.numel() for p in parameters if p.requires_grad),
        ),
        step=state.step,
        total_steps=state.total_steps,
        compiled=prepared.compiled,
    )


def _result(
    session: Session, total_steps: int, progress: Progress, shown: tuple[Prediction, ...]
) -> JobResult:
    best, seconds = progress.best, progress.seconds
    measured = {} if best is None else {**best.metrics, **best.losses}
    return JobResult(
        job=session.name,
        kind=session.training.job,
        spec_hash=session.spec.hash,
        split="validation" if measured else None,
        metrics=measured,
        selected_by=best.selected_by if best is not None and measured else None,
        best_step=best.step if best is not None else None,
        weights="average" if session.training.average and measured else None,
        seconds=seconds,
        steps=total_steps,
        texts_per_second=progress.texts / max(seconds, 1e-9),
        samples=shown,
    )

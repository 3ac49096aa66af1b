"""Features that are kept on disk, for the time of a job."""

from collections.abc import Iterator
from contextlib import contextmanager

from renaissance.compiler.step import Objectives
from renaissance.runtime.log import Log
from renaissance.runtime.precision import Precision
from renaissance.runtime.training.kept_features import Kept, kept_features
from renaissance.runtime.training.session import Session
from renaissance.runtime.training.setup import Setup


@contextmanager
def cached_features(
    session: Session, setup: Setup, objectives: Objectives, precision: Precision, log: Log
) -> Iterator[None]:
    """Let batches hold features of the frozen towers meanwhile, and say at the end what it saved.

    Args:
        session: of the job.
        setup: its data, and its model on the device, with the weights and the modes of the job.
        objectives: the model with its losses.
        precision: of the forward pass.
        log: is told what a person should know.
    """
    kept: tuple[Kept, ...] = ()
    try:
        kept = kept_features(
            session.spec,
            session.name,
            setup.model,
            setup.data,
            precision=precision,
            processes=session.processes,
            tell=log.notice,
        )
        objectives.cached = {one.stream: one.tower for one in kept}
        yield
        for one in kept:
            log.notice(one.sentence(session.processes))
    finally:
        for one in kept:
            one.keeper.close()

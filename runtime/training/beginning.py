"""Where a training begins: at its newest checkpoint, with the weights of a source, or anew."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from renaissance.compiler.adapters import is_of_adapter
from renaissance.compiler.freeze import FreezePlan
from renaissance.compiler.model import VisionLanguageModel
from renaissance.runtime.checkpoint import Checkpoint, State, read_checkpoint
from renaissance.runtime.checkpoints import Checkpoints, best_checkpoint
from renaissance.runtime.processes import Processes
from renaissance.runtime.training.belonging import belongs
from renaissance.runtime.training.frozen import FrozenContract
from renaissance.runtime.training.session import Session
from renaissance.runtime.training.setup import Setup
from renaissance.runtime.training.transfer import references_of, start_from
from renaissance.runtime.versions import versions
from renaissance.runtime.weights import restore

TABLE = "weights.tsv"
"""Of a job that starts from a published model: what each tensor is called there, and here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    """Where a training begins or goes on; the model has the weights of that step.

    Attributes:
        state: of that step; its tables go into every checkpoint.
        checkpoint: that it goes on from; None if it begins.
        contract: what must not change.
        referable: frozen tensors that a pretrained backbone gives exactly as they are, so that
            checkpoints need not hold them.
        notices: sentences on what was taken over, passed over or is another than before.
    """

    state: State
    checkpoint: Checkpoint | None
    contract: FrozenContract
    referable: frozenset[str]
    notices: tuple[str, ...]

    @property
    def same_data(self) -> bool:
        """Whether the job learns from the same data as it did until its checkpoint, if any."""
        before = {} if self.checkpoint is None else self.checkpoint.state.data
        return before.get("train") == self.state.data.get("train")


def begin(
    session: Session, setup: Setup, freezing: FreezePlan, checkpoints: Checkpoints
) -> Beginning:
    """Give a model the weights that its training begins or goes on with.

    Args:
        session: of the job.
        setup: its data and its model, as built.
        freezing: what is frozen when; is applied.
        checkpoints: of the job.

    Raises:
        CheckpointError: if there are weights to begin with and they cannot be used.
        FrozenChangedError: if frozen tensors of a checkpoint are not those of the job's start.
    """
    model, total = setup.model, setup.data.total_steps
    freezing.apply(model, 0, total)
    references = references_of(model)
    as_built = FrozenContract(model).hashes if references else {}
    anew = State(
        job=session.name,
        spec_hash=session.spec.hash,
        step=0,
        total_steps=total,
        versions=versions(),
        answers=setup.data.answers,
        vocabulary=setup.data.tokenizer.digest,
        data=setup.data.digests,
        references=references,
    )
    notices: list[str] = []
    fits = belongs(anew, session.hashes, model, as_built)
    checkpoint = _newest(checkpoints, session.processes, fits, notices)
    if checkpoint is None:
        notices += _from_source(session, setup)
        state, contract = anew, FrozenContract(model)
    else:
        restore(model, checkpoint.model, checkpoint.state.referenced)
        state = _gone_on(checkpoint.state, anew)
        freezing.apply(model, max(state.step - 1, 0), total)
        notices += _resumed(checkpoint.state, anew)
        contract = FrozenContract(model, state.frozen)
        contract.check(f"in checkpoint `{checkpoint.path.name}`")
    return Beginning(
        state=state,
        checkpoint=checkpoint,
        contract=contract,
        referable=_referable(model, as_built, contract.hashes),
        notices=tuple(notices),
    )


def _newest(
    checkpoints: Checkpoints,
    processes: Processes,
    fits: Callable[[Checkpoint], None],
    notices: list[str],
) -> Checkpoint | None:
    """Return the checkpoint to go on from, the same in all processes; None to begin."""
    newest = None
    if processes.first:
        checkpoints.sweep()
        newest = checkpoints.newest(fits, notices.append)
    step = processes.of_first(None if newest is None else newest.state.step)
    if step is None or newest is not None:
        return newest
    return read_checkpoint(checkpoints.path(step))


def _from_source(session: Session, setup: Setup) -> tuple[str, ...]:
    """Take over the weights of the job that this one starts from, if any; say which."""
    job = session.training
    started = setup.model.started
    if job.source is None and started is None:
        return ()
    if job.source is None:
        path = session.folder / job.name / TABLE
        if session.processes.first:
            lines = "".join(f"{theirs}\t{ours}\n" for theirs, ours in started.table)
            path.write_text(f"{started.path}\tmodel {setup.model.name}\n{lines}", "utf-8")
        return (*started.sentences, f"which tensor is which stands in `{job.name}/{TABLE}`")
    source = best_checkpoint(session.folder / job.source, session.hashes)
    return start_from(setup.model, source, references_of(setup.model)).sentences(job.source)


def _gone_on(before: State, now: State) -> State:
    """Return the state of a checkpoint as this process takes it up."""
    taken = now.model_dump(include={"format", "spec_hash", "vocabulary", "versions", "data"})
    state = before.model_copy(update=taken)
    held_out = now.data["validation"]
    if before.data.get("validation", held_out) == held_out:
        return state
    return state.model_copy(update={"best": None, "validated": -1})


def _resumed(before: State, now: State) -> list[str]:
    """Say where a job goes on, and what is not as it was when the checkpoint was written."""
    notices = [f"the job goes on after step {before.step} of {before.total_steps}"]
    if now.versions != before.versions:
        packages = sorted(before.versions.keys() | now.versions.keys())
        changed = ", ".join(
            f"{package} {before.versions.get(package, 'absent')} before, "
            f"{now.versions.get(package, 'absent')} now"
            for package in packages
            if before.versions.get(package) != now.versions.get(package)
        )
        notices.append(f"the job goes on with other versions than it began with: {changed}")
    parts = {part for part in now.data if before.data.get(part, now.data[part]) != now.data[part]}
    if "train" in parts:
        notices.append(
            "the texts and images to learn from are not those that the job began with; it goes on "
            f"with the new ones after step {before.step}"
        )
    if "validation" in parts:
        notices.append(
            "the held-out texts and images are not those that the job began with: what was "
            "measured before cannot be compared, and the best checkpoint is chosen anew"
        )
    return notices


def _referable(
    model: VisionLanguageModel, as_built: Mapping[str, str], frozen: Mapping[str, str]
) -> frozenset[str]:
    """Return the frozen tensors that a pretrained backbone gives exactly as they are."""
    roots = {
        "fusion.encoder." if root == model.fusion_name else f"streams.{root}."
        for root in model.references()
    }
    return frozenset(
        name
        for name, value in frozen.items()
        if as_built.get(name) == value and name.startswith(tuple(roots)) and not is_of_adapter(name)
    )

"""Training one job: set up or resume, run the loop, write the result."""

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from pathlib import Path

from renaissance.compiler import build
from renaissance.compiler.backbones.content import tensor_hash
from renaissance.compiler.freeze import resolve
from renaissance.compiler.heads import CLASSES
from renaissance.compiler.lowering.attention import PRODUCTS, check_device
from renaissance.compiler.lowering.compilation import compile_layers, explained, repeated_layers
from renaissance.compiler.lowering.constancy import hold_in_low_precision
from renaissance.compiler.lowering.recomputation import recompute_layers
from renaissance.compiler.model import VisionLanguageModel
from renaissance.grammar.schema.jobs import Finetune, Pretrain
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime.checkpoint import Checkpoint, State, read_checkpoint
from renaissance.runtime.checkpoints import Checkpoints, best_checkpoint
from renaissance.runtime.data import JobData, job_data
from renaissance.runtime.errors import CheckpointError, JobError
from renaissance.runtime.features.opening import Kept, kept_features
from renaissance.runtime.frozen import FrozenContract
from renaissance.runtime.log import Log
from renaissance.runtime.loop import Loop
from renaissance.runtime.memory import recomputes
from renaissance.runtime.observer import Observer
from renaissance.runtime.optimization import Optimization
from renaissance.runtime.precision import Precision, exact_float32, slow_on
from renaissance.runtime.processes import Processes, device_in_words
from renaissance.runtime.records import End, JobResult, Notice, ParameterCounts, Start
from renaissance.runtime.results import write_result
from renaissance.runtime.scoring import Objectives
from renaissance.runtime.sharding import shard
from renaissance.runtime.signals import StopRequest
from renaissance.runtime.threads import fit_threads
from renaissance.runtime.transfer import references_of, start_from
from renaissance.runtime.versions import versions
from renaissance.runtime.vocabulary import check_vocabulary, kept_vocabulary
from renaissance.runtime.weights import differences, listed, model_tensors, restore


@exact_float32()
def train_job(
    spec: Spec,
    name: str,
    folder: Path,
    *,
    processes: Processes,
    request: StopRequest,
    observer: Observer,
) -> JobResult:
    """Train one job to its end, from its last usable checkpoint if there is one.

    Args:
        spec: the whole experiment.
        name: of a pretraining or fine-tuning.
        folder: of the run; the job has a folder of its name in it.
        processes: that share the job.
        request: to stop.
        observer: is told what happens.

    Raises:
        JobError: if the job cannot start or go on.
        InterruptionError: if a signal asked to stop.
        DataError: if the data do not allow to go on.
        CompileError: if the model cannot be built.
    """
    job = spec.training_job(name)
    check_device(spec.model_of(name).attention, processes.device, PRODUCTS[job.precision])
    home = folder / name
    if processes.first:
        home.mkdir(parents=True, exist_ok=True)
    vocabulary = kept_vocabulary(spec, name, folder)
    data = job_data(spec, name, vocabulary.tokenizer)
    notices = [*vocabulary.settle(data.tokenizer, write=processes.first)]
    total = data.total_steps
    _check_answers(job, data)
    model = build(spec, job=name)
    check_vocabulary(model, data.tokenizer)
    if processes.device.type == "cpu":
        fit_threads(model, job.micro_batch or -(-job.batch // processes.ranks))
    plan = resolve(model, spec.model_of(name).freeze)
    plan.apply(model, 0, total)
    references = references_of(model)
    as_built = FrozenContract(model).hashes if references else {}
    start = State(
        job=name,
        spec_hash=spec.hash,
        step=0,
        total_steps=total,
        versions=versions(),
        answers=data.answers,
        vocabulary=data.tokenizer.digest,
        data=data.digests,
        references=references,
    )
    checkpoints = Checkpoints(home, job.keep)
    checkpoint = _resumed(checkpoints, processes, _fits(start, model, as_built), notices)
    if checkpoint is not None:
        restore(model, checkpoint.model, checkpoint.state.referenced)
        before = checkpoint.state
        notices += _other_versions(before.versions, start.versions)
        notices += _other_data(before, start.data)
        start = _gone_on(before, start)
        plan.apply(model, max(start.step - 1, 0), total)
    elif isinstance(job, Finetune) and job.source is not None:
        source = best_checkpoint(folder / job.source, spec.hash)
        notices += start_from(model, source, references).sentences(job.source)
    contract = FrozenContract(model, start.frozen if checkpoint is not None else None)
    if checkpoint is not None:
        contract.check(f"in checkpoint `{checkpoint.path.name}`")
    referable = _referable(model, as_built, contract.hashes)
    precision = Precision(job.precision, processes.device, ranks=processes.ranks)
    originals = {}
    if precision.dtype is not None:
        never = plan.frozen(total - 1, total)
        originals = hold_in_low_precision(model, never, precision.dtype)
        contract.hold(originals)
        originals = {key: value for key, value in originals.items() if key not in referable}
    compiled = compile_layers(model, processes.device) if job.compile == "layers" else ()
    recomputing = recomputes(spec, name, data, processes)
    if recomputing is not None:
        recompute_layers(repeated_layers(model).values())
        notices.append(recomputing)
    objectives = Objectives(model, spec.model_of(name))
    if job.shard == "full" and processes.ranks > 1:
        if plan.next_change(0, total) is not None:
            raise JobError(
                f"job `{name}` has `shard = full` and a `freeze … until`: how weights are split "
                "is decided at the start; write `shard = none` or leave out `until`"
            )
        shard(objectives, plan.frozen(total - 1, total), processes)
    model.to(processes.device)
    model.train()
    slow = slow_on(job.precision, processes.device)
    notices += [] if slow is None else [slow]
    if compiled:
        notices.append(f"{len(compiled)} layers are compiled while the first steps run")
    optimization = Optimization(model, job.optimizer, job.scale_lr)
    if checkpoint is not None:
        optimization.load(checkpoint.optimizer)
        precision.load(start.scaler)
    log = Log(home if processes.first else None, start.step, observer)
    kept: tuple[Kept, ...] = ()
    try:
        log.write(_started(start, model, processes, compiled))
        for sentence in notices:
            log.write(Notice(text=sentence))
        kept = kept_features(
            spec,
            name,
            model,
            data,
            precision=precision,
            processes=processes,
            tell=lambda sentence: log.write(Notice(text=sentence)),
        )
        objectives.known = {one.stream: one.tower for one in kept}
        data.read_for(processes.device, lambda sentence: log.write(Notice(text=sentence)))
        loop = Loop(
            job=job,
            folder=home,
            model=model,
            objectives=objectives,
            plan=plan,
            contract=contract,
            optimization=optimization,
            precision=precision,
            data=data,
            state=start,
            as_built=referable,
            originals=originals,
            processes=processes,
            request=request,
            observer=observer,
            log=log,
        )
        if processes.first:
            checkpoints.mark_best(loop.best, start.spec_hash)
        with explained() if compiled else nullcontext():
            loop.run()
        for one in kept:
            log.write(Notice(text=one.sentence(processes)))
        result = _result(job, loop, start)
        if processes.first:
            write_result(home, result)
        log.write(End(step=total, seconds=loop.seconds))
    finally:
        for one in kept:
            one.keeper.close()
        log.close()
    processes.wait()
    return result


def _check_answers(job: Pretrain | Finetune, data: JobData) -> None:
    if isinstance(job, Finetune) and len(data.answers) > CLASSES[type(job.task)]:
        raise JobError(
            f"the data of job `{job.name}` have {len(data.answers)} answers, "
            f"the task `{job.task.task}` has {CLASSES[type(job.task)]}"
        )


def _resumed(
    checkpoints: Checkpoints,
    processes: Processes,
    fits: Callable[[Checkpoint], None],
    notices: list[str],
) -> Checkpoint | None:
    """Return the checkpoint to go on from, the same in all processes; None to begin."""
    found = None
    if processes.first:
        checkpoints.sweep()
        found = checkpoints.newest(fits, notices.append)
    step = processes.of_first(None if found is None else found.state.step)
    if step is None or found is not None:
        return found
    return read_checkpoint(checkpoints.path(step))


def _fits(
    start: State, model: VisionLanguageModel, as_built: Mapping[str, str]
) -> Callable[[Checkpoint], None]:
    """Return a function that refuses a checkpoint of anything but this very job.

    Args:
        start: what a checkpoint of this job says.
        model: as built.
        as_built: hashes of frozen tensors that checkpoints may leave to a reference, by name.
    """
    needed, _ = model_tensors(model)

    ours = start.spec_hash[:12]

    def fits(checkpoint: Checkpoint) -> None:
        state = checkpoint.state
        facts = (
            ("job", state.job, start.job),
            # Earlier versions took the hash of other keys; spec.json says that it is the same spec.
            ("spec hash", state.spec_hash[:12] if state.format > 1 else ours, ours),
            ("number of steps", state.total_steps, start.total_steps),
            ("answers", state.answers, start.answers),
            ("vocabulary", state.vocabulary or start.vocabulary, start.vocabulary),
            ("pretrained weights", state.references, start.references),
        )
        for what, theirs, wanted in facts:
            if theirs != wanted:
                told = f": {theirs} instead of {wanted}" if len(f"{theirs}{wanted}") < 80 else ""
                raise CheckpointError(f"its {what} is not that of this job{told}")
        found = differences(needed, checkpoint.model, absent=state.referenced)
        if found:
            raise CheckpointError(f"its tensors are not those of model `{model.name}`: {found}")
        moved = [
            name
            for name, value in state.frozen.items()
            if _hash(checkpoint, name) not in (None, value)
        ]
        moved += [name for name in state.referenced if as_built.get(name) != state.frozen.get(name)]
        if moved:
            raise CheckpointError(
                f"frozen tensors are not those of the job's start: {listed(moved)}"
            )

    return fits


def _hash(checkpoint: Checkpoint, name: str) -> str | None:
    """Return the hash of a tensor; None if it is not stored."""
    tensor = checkpoint.model.get(checkpoint.state.shared.get(name, name))
    return None if tensor is None else tensor_hash(tensor)


def _other_versions(before: dict[str, str], now: dict[str, str]) -> list[str]:
    changed = [
        f"{package} {before.get(package, 'absent')} before, {now.get(package, 'absent')} now"
        for package in sorted(before.keys() | now.keys())
        if before.get(package) != now.get(package)
    ]
    if not changed:
        return []
    return [f"the job goes on with other versions than it began with: {', '.join(changed)}"]


def _other_data(before: State, now: dict[str, str]) -> list[str]:
    """Say which parts of the data are not what they were when a checkpoint was written."""
    changed = {part for part in now if before.data.get(part, now[part]) != now[part]}
    told = []
    if "train" in changed:
        told.append(
            "the texts and images to learn from are not those that the job began with; it goes on "
            f"with the new ones after step {before.step}"
        )
    if "validation" in changed:
        told.append(
            "the held-out texts and images are not those that the job began with: what was "
            "measured before cannot be compared, and the best checkpoint is chosen anew"
        )
    return told


def _gone_on(before: State, now: State) -> State:
    """Return the state of a checkpoint as this process takes it up."""
    ours = now.model_dump(include={"format", "spec_hash", "vocabulary", "versions", "data"})
    state = before.model_copy(update=ours)
    held_out = now.data["validation"]
    if before.data.get("validation", held_out) == held_out:
        return state
    return state.model_copy(update={"best": None, "validated": -1})


def _referable(
    model: VisionLanguageModel, as_built: dict[str, str], frozen: dict[str, str]
) -> frozenset[str]:
    """Return the frozen tensors that a pretrained backbone gives exactly as they are."""
    roots = {
        "fusion.encoder." if root == model.fusion_name else f"streams.{root}."
        for root in model.references()
    }
    return frozenset(
        name
        for name, value in frozen.items()
        if as_built.get(name) == value and name.startswith(tuple(roots))
    )


def _started(
    state: State, model: VisionLanguageModel, processes: Processes, compiled: tuple[str, ...]
) -> Start:
    parameters = list(model.parameters())
    return Start(
        job=state.job,
        spec_hash=state.spec_hash,
        versions=state.versions,
        device=device_in_words(processes.device)
        + (f", {processes.ranks} processes" if processes.ranks > 1 else ""),
        parameters=ParameterCounts(
            total=sum(p.numel() for p in parameters),
            trainable=sum(p.numel() for p in parameters if p.requires_grad),
        ),
        step=state.step,
        total_steps=state.total_steps,
        compiled=compiled,
    )


def _result(job: Pretrain | Finetune, loop: Loop, state: State) -> JobResult:
    best = loop.best
    measured = {} if best is None else {**best.metrics, **best.losses}
    return JobResult(
        job=job.name,
        kind=job.job,
        spec_hash=state.spec_hash,
        split="validation" if measured else None,
        metrics=measured,
        seconds=loop.seconds,
        steps=state.total_steps,
        texts_per_second=loop.texts / max(loop.seconds, 1e-9),
    )

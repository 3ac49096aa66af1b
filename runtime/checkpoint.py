"""One checkpoint on disk: tensors as safetensors, the rest as JSON, written whole or not at all."""

import hashlib
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict
from safetensors import SafetensorError

from renaissance.grammar.writing import draft_of, to_disk, write_whole
from renaissance.runtime.errors import CheckpointError, DamageError, JobError
from renaissance.runtime.sealed import seal, unseal
from renaissance.runtime.surroundings import DISK_FULL, reason

if TYPE_CHECKING:
    from torch import Tensor

MODEL = "model.safetensors"
OPTIMIZER = "optimizer.safetensors"
AVERAGE = "average.safetensors"
MOMENTUM = "momentum.safetensors"
STATE = "state.json"
REPLACED = ".replaced-"
"""What stands before the name of a checkpoint that gives way to another one."""
_CHUNK = 1 << 22


class Stored(BaseModel):
    """A part of `state.json`; numbers that are not finite are strings, which JSON allows."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings")


class FileDigest(Stored):
    """What a file must be like to be whole: its size in bytes and its SHA-256."""

    bytes: int
    sha256: str


class Reference(Stored):
    """Where tensors come from that are not stored: a pretrained backbone and its content hash.

    Two are equal where their content is: a folder may be moved.
    """

    id: str
    revision: str | None
    content: str

    def __eq__(self, other: object) -> bool:
        """Compare the content."""
        return isinstance(other, Reference) and self.content == other.content

    def __hash__(self) -> int:
        """Return what is equal for equal content."""
        return hash(self.content)


class Best(Stored):
    """The best validation so far.

    Attributes:
        step: steps that were done before it.
        score: what is compared, larger is better; the first entry counts, then the next. Empty
            where nothing was held out: the last weights count as the best.
        losses: weighted sum and losses by name.
        metrics: by name.
        selected_by: the metric that is compared, or `loss`; empty where nothing was held out, or
            an earlier version wrote the file.
    """

    step: int
    score: tuple[float, ...]
    losses: dict[str, float]
    metrics: dict[str, float]
    selected_by: str = ""


class State(Stored):
    """Everything of a checkpoint that is no tensor.

    Attributes:
        format: of the files; from 2 on `state.json` carries its own digest.
        job: name of the job.
        spec_hash: identity of the resolved spec.
        step: steps that are done.
        total_steps: of the whole job.
        validated: step of the last validation; -1 before the first.
        seconds: time the job has taken so far.
        texts: texts the job has learned from so far.
        versions: by package name.
        answers: of the task, in the order of the head's classes.
        vocabulary: digest of the tokenizer; empty where an earlier version wrote the file.
        data: digest of each part of the data, by its name; empty where an earlier version wrote
            the file.
        best: the best validation so far.
        scaler: state of the fp16 loss scaler; empty without one.
        frozen: SHA-256 of every frozen tensor, by name, since the job's start.
        references: of pretrained backbones, by root address.
        referenced: names of tensors that are exactly as their reference gives them, so that they
            are not stored.
        shared: other names of stored tensors, each with the name that it is stored under.
        files: digests of the files of tensors.
    """

    format: Literal[1, 2] = 2
    job: str
    spec_hash: str
    step: int
    total_steps: int
    validated: int = -1
    seconds: float = 0.0
    texts: int = 0
    versions: dict[str, str] = {}
    answers: tuple[str, ...] = ()
    vocabulary: str = ""
    data: dict[str, str] = {}
    best: Best | None = None
    scaler: dict[str, float] = {}
    frozen: dict[str, str] = {}
    references: dict[str, Reference] = {}
    referenced: tuple[str, ...] = ()
    shared: dict[str, str] = {}
    files: dict[str, FileDigest] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """What was read.

    Attributes:
        path: its folder.
        state: the part that is no tensor.
        model: tensors of the model by name.
        optimizer: tensors of the optimizer as `name/field`; empty if not asked for.
        average: averages of the weights that learn, by name; empty where the job has none.
        momentum: moving copies and queues; empty if not asked for, or where the job has none.
    """

    path: Path
    state: State
    model: "Mapping[str, Tensor]"
    optimizer: "Mapping[str, Tensor]"
    average: "Mapping[str, Tensor]"
    momentum: "Mapping[str, Tensor]"

    @property
    def measured(self) -> "Mapping[str, Tensor]":
        """Tensors of the model as validations measured it: averages where the job has them."""
        return {**self.model, **self.average}


def write_checkpoint(
    path: Path,
    state: State,
    model: "Mapping[str, Tensor]",
    optimizer: "Mapping[str, Tensor]",
    average: "Mapping[str, Tensor] | None" = None,
    momentum: "Mapping[str, Tensor] | None" = None,
) -> State:
    """Write a checkpoint beside `path`, make sure that it is on disk, and give it its name.

    Args:
        path: its folder.
        state: the part that is no tensor.
        model: tensors of the model by name.
        optimizer: tensors of the optimizer as `name/field`.
        average: averages of the weights that learn, by name; None writes no file of them.
        momentum: moving copies and queues, likewise.

    Returns:
        The state as it was written, with digests of the files.

    Raises:
        JobError: if it cannot be written; nothing of it is left then.
    """
    from safetensors import torch  # which of a run's checkpoints there are is known without it

    draft = draft_of(path)
    try:
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        files = {}
        for name, tensors in _files(model, optimizer, average, momentum).items():
            plain = {key: tensor.detach().cpu().contiguous() for key, tensor in tensors.items()}
            torch.save_file(plain, draft / name)
            files[name] = digest_of(draft / name)
            to_disk(draft / name)
        state = state.model_copy(update={"files": files})
        (draft / STATE).write_text(seal(state), encoding="utf-8")
        to_disk(draft / STATE)
        to_disk(draft)
        replaced = path.with_name(f"{REPLACED}{path.name}")
        if path.exists():
            path.rename(replaced)
        draft.rename(path)
        to_disk(path.parent)
        shutil.rmtree(replaced, ignore_errors=True)
    except (OSError, SafetensorError) as problem:
        shutil.rmtree(draft, ignore_errors=True)
        raise JobError(
            f"the checkpoint of step {state.step} cannot be written to `{path.parent}`: "
            f"{_reason(problem)}; earlier checkpoints are as they were"
        ) from None
    return state


def _files(
    model: "Mapping[str, Tensor]",
    optimizer: "Mapping[str, Tensor]",
    average: "Mapping[str, Tensor] | None",
    momentum: "Mapping[str, Tensor] | None",
) -> "dict[str, Mapping[str, Tensor]]":
    """Return what goes into which file."""
    more = {AVERAGE: average, MOMENTUM: momentum}
    there = {name: tensors for name, tensors in more.items() if tensors is not None}
    return {MODEL: model, OPTIMIZER: optimizer, **there}


def rewrite_state(path: Path, state: State) -> None:
    """Replace what a checkpoint says beside its tensors.

    Raises:
        JobError: if it cannot be written; the checkpoint is as it was then.
    """
    try:
        write_whole(path / STATE, seal(state))
    except OSError as problem:
        raise JobError(f"`{path / STATE}` cannot be written: {_reason(problem)}") from None


def read_state(path: Path) -> State:
    """Read the part of a checkpoint that is no tensor.

    Raises:
        CheckpointError: if it is missing, damaged, or of another step than its folder.
    """
    try:
        state = unseal(path / STATE, State, "state of a checkpoint")
    except FileNotFoundError:
        raise DamageError(f"`{path / STATE}` cannot be read: there is no such file") from None
    if path.name != folder_name(state.step):
        raise DamageError(f"`{path / STATE}` is the state of step {state.step}")
    return state


def folder_name(step: int) -> str:
    """Return what the folder of a step's checkpoint is called."""
    return f"step-{step:08d}"


def read_checkpoint(path: Path, *, optimizer: bool = True) -> Checkpoint:
    """Read a checkpoint and make sure that it is what was written.

    Args:
        path: its folder.
        optimizer: read the optimizer's part too, and moving copies.

    Raises:
        CheckpointError: if a file is missing, cut off or changed.
    """
    from safetensors import torch

    state = read_state(path)
    tensors: dict[str, dict[str, Tensor]] = {
        name: {} for name in (MODEL, OPTIMIZER, AVERAGE, MOMENTUM)
    }
    there = [MODEL, *(name for name in (AVERAGE,) if name in state.files)]
    if optimizer:
        there += [OPTIMIZER, *(name for name in (MOMENTUM,) if name in state.files)]
    for name in there:
        _check_whole(path / name, state.files.get(name))
        try:
            tensors[name] = torch.load_file(path / name)
        except (OSError, SafetensorError) as problem:
            raise CheckpointError(f"`{path / name}` cannot be read: {problem}") from None
    return Checkpoint(
        path=path,
        state=state,
        model=tensors[MODEL],
        optimizer=tensors[OPTIMIZER],
        average=tensors[AVERAGE],
        momentum=tensors[MOMENTUM],
    )


def digest_of(path: Path) -> FileDigest:
    """Return size and SHA-256 of a file."""
    digest = hashlib.sha256()
    size = 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
    return FileDigest(bytes=size, sha256=digest.hexdigest())


def _check_whole(path: Path, expected: FileDigest | None) -> None:
    if expected is None:
        raise CheckpointError(f"`{path.parent / STATE}` says nothing about `{path.name}`")
    try:
        size = path.stat().st_size
        if size != expected.bytes:
            raise CheckpointError(
                f"`{path}` is cut off or was replaced: it has {size} bytes, not {expected.bytes}"
            )
        if digest_of(path) != expected:
            raise CheckpointError(f"the content of `{path}` is not what was written (SHA-256)")
    except OSError as problem:
        raise CheckpointError(f"`{path}` cannot be read: {problem.strerror}") from None


def _reason(problem: Exception) -> str:
    if isinstance(problem, OSError):
        return reason(problem)
    # safetensors reports the operating system's error as text only.
    full = any(f"(os error {number})" in str(problem) for number in DISK_FULL)
    return "the disk is full" if full else str(problem)

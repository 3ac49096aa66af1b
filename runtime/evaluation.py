"""Measuring a fine-tuned model on a split: metrics, confusion, predictions."""

import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from renaissance.compiler import build
from renaissance.compiler.lowering.attention import PRODUCTS, check_device
from renaissance.grammar.outputs import refusal
from renaissance.grammar.schema.jobs import Evaluate
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime.checkpoints import best_checkpoint
from renaissance.runtime.data import (
    UNKNOWN_ANSWER,
    Batch,
    DataError,
    JobData,
    TaskBatch,
    job_data,
)
from renaissance.runtime.data.moving import moved
from renaissance.runtime.errors import CheckpointError, InterruptionError, JobError, UsageError
from renaissance.runtime.features.opening import Kept, kept_features
from renaissance.runtime.log import Log
from renaissance.runtime.observer import Observer
from renaissance.runtime.precision import Precision, exact_float32
from renaissance.runtime.processes import Processes, device_in_words
from renaissance.runtime.records import End, JobResult, Notice, Prediction, Start, Unreadable
from renaissance.runtime.results import write_result
from renaissance.runtime.scoring import Objectives
from renaissance.runtime.signals import StopRequest
from renaissance.runtime.threads import fit_threads
from renaissance.runtime.transfer import differing_references, references_of
from renaissance.runtime.versions import versions
from renaissance.runtime.vocabulary import check_vocabulary, kept_vocabulary
from renaissance.runtime.weights import restore

MOST_ANSWERS = 200
"""Up to how many answers a result holds the whole table of true and predicted ones."""
SAMPLES = 24
"""Predictions shown to people: evenly over the split, and as many wrong ones at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What a model said, row by row.

    Attributes:
        samples: `[rows]` int64, index into the split's table.
        labels: `[rows]` int64, `UNKNOWN_ANSWER` for answers that training never saw.
        predictions: `[rows]` int64, the answer of the highest probability.
        probabilities: `[rows]` float32, of the predictions.
        loss: sum of the cross entropy over the rows with a known answer.
    """

    samples: Tensor
    labels: Tensor
    predictions: Tensor
    probabilities: Tensor
    loss: float


@exact_float32()
def evaluate_job(
    spec: Spec,
    name: str,
    folder: Path,
    *,
    processes: Processes,
    request: StopRequest,
    observer: Observer,
) -> JobResult:
    """Measure the best weights of a fine-tuning.

    Args:
        spec: the whole experiment.
        name: of an evaluation.
        folder: of the run.
        processes: that share the split.
        request: to stop.
        observer: is told what happens.

    Raises:
        JobError: if the fine-tuning has no usable result.
        DataError: if the data do not allow it.
    """
    began = time.monotonic()
    job = spec.jobs[name]
    if not isinstance(job, Evaluate):
        raise JobError(f"job `{name}` is no evaluation")
    trained = spec.training_job(name)
    check_device(spec.model_of(name).attention, processes.device, PRODUCTS[trained.precision])
    checkpoint = best_checkpoint(folder / trained.name, spec.hash)
    vocabulary = kept_vocabulary(spec, trained.name, folder)
    data = job_data(spec, name, vocabulary.tokenizer)
    notices = vocabulary.settle(data.tokenizer, write=processes.first)
    model = build(spec, job=name)
    check_vocabulary(model, data.tokenizer)
    if processes.device.type == "cpu":
        fit_threads(model, trained.micro_batch or -(-trained.batch // processes.ranks))
    if any(differing_references(checkpoint.state, model, references_of(model))):
        raise CheckpointError(
            f"the pretrained weights are not those that job `{trained.name}` was trained on"
        )
    if checkpoint.state.answers != data.answers:
        raise CheckpointError(
            f"the answers of the data are not those that job `{trained.name}` learned"
        )
    restore(model, checkpoint.model, checkpoint.state.referenced)
    model.to(processes.device).eval()
    home = folder / name
    if processes.first:
        home.mkdir(parents=True, exist_ok=True)
    log = Log(home if processes.first else None, 0, observer)
    precision = Precision(trained.precision, processes.device)
    kept: tuple[Kept, ...] = ()
    try:
        log.write(
            Start(
                job=name,
                spec_hash=spec.hash,
                versions=versions(),
                device=device_in_words(processes.device),
            )
        )
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
        objectives = Objectives(model, spec.model_of(name))
        objectives.known = {one.stream: one.tower for one in kept}
        data.read_for(processes.device, lambda sentence: log.write(Notice(text=sentence)))
        for sentence in _seen_before(data, job.split):
            log.write(Notice(text=sentence))
        observer.begin(name, "evaluate", len(data.part(job.split)))
        started = time.monotonic()
        answers = _answers(
            objectives,
            data.split(job.split, job.batch, processes.rank, processes.ranks),
            len(data.answers),
            precision,
            processes,
            request,
            observer,
        )
        measuring = time.monotonic() - started
        observer.finish("evaluate")
        for one in kept:
            log.write(Notice(text=one.sentence(processes)))
        seconds = time.monotonic() - began
        result = _result(job, spec, data, answers, seconds, measuring)
        unreadable = data.unreadable
        if unreadable:
            paths = tuple(path for path, _ in unreadable)
            log.write(Unreadable(paths=paths, count=len(paths)))
        unknown = data.unknown_answers(job.split)
        if unknown:
            log.write(
                Notice(
                    text=f"{unknown.total()} questions of `{job.split}` have answers that training "
                    "never saw; they count as wrong"
                )
            )
        if processes.first:
            if job.write is not None:
                _write(folder / job.write, job, data, answers)
            write_result(home, result)
        log.write(End(step=0, seconds=seconds))
    finally:
        for one in kept:
            one.keeper.close()
        log.close()
    processes.wait()
    return result


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


def _answers(
    objectives: Objectives,
    batches: Iterator[Batch],
    known: int,
    precision: Precision,
    processes: Processes,
    request: StopRequest,
    observer: Observer,
) -> Answers:
    columns: list[tuple[Tensor, Tensor, Tensor, Tensor]] = []
    loss = torch.zeros((), dtype=torch.float64, device=processes.device)
    done = 0
    for batch, on_device in moved(batches, processes.device):
        assert isinstance(batch, TaskBatch)  # the data of a task
        with torch.no_grad(), precision.forward():
            scored = objectives(on_device)["answer"]
        # A head may have more classes than its data have answers.
        probability, prediction = scored.scores.softmax(-1)[:, :known].max(-1)
        columns.append((batch.samples, batch.labels, prediction, probability))
        loss += scored.loss
        done += len(batch.labels)
        observer.advance("evaluate", done)
        if request.signal:
            raise InterruptionError(request.signal, "the evaluation was stopped before its end")
    empty = (torch.zeros(0, dtype=torch.int64),) * 3 + (torch.zeros(0),)
    joined = [
        torch.cat([part.cpu() for part in parts]) for parts in zip(empty, *columns, strict=True)
    ]
    if processes.ranks > 1:
        of_all = processes.of_all(joined)
        joined = [torch.cat(parts) for parts in zip(*of_all, strict=True)]
    order = joined[0].argsort()
    samples, labels, predictions, probabilities = (column[order] for column in joined)
    return Answers(
        samples=samples,
        labels=labels,
        predictions=predictions,
        probabilities=probabilities,
        loss=processes.sums([float(loss)])[0],
    )


def _result(
    job: Evaluate,
    spec: Spec,
    data: JobData,
    answers: Answers,
    seconds: float,
    measuring: float,
) -> JobResult:
    """Return the result; of all its `seconds` the model was asked for `measuring`."""
    known = answers.labels != UNKNOWN_ANSWER
    metrics = {}
    if len(known):
        metrics["accuracy"] = float((answers.predictions == answers.labels).double().mean())
    if known.any():
        metrics["loss"] = answers.loss / int(known.sum())
    pairs, counts = _confused(answers.labels[known], answers.predictions[known])
    few = len(data.answers) <= MOST_ANSWERS
    return JobResult(
        job=job.name,
        kind="evaluate",
        spec_hash=spec.hash,
        split=job.split,
        metrics=metrics,
        seconds=seconds,
        texts_per_second=len(known) / max(measuring, 1e-9),
        answers=data.answers,
        confusion=_table(pairs, counts, len(data.answers)) if few else (),
        confused=()
        if few
        else tuple((*pair, n) for pair, n in zip(pairs.tolist(), counts.tolist(), strict=True)),
        samples=tuple(_prediction(job, data, answers, row) for row in _shown(answers)),
    )


def _confused(labels: Tensor, predictions: Tensor) -> tuple[Tensor, Tensor]:
    """Count rows by true and predicted answer.

    Returns:
        The pairs that occur, `[pairs, 2]` int64, and how often, `[pairs]` int64.
    """
    both = torch.stack([labels, predictions], dim=1)
    pairs, counts = torch.unique(both, dim=0, return_counts=True)
    return pairs, counts


def _table(pairs: Tensor, counts: Tensor, answers: int) -> tuple[tuple[int, ...], ...]:
    table = torch.zeros(answers, answers, dtype=torch.int64)
    table[pairs[:, 0], pairs[:, 1]] = counts
    return tuple(tuple(row) for row in table.tolist())


def _shown(answers: Answers) -> list[int]:
    """Choose rows for people to look at: evenly over the split, then wrong ones, evenly too."""
    wrong = (answers.predictions != answers.labels).nonzero().flatten()
    everywhere = torch.arange(len(answers.labels))
    chosen = [rows[_evenly(len(rows), SAMPLES)] for rows in (everywhere, wrong)]
    return list(dict.fromkeys(torch.cat(chosen).tolist()))


def _evenly(total: int, count: int) -> Tensor:
    count = min(total, count)
    return torch.arange(count) * total // max(count, 1)


def _prediction(job: Evaluate, data: JobData, answers: Answers, row: int) -> Prediction:
    sample = data.sample(job.split, int(answers.samples[row]))
    return Prediction(
        image=sample.image_path,
        text=sample.text,
        answer=sample.answer or "",
        prediction=data.answers[int(answers.predictions[row])],
        probability=float(answers.probabilities[row]),
    )


def _write(path: Path, job: Evaluate, data: JobData, answers: Answers) -> None:
    """Write a line for each question; a file appears whole, a device or pipe is written to."""
    path.parent.mkdir(parents=True, exist_ok=True)
    ordinary = path.is_file() or not path.exists()
    draft = path.with_name(f".draft-{path.name}") if ordinary else path
    try:
        with draft.open("w", encoding="utf-8") as file:
            for row in range(len(answers.labels)):
                entry = _prediction(job, data, answers, row)
                file.write(json.dumps(entry.model_dump(mode="json"), ensure_ascii=False) + "\n")
        if ordinary:
            draft.replace(path)
    except BaseException:
        if ordinary:
            draft.unlink(missing_ok=True)
        raise


def check_output(spec: Spec, name: str, folder: Path) -> None:
    """Refuse to write predictions over what belongs to the run.

    Raises:
        UsageError: if job `name` is an evaluation that would.
    """
    job = spec.jobs[name]
    if not isinstance(job, Evaluate) or job.write is None:
        return
    home = Path(os.path.realpath(folder))
    path = Path(os.path.realpath(home / job.write))
    inside = path.relative_to(home).as_posix() if path.is_relative_to(home) else None
    problem = refusal(job.write, spec.jobs) or (inside and refusal(inside, spec.jobs))
    if problem:
        raise UsageError(
            f"evaluation `{name}` cannot write its predictions to `{job.write}`, which {problem}; "
            "write another name"
        )

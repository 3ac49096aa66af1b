"""A trained model with all that it needs to answer: tokenizer, preprocessing, answers."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from renaissance.compiler import build
from renaissance.compiler.adapters import merge as merge_adapters
from renaissance.compiler.lowering.dispatch import PRODUCTS, check_device
from renaissance.compiler.model import VisionLanguageModel
from renaissance.compiler.model.inputs import ImageInput
from renaissance.compiler.step import Objectives
from renaissance.grammar.kinds.data import TaskBlock
from renaissance.grammar.schema.jobs import Finetune
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime.checkpoint import Checkpoint
from renaissance.runtime.checkpoints import best_checkpoint
from renaissance.runtime.data.errors import DataError
from renaissance.runtime.data.images import Images
from renaissance.runtime.data.streams import ImageNeeds, RegionNeeds, text_needs, vision_needs
from renaissance.runtime.data.tokenizer import Tokenizer
from renaissance.runtime.errors import CheckpointError, JobError, UsageError
from renaissance.runtime.identity import hashes_in
from renaissance.runtime.precision import Precision, exact_float32
from renaissance.runtime.predicting.answering import Predicted, answered, batches_of, corpus_of
from renaissance.runtime.predicting.asked import Asked, asked_rows, columns_of
from renaissance.runtime.predicting.found import spec_in, task_of, training_meant
from renaissance.runtime.primitives import bound_primitives
from renaissance.runtime.processes import chosen_device
from renaissance.runtime.training.threads import own_threads
from renaissance.runtime.training.transfer import differing_references, references_of
from renaissance.runtime.vocabulary import check_vocabulary, kept_vocabulary
from renaissance.runtime.weights import restore

Weights = Literal["average", "last"]
ROWS = 32
"""Rows that a model answers at once."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Trained:
    """A model as a job of a run left it.

    Attributes:
        folder: of the run.
        spec: of the run.
        job: name of the job.
        step: of the checkpoint, the best one.
        weights: those of that step, or their average over the steps.
        model: with the head of the job, in evaluation mode, on the device.
        tokenizer: of its texts.
        answers: its classes, in the order of the scores of the head; none where it chooses none.
        images: what each vision stream reads of an image: size, shape, mean and deviation.
        objectives: the model with the reading of batches.
        device: that it is on.
    """

    folder: Path
    spec: Spec
    job: str
    step: int
    weights: Weights
    model: VisionLanguageModel
    tokenizer: Tokenizer
    answers: tuple[str, ...]
    images: Mapping[str, ImageNeeds | RegionNeeds]
    objectives: Objectives
    device: torch.device

    def __repr__(self) -> str:
        """Return what it is in a few words."""
        return f"<job {self.job!r} of {str(self.folder)!r}, step {self.step}, on {self.device}>"

    @property
    def task(self) -> TaskBlock:
        """What it was fine-tuned on.

        Raises:
            UsageError: if it was pretrained only.
        """
        return task_of(self.spec, self.job)

    @property
    def columns(self) -> tuple[str, ...]:
        """What a row must have to be answered."""
        return columns_of(self.task)

    @exact_float32()
    def predict(
        self,
        rows: Sequence[Mapping[str, Any]],
        *,
        batch: int = ROWS,
        root: str | os.PathLike[str] = ".",
    ) -> list[Predicted]:
        """Answer rows, each by itself: the answer depends neither on others nor on `batch`.

        Args:
            rows: texts and images by the names of `columns`; an image is a path, the bytes of a
                file or an image of Pillow.
            batch: rows that are answered at once.
            root: folder that relative paths start from.

        Returns:
            What the model says to each row; of one that cannot be answered, why.

        Raises:
            UsageError: if the job is a pretraining, or `rows` is no list of rows.
        """
        asked = asked_rows(self.task, rows, root)
        found = {number: Predicted(problem=why) for number, why in asked.problems.items()}
        if asked.table is not None:
            found |= self._answer(asked, batch)
        return [found[number] for number in range(len(rows))]

    def _answer(self, asked: Asked, batch: int) -> dict[int, Predicted]:
        assert asked.table is not None
        declared = self.spec.model_of(self.job)
        corpus = corpus_of(asked.table, declared, self.tokenizer)
        said = answered(
            batches_of(corpus, self.task, declared, self.tokenizer, batch),
            self.objectives,
            self.task,
            self.answers,
            Precision(self.spec.training_job(self.job).precision, self.device),
            self.device,
        )
        reasons = corpus.images.unreadable.reasons
        found = {}
        for row, number in enumerate(asked.kept):
            mine = [int(image) for image in corpus.images_of_row[row] if int(image) in reasons]
            why = "; ".join(f"`{asked.table.path(image)}`: {reasons[image]}" for image in mine)
            found[number] = said.get(row) or Predicted(problem=why or "its image cannot be read")
        return found

    def inputs(
        self, rows: Sequence[Mapping[str, Any]], *, root: str | os.PathLike[str] = "."
    ) -> dict[str, Any]:
        """Return texts and images of rows as the model takes them: `model(**inputs(rows))`.

        Args:
            rows: with `text` and `image`, or what a row of the task has.
            root: folder that relative paths start from.

        Raises:
            DataError: if a row is not complete, or its image cannot be read.
            UsageError: if a stream reads regions, or a row has several images.
        """
        job, declared = self.spec.jobs[self.job], self.spec.model_of(self.job)
        asked = asked_rows(job.task if isinstance(job, Finetune) else None, rows, root)
        for number, why in asked.problems.items():
            raise DataError(f"row {number}: {why}")
        if asked.table is None:
            raise DataError("there are no rows")
        corpus = corpus_of(asked.table, declared, self.tokenizer)
        if corpus.images_of_row.shape[1] > 1 or declared.images_a_pair > 1:
            raise UsageError("rows with several images have no one input a stream; use `predict`")
        text = corpus.tokens.padded(np.arange(len(rows)), self.tokenizer.pad_id)
        found: dict[str, Any] = {}
        for name in declared.fusion.inputs:
            if name in corpus.images.readers:
                found[name] = self._pixels(name, corpus.images.readers[name], corpus.image_of_row)
            else:
                found[name] = {
                    "input_ids": torch.from_numpy(text.ids).to(self.device),
                    "attention_mask": torch.from_numpy(text.present).to(self.device),
                }
        return found

    def _pixels(self, stream: str, images: Any, of_row: np.ndarray) -> Tensor | ImageInput:
        """Return the image of each row, normalised; those of one shape together."""
        if not isinstance(images, Images):
            raise UsageError(f"`{stream}` reads regions, which lie in files; use `predict`")
        if not images.readable(of_row).all():
            path, why = next(iter(images.unreadable))
            raise DataError(f"`{path}`: {why}")
        kinds, kind = np.unique(images.shapes(of_row), axis=0, return_inverse=True)
        groups = [np.flatnonzero(kind.flatten() == number) for number in range(len(kinds))]
        normalised = self.objectives.normalised[stream]
        pixels = tuple(
            normalised(torch.from_numpy(images.pixels(of_row[group])).to(self.device))
            for group in groups
        )
        if len(pixels) == 1:
            return pixels[0]
        order = torch.from_numpy(np.concatenate(groups).argsort()).to(self.device)
        return ImageInput(groups=pixels, order=order)


def load_run(
    folder: str | os.PathLike[str],
    job: str | None = None,
    *,
    weights: Weights | None = None,
    merge: bool = False,
    device: str | None = None,
) -> Trained:
    """Load what a job of a run learned: the best checkpoint, with all that it needs to answer.

    None of the data need be there any more.

    Args:
        folder: of the run.
        job: a training, or an evaluation of one; may be left out where there is one fine-tuning.
        weights: `average`, over the steps of the job, or `last`; as the job was measured if None.
        merge: add low-rank adapters to the weights that they stand beside, and remove them.
        device: such as `cpu`; a GPU where there is one if None.

    Raises:
        UsageError: if it is no run, has no such job or several, or there is no such device.
        JobError: if the job has learned nothing yet, or what it learned cannot be used.
        CompileError: if the model cannot be built.
    """
    home = Path(folder)
    spec = spec_in(home)
    name = training_meant(spec, home, job)
    training, declared, place = spec.training_job(name), spec.model_of(name), chosen_device(device)
    check_device(declared.attention_taken, place, PRODUCTS[training.precision])
    checkpoint = best_checkpoint(home / name, hashes_in(home, spec))
    tokenizer = _tokenizer(spec, name, home)
    bound_primitives()
    with own_threads():
        model = build(spec, job=name)
    check_vocabulary(model, tokenizer)
    chosen = _restore(model, checkpoint, weights)
    if merge:
        merge_adapters(model)
    model.to(place).eval()
    return Trained(
        folder=home,
        spec=spec,
        job=name,
        step=checkpoint.state.step,
        weights=chosen,
        model=model,
        tokenizer=tokenizer,
        answers=checkpoint.state.answers,
        images={stream: shown.needs for stream, shown in vision_needs(declared).items()},
        objectives=Objectives(model, declared, training).eval(),
        device=place,
    )


def _tokenizer(spec: Spec, name: str, folder: Path) -> Tokenizer:
    """Return the tokenizer that a job was trained with."""
    kept = kept_vocabulary(spec, name, folder)
    if kept.tokenizer is not None:
        return kept.tokenizer
    needs = text_needs(spec.model_of(name))
    if needs.tokenizer is None:
        raise JobError(
            f"{kept.problem}; `renaissance eval FILE:{name}` learns it again from the data"
        )
    tokenizer = Tokenizer.pretrained(needs.tokenizer, needs.revision)
    kept.settle(tokenizer, write=False)
    return tokenizer


def _restore(model: VisionLanguageModel, checkpoint: Checkpoint, asked: Weights | None) -> Weights:
    """Load weights, and say which ones."""
    state = checkpoint.state
    if any(differing_references(state, model, references_of(model))):
        raise CheckpointError(
            f"the pretrained weights are not those that job `{state.job}` was trained on"
        )
    if asked == "average" and not checkpoint.average:
        raise UsageError(f"job `{state.job}` kept no average of its weights; leave `weights` out")
    last = asked == "last" or not checkpoint.average
    restore(model, checkpoint.model if last else checkpoint.measured, state.referenced)
    return "last" if last else "average"

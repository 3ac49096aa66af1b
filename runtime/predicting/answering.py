"""What a trained model says to rows that are none of its data."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from renaissance.compiler.batch import Batch
from renaissance.compiler.losses import as_number, most_likely
from renaissance.compiler.step import Objectives
from renaissance.grammar.kinds.data import TaskBlock
from renaissance.grammar.kinds.registry import optional_facet
from renaissance.grammar.schema.model import Model
from renaissance.runtime.data.batches import Assembler
from renaissance.runtime.data.corpus import Corpus, Split
from renaissance.runtime.data.loader import Reading, Strides, assembled
from renaissance.runtime.data.many_texts import in_order
from renaissance.runtime.data.moving import moved
from renaissance.runtime.data.pictures import Pictures
from renaissance.runtime.data.rows import OneARow
from renaissance.runtime.data.streams import text_needs, vision_needs
from renaissance.runtime.data.table import Table
from renaissance.runtime.data.tokenizer import Tokenizer
from renaissance.runtime.data.wanted import Context, Maker
from renaissance.runtime.precision import Precision


@dataclass(frozen=True, slots=True, kw_only=True)
class Predicted:
    """What a model says to a row.

    Attributes:
        prediction: the answer, a number or the place of a box; None where the row has no answer.
        probability: of the prediction; None where it is a number, or there is none.
        probabilities: of each class, where any number of them may be right.
        problem: why there is no answer; None where there is one.
    """

    prediction: str | float | int | None = None
    probability: float | None = None
    probabilities: Mapping[str, float] | None = None
    problem: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return what there is to say, by name; the prediction in any case."""
        found: dict[str, Any] = {"prediction": self.prediction}
        for name in ("probability", "probabilities", "problem"):
            if getattr(self, name) is not None:
                found[name] = getattr(self, name)
        return found


def corpus_of(table: Table, declared: Model, tokenizer: Tokenizer) -> Corpus:
    """Return texts and images of a table as a model reads them; nobody knows what is right."""
    needs = text_needs(declared)
    return Corpus(
        table=table,
        tokens=tokenizer.encode(
            in_order(table.texts),
            needs.max_tokens,
            None if table.seconds is None else in_order(table.seconds),
            fill=needs.fill,
        ),
        images=Pictures.of(table, vision_needs(declared), room=0),
        images_of_row=table.images_of_row,
    )


def batches_of(
    corpus: Corpus, task: TaskBlock, declared: Model, tokenizer: Tokenizer, batch: int
) -> Iterator[Batch]:
    """Yield all rows of a corpus whose images can be read, in batches."""
    split = Split(corpus=corpus, rows=np.arange(len(corpus.table)))
    context = Context(
        split=split,
        tokenizer=tokenizer,
        seed=0,
        training=False,
        images_a_pair=declared.images_a_pair,
    )
    assembler = Assembler(
        split=split,
        makers={task.head_name(): _maker(task, context)},
        pad_id=tokenizer.pad_id,
        augment=(),
        seed=0,
        replace=False,
    )
    strides = Strides(assembler=assembler, name="predict", batch=batch, rank=0, ranks=1)
    for batches in assembled(strides, range(len(strides)), Reading()):
        yield from batches


def _maker(task: TaskBlock, context: Context) -> Maker:
    """Return what makes the items: as the task is learned, unless it says how rows are asked."""
    for facet in ("asked", "items"):
        prepare = getattr(optional_facet(task, facet), "prepare", None)
        if prepare is not None:
            maker: Maker = prepare(task, context)
            return maker
    return OneARow(context=context)


def answered(
    batches: Iterator[Batch],
    objectives: Objectives,
    task: TaskBlock,
    answers: tuple[str, ...],
    precision: Precision,
    device: torch.device,
) -> dict[int, Predicted]:
    """Return what a model says, by number of the row."""
    found: dict[int, Predicted] = {}
    head = task.head_name()
    predict = getattr(optional_facet(task, "loss"), "predict", None)
    for batch, on_device in moved(batches, device):
        items = batch.items[head]
        assert items.row is not None  # items of a task say what they are about
        with torch.no_grad(), precision.forward():
            scores: Tensor = objectives(on_device)[head].scores
        choices = len(answers) or scores.shape[-1]
        if predict is not None:
            said = predict(task, scores, choices)
        elif scores.shape[-1] == 1 and items.group is None:
            said = as_number(scores, choices)
        else:
            said = most_likely(scores, choices)
        columns = [column.cpu().numpy() for column in said]
        for place, row in enumerate(items.row.tolist()):
            found[row] = _predicted(answers, [column[place] for column in columns])
    return found


def _predicted(answers: tuple[str, ...], said: list[Any]) -> Predicted:
    """Return one answer: prediction, probability and, of several classes, all probabilities."""
    value, probability, *more = said
    prediction = value.item()
    several = None
    if more and len(more[0]) == len(answers) and np.issubdtype(more[0].dtype, np.floating):
        several = dict(zip(answers, more[0].tolist(), strict=True))
    return Predicted(
        prediction=answers[prediction] if answers else prediction,
        probability=None if np.isnan(probability) else float(probability),
        probabilities=several,
    )

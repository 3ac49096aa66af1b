"""What a model says to some items of its objectives, for people to look at."""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from renaissance.compiler.comparing import Rows
from renaissance.compiler.losses import Scored
from renaissance.compiler.step import Objectives
from renaissance.grammar.kinds.registry import optional_facet
from renaissance.runtime.data import JobData
from renaissance.runtime.data.examined import Examined
from renaissance.runtime.precision import Precision
from renaissance.runtime.records import Prediction
from renaissance.runtime.training.sharding import gathered

ROWS = 24
"""Rows of which items are shown, evenly over the split."""

MOST = 6
"""Items of an objective that are shown of those that are right, and of those that are wrong."""


def examples(
    objectives: Objectives, data: JobData, split: str, precision: Precision, device: torch.device
) -> tuple[Prediction, ...]:
    """Ask for items of every objective whose folder has `examples.py`.

    All processes come here together; weights and modes are as they were when it returns.

    Args:
        objectives: the model with its losses.
        data: of the job.
        split: what is held out, or measured.
        precision: of the forward pass.
        device: of the model.
    """
    told = {name: optional_facet(kind, "examples") for name, kind in objectives.kinds.items()}
    if not any(told.values()) or not len(data.part(split)):
        return ()
    asked = data.asked(split, ROWS)
    training = objectives.training
    pairs: dict[str, Tensor] = {}

    def compare(name: str, own: Rows) -> Scored:
        with torch.autocast(device.type, enabled=False):  # cosines are compared in float32
            pairs[name] = objectives.model.heads[name](own.text, own.image)  # [texts, images]
        return objectives.compared(name, own, own, 0)

    with gathered(objectives), torch.no_grad(), precision.forward():
        scored: dict[str, Scored] = objectives.eval()(asked.batch.to(device), compare)
    objectives.train(training)
    found: list[Prediction] = []
    for name, module in told.items():
        if module is None:
            continue
        said = scored[name]
        assert said.credit is not None  # it is known what is right
        examined = Examined(
            data=data,
            split=split,
            asked=asked,
            wanted=asked.wanted[name],
            items=asked.batch.items[name],
            scores=pairs.get(name, said.scores).float().cpu().numpy(),
            credit=said.credit.float().cpu().numpy(),
            normalised=next(iter(objectives.normalised.values()), None),
        )
        found += _chosen([*module.examples(objectives.kinds[name], examined)])
    return tuple(found)


def _chosen(items: Sequence[Prediction]) -> Iterator[Prediction]:
    """Choose some that are wrong, some that are right and some that are neither, evenly."""
    for right in (False, True, None):
        alike = [item for item in items if item.correct is right]
        count = min(len(alike), MOST)
        yield from (alike[place * len(alike) // count] for place in range(count))

"""What an evaluation costs that scores texts and images by what a pretraining learned of pairs."""

from dataclasses import dataclass
from math import ceil

import torch
from torch import Tensor

from renaissance.compiler.batch import Texts
from renaissance.compiler.matching import Matching
from renaissance.compiler.planning.components import flops_of
from renaissance.compiler.planning.job_plan import SearchPlan, TowerRuns
from renaissance.compiler.planning.passes import (
    Outcome,
    Pass,
    job_pass,
    sample_images,
    text_rows,
    text_tokens,
)
from renaissance.compiler.planning.tracing import Trace
from renaissance.compiler.step import Objectives
from renaissance.grammar.kinds.data import AllPairs
from renaissance.grammar.schema.jobs import Evaluate, Job


@dataclass(frozen=True, slots=True, kw_only=True)
class Scoring:
    """What is scored how.

    Attributes:
        matching: scores texts and images.
        every: all images and texts; None where it is not known how many there are.
    """

    matching: Matching
    every: AllPairs | None

    @property
    def joins(self) -> bool:
        """Whether pairs go through the fusion: none do that vectors leave out."""
        if not self.matching.compares:
            return True
        return self.matching.joins and self.every is not None and self.every.chosen

    @property
    def rows(self) -> int | None:
        """Rows that an evaluation makes passes of."""
        if self.every is None:
            return None
        return self.every.scored if self.joins else max(self.every.images, self.every.texts)

    def of_pass(self, batch: int) -> tuple[int, int]:
        """Return the images and the texts of a pass of so many rows."""
        if self.every is None or self.joins:
            return batch, batch
        rows = max(self.every.images, self.every.texts)
        return ceil(batch * self.every.images / rows), ceil(batch * self.every.texts / rows)


def matched(job: Job, objectives: Objectives, counted: tuple[int, int] | None) -> Scoring | None:
    """Return what a job scores by what its model learned of pairs; None for any other job.

    Args:
        job: what is done.
        objectives: the model with what it was pretrained for.
        counted: images and texts of its split; as many as were published if None.
    """
    if not isinstance(job, Evaluate) or job.task is None:
        return None
    every = None if counted is None else job.task.every_pair(*counted)
    return Scoring(
        matching=Matching(objectives), every=every or job.task.unlearned_pairs(job.split)
    )


def pass_of(
    objectives: Objectives, job: Job, tokens: int | None, scored: Scoring | None, *, packed: bool
) -> Pass:
    """Return the pass of a job; see `job_pass`."""
    if scored is None:
        return job_pass(objectives, job, tokens, packed=packed)
    length = text_tokens(objectives.model, tokens)
    return matching_pass(objectives, scored, job.batch, length, packed=packed)


def matching_pass(
    objectives: Objectives, scored: Scoring, batch: int, tokens: int, *, packed: bool
) -> Pass:
    """Return a pass of an evaluation: images and texts are encoded, and scored.

    Args:
        objectives: the model with what it was pretrained for.
        scored: what is scored how.
        batch: rows of a pass.
        tokens: of each text.
        packed: texts come one behind the other.
    """
    images, texts = scored.of_pass(batch)
    rows = {"text": texts, "vision": images}
    model, matching = objectives.model, scored.matching
    towers = tuple(
        TowerRuns(
            stream=name,
            rows=rows[tower.facts.modality],
            unshared=rows[tower.facts.modality],
            modality=tower.facts.modality,
        )
        for name, tower in model.towers.items()
    )
    [vision] = [runs.stream for runs in towers if runs.modality == "vision"]
    pixels = sample_images(model.towers[vision], images, torch.uint8)
    # A device is sent them once, so that they are no part of a pass.
    for normalised in objectives.normalised.values():
        normalised.factors(torch.device("meta"))

    def run() -> Outcome:
        encoded = objectives.encode_images(pixels)
        text = objectives.encode_texts(Texts(encoded=text_rows(texts, tokens, packed=packed)))
        kept: list[Tensor] = []
        if matching.compares:
            vectors = matching.vectors("vision", encoded), matching.vectors("text", text)
            kept.append(matching.compared(*vectors))
        if scored.joins:
            kept.append(matching.joined(text, encoded))
        return Outcome(results=[], kept=kept)

    return Pass(texts=batch, towers=towers, images={vision: pixels}, run=run)


def search_plan(scored: Scoring, step: Pass, traced: Trace) -> SearchPlan:
    """Count towers and vectors once for each input, products of vectors, and pairs that are joined.

    Args:
        scored: what is scored how; it is known how many images and texts there are.
        step: a pass.
        traced: the same as it was traced.
    """
    every, matching = scored.every, scored.matching
    assert every is not None  # as documented
    one, rows = {}, {}
    left = list(traced.operations)
    for tower in step.towers:
        mine = [part for part in left if matching.serves(part.address, tower.stream)]
        left = [part for part in left if part not in mine]
        rows[tower.modality] = tower.rows
        one[tower.modality] = flops_of(mine, 1).forward / tower.rows
    products = [part for part in left if matching.serves(part.address, None)]
    joining = flops_of([part for part in left if part not in products], 1).forward / step.texts
    product = flops_of(products, 1).forward / (rows["vision"] * rows["text"])
    everything = every.images * every.texts
    return SearchPlan(
        images=every.images,
        texts=every.texts,
        pairs=every.scored if scored.joins else 0,
        encoding=round(every.images * one["vision"] + every.texts * one["text"]),
        joining=round(every.scored * joining) if scored.joins else 0,
        products=round(everything * product),
        plain=round(everything * (sum(one.values()) + joining + product)),
    )

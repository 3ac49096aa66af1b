"""The passes that a job makes through its model, on inputs without contents."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from math import ceil

import torch
from torch import Tensor

from renaissance.compiler.batch import (
    Batch,
    Candidates,
    Drawn,
    HiddenPixels,
    Items,
    PatchPlaces,
    RegionRows,
    TextRows,
    Texts,
    Truth,
)
from renaissance.compiler.comparing import Rows
from renaissance.compiler.errors import CompileError
from renaissance.compiler.expected import (
    Expected,
    distinct_images,
    encoded_texts,
    expected_of,
    hidden_images,
    shape_of,
)
from renaissance.compiler.losses import Scored
from renaissance.compiler.lowering.recomputation import once_more
from renaissance.compiler.model import VisionLanguageModel
from renaissance.compiler.model.inputs import TextInput
from renaissance.compiler.model.tower import Tower
from renaissance.compiler.planning.job_plan import TowerRuns
from renaissance.compiler.step import Objectives
from renaissance.grammar.kinds.head import Head
from renaissance.grammar.schema.jobs import Evaluate, Job


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a pass leaves.

    Attributes:
        results: what the backward pass starts from.
        kept: what outlives the backward pass.
    """

    results: list[Tensor]
    kept: list[Tensor]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """A pass and what it is about.

    Attributes:
        texts: samples that its figures are divided by.
        towers: how often each tower runs.
        images: by stream, as bytes or as their regions.
        run: makes the pass.
    """

    texts: int
    towers: tuple[TowerRuns, ...]
    images: Mapping[str, Tensor | RegionRows]
    run: Callable[[], Outcome]

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """What images, or their regions, are held in."""
        found: list[Tensor] = []
        for shown in self.images.values():
            found += [shown] if isinstance(shown, Tensor) else [shown.features, shown.boxes]
        return tuple(found)


def sample_pass(model: VisionLanguageModel, tokens: int | None) -> Pass:
    """Return one forward pass over one sample, all outputs read.

    Raises:
        CompileError: if no text of the model can have as many tokens.
    """
    length = text_tokens(model, tokens)
    towers = tuple(
        TowerRuns(stream=name, rows=1, unshared=1, modality=tower.facts.modality)
        for name, tower in model.towers.items()
    )
    images = _images(model, towers)

    def run() -> Outcome:
        texts = {
            name: sample_texts(1, length, packed=False)
            for name in model.towers
            if name not in images
        }
        shown = {
            name: part if isinstance(part, Tensor) else part.for_model()
            for name, part in images.items()
        }
        output = model(**texts, **shown)
        return Outcome(results=[*output.streams.values(), output.pooled], kept=[])

    return Pass(texts=1, towers=towers, images=images, run=run)


def job_pass(objectives: Objectives, job: Job, tokens: int | None, *, packed: bool) -> Pass:
    """Return the pass of a micro-batch, or of a batch of an evaluation.

    Args:
        objectives: the model with what its job asks.
        job: what is done.
        tokens: of each text; as many as the tower takes if None.
        packed: texts come one behind the other, as they do in training, where nobody knows that
            they are of one length: what cannot read them so copies them into rows.
    """
    model = objectives.model
    length = text_tokens(model, tokens)
    texts = job.batch if isinstance(job, Evaluate) else min(job.micro_batch or job.batch, job.batch)
    patches = max(tower.facts.patches for tower in model.towers.values())
    shape = shape_of(job, texts, length, objectives.images_a_pair, patches)
    asked = expected_of(objectives.kinds, shape)
    hidden = hidden_images(asked.values())
    whole = ceil(distinct_images(asked.values(), shape) / objectives.images_a_pair)
    distinct = {"text": encoded_texts(asked.values(), shape), "vision": whole + hidden}
    towers = tuple(
        TowerRuns(
            stream=name,
            rows=distinct[tower.facts.modality],
            unshared=sum(one.pairs for one in asked.values()),
            modality=tower.facts.modality,
        )
        for name, tower in model.towers.items()
    )
    images = _images(model, towers, torch.uint8)
    towers = tuple(runs for runs in towers if runs.rows)
    # A device is sent them once, so that they are no part of a pass.
    for normalised in objectives.normalised.values():
        normalised.factors(torch.device("meta"))
    cut = objectives.compares and not isinstance(job, Evaluate) and texts < job.batch
    heads = model.heads.declared

    def predicted(name: str) -> int:
        """How many numbers are predicted of a region."""
        [tower] = [one for one in model.towers.values() if one.facts.modality == "vision"][:1]
        return (tower.facts.channels or 0) + getattr(objectives.kinds[name], "region_classes", 0)

    def run() -> Outcome:
        first, *_ = images
        batch = Batch(
            images=_whole(images[first], hidden),
            hidden=_hidden(images[first], hidden, patches),
            texts=Texts(encoded=text_rows(distinct["text"], length, packed=packed)),
            items={
                name: _items(one, length, heads[name], len(images), predicted(name))
                for name, one in asked.items()
            },
            rows=texts,
            more={name: shown for name, shown in images.items() if name != first},
        )
        scored = _scored(objectives, batch, job, cut=cut).values()
        # The scores stay, because accuracies are made from them.
        return Outcome(results=[one.loss for one in scored], kept=[one.scores for one in scored])

    return Pass(texts=texts, towers=towers, images=images, run=run)


def _scored(objectives: Objectives, batch: Batch, job: Job, *, cut: bool) -> dict[str, Scored]:
    """Make a pass, whose rows are compared with those of other passes where a step is cut.

    It runs twice for that. The first time, which counts as recomputation, only gives vectors.
    Training compares the vectors of all passes when it has them, before any of them runs again: the
    same products in between. A moving copy runs before, without gradients.
    """
    moving = {} if isinstance(job, Evaluate) else objectives.moving
    keys: dict[str, Rows] = {}
    for name in moving:
        with torch.no_grad():
            keys[name] = objectives(batch, only_vectors=True)[name].moved()
    if cut:
        with torch.no_grad(), once_more():
            objectives(batch, only_vectors=True)

    def compare(name: str, own: Rows) -> Scored:
        everything, more = keys.get(name, own), job.batch - own.rows if cut else 0
        if name in moving:
            more += moving[name].queue
        if more:
            others = replace(
                everything,
                text=own.text.new_empty(more, own.text.shape[1], requires_grad=name not in moving),
                image=own.image.new_empty(
                    more, own.image.shape[1], requires_grad=name not in moving
                ),
                truth=_truth(more),
            )
            everything = Rows.joined((everything, others))
        return objectives.compared(name, own, everything, 0)

    found: dict[str, Scored] = objectives(batch, compare)
    return found


def text_tokens(model: VisionLanguageModel, tokens: int | None) -> int:
    """Return the tokens that each text is counted with.

    Raises:
        CompileError: if no text of the model can have as many.
    """
    longest = max((tower.facts.max_tokens or 0 for tower in model.towers.values()), default=0)
    if tokens is None:
        return longest
    if not 1 <= tokens <= longest:
        raise CompileError(
            f"a text of model `{model.name}` has 1 to {longest} tokens, so {tokens} cannot be "
            "their mean; `renaissance data` shows it"
        )
    return tokens


def _items(asked: Expected, tokens: int, head: Head, streams: int, numbers: int) -> Items:
    """Return items without contents; all texts have as many tokens, pairs an image a stream."""
    of_item = {"shares": (head.outputs or 1,), "vector": (numbers,)}
    shape = (asked.items, *of_item.get(asked.target, ()))
    kind = torch.int64 if asked.target == "class" else torch.float32
    group = None
    patches = None
    if asked.patches:
        places = {name: _index(asked.items) for name in ("pair", "patch", "hidden")}
        patches = PatchPlaces(**places, whole=None if asked.shown == 0 else _index(asked.items))
    if asked.candidates:
        item, place = _index(asked.pairs), _index(asked.pairs)
        group = Candidates(item=item, place=place, items=asked.items, most=asked.candidates)
    return Items(
        text=_index(asked.pairs),
        image=_index(asked.pairs) if streams == 1 else _index(asked.pairs, streams),
        tokens=asked.pairs * tokens,
        positions=None if asked.positions is None else _index(asked.positions),
        patches=patches,
        target=None
        if asked.patches and asked.target != "vector"
        else torch.zeros(shape, dtype=kind, device="meta"),
        known=asked.items,
        group=group,
        truth=_truth(asked.pairs) if asked.compared else None,
        numbers=torch.zeros(asked.pairs, head.numbers, device="meta") if head.numbers else None,
        drawn=Drawn(row=_index(asked.pairs), turn=_index(asked.pairs)) if asked.drawn else None,
    )


def _whole(images: Tensor | RegionRows, hidden: int) -> Tensor | RegionRows:
    first = slice(len(images) - hidden)
    return images.part(first) if isinstance(images, RegionRows) else images[first]


def _hidden(
    images: Tensor | RegionRows, hidden: int, patches: int
) -> tuple[HiddenPixels, ...] | RegionRows:
    """Return the last images as ones of which patches or regions are hidden."""
    if not hidden:
        return ()
    if isinstance(images, RegionRows):
        return images.part(slice(len(images) - hidden, None))
    mask = torch.zeros(hidden, patches, dtype=torch.bool, device="meta")
    return (HiddenPixels(pixels=images[-hidden:], mask=mask),)


def _truth(rows: int) -> Truth:
    return Truth(text=_index(rows), image=_index(rows), pairs=_index(0), contents=1)


def _index(*shape: int) -> Tensor:
    return torch.zeros(shape, dtype=torch.long, device="meta")


def _images(
    model: VisionLanguageModel, towers: Iterable[TowerRuns], dtype: torch.dtype = torch.float32
) -> dict[str, Tensor | RegionRows]:
    return {
        runs.stream: sample_images(model.towers[runs.stream], runs.rows, dtype)
        for runs in towers
        if model.towers[runs.stream].facts.modality == "vision"
    }


def sample_images(
    tower: Tower, rows: int, dtype: torch.dtype = torch.float32
) -> Tensor | RegionRows:
    """Return images without contents, the largest that a tower reads or as bytes, or regions."""
    facts = tower.facts
    if facts.regions is not None:
        shape = (rows, facts.regions)
        features = torch.empty(*shape, facts.channels or 1, device="meta")
        boxes = torch.empty(*shape, 4, device="meta")
        return RegionRows(features=features, boxes=boxes, mask=None)
    return torch.empty(rows, 3, *facts.largest, dtype=dtype, device="meta")


def sample_texts(rows: int, tokens: int, *, packed: bool) -> TextInput:
    """Return texts of one length without contents."""
    return text_rows(rows, tokens, packed=packed).for_model()


def text_rows(rows: int, tokens: int, *, packed: bool) -> TextRows:
    """Return the tokens of texts of one length without contents."""
    cumulative = torch.zeros(rows + 1, dtype=torch.int32, device="meta") if packed else None
    return TextRows(input_ids=_index(rows * tokens), cumulative=cumulative, longest=tokens)

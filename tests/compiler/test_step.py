"""One step on any items, against plain passes over each pair, in double precision."""

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from renaissance.compiler import build, plan
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
from renaissance.compiler.errors import CompileError
from renaissance.compiler.expected import (
    Expected,
    Shape,
    distinct_images,
    encoded_texts,
    expected_of,
    hidden_images,
    shape_of,
)
from renaissance.compiler.fusions.cross_attention.schema import CrossAttention
from renaissance.compiler.heads import kinds_of
from renaissance.compiler.losses import Scored
from renaissance.compiler.step import Objectives, weights_of
from renaissance.grammar.kinds.data import TaskBlock
from renaissance.grammar.kinds.head import UNKNOWN
from renaissance.grammar.kinds.registry import schema, words
from renaissance.grammar.schema.jobs import Finetune, Pretrain
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime.objectives.itm.schema import Itm
from renaissance.runtime.objectives.mlm.schema import Mlm
from renaissance.runtime.optimizers.adamw.schema import AdamW
from tests.compiler.declarations import TEXT, VISION, two_towers
from tests.compiler.test_planning import counted
from tests.kinds.amount.schema import Amount
from tests.kinds.candidates.schema import AmongCandidates
from tests.kinds.shares.schema import SharesOfCredit
from tests.kinds.two_images.schema import TwoImages
from tests.kinds.whole_batch.schema import WholeBatch
from tests.streams import CHANNELS, of_towers

STILL = two_towers(
    TEXT.model_copy(update={"dropout": 0.0}),
    VISION.model_copy(update={"dropout": 0.0}),
    fusion=CrossAttention(inputs=("text", "vision"), layers=2, width=32, heads=4, dropout=0.0),
)
SMALL = two_towers(
    TEXT.model_copy(update={"layers": 1}),
    VISION.model_copy(update={"layers": 1}),
    fusion=CrossAttention(inputs=("text", "vision"), layers=1, width=32, heads=4),
)
REQUIRED = {"root": ".", "classes": 3, "subtask": "rte", "train": "train.csv"}
"""What some tasks have no default of."""
LENGTHS = (5, 12, 3, 7)
IMAGES = 6


def experiment(task: TaskBlock, **keys: Any) -> Spec:
    job = Finetune(name="learn", on="two", task=task, optimizer=AdamW(lr=1e-3), batch=8, steps=1)
    job = job.model_copy(update=keys)
    return Spec(models={"two": STILL}, jobs={"learn": job})


def asking(task: TaskBlock) -> Objectives:
    spec = experiment(task)
    model = build(spec, job="learn").double()
    return Objectives(model, spec.models["two"], spec.training_job("learn"))


def batch_of(text: Tensor, image: Tensor, seed: int, **items: Any) -> Batch:
    """A batch of four texts and six images, in which pairs share both."""
    torch.manual_seed(seed)
    ends = torch.tensor((0, *LENGTHS)).cumsum(0).to(torch.int32)
    texts = TextRows(
        input_ids=torch.randint(2, 60, (sum(LENGTHS),)), cumulative=ends, longest=max(LENGTHS)
    )
    asked = Items(text=text, image=image, tokens=int(torch.tensor(LENGTHS)[text].sum()), **items)
    return Batch(
        images=torch.randn(IMAGES, 3, 32, 32, dtype=torch.float64),
        texts=Texts(encoded=texts),
        items={"answer": asked},
        rows=len(LENGTHS),
    )


def pooled(objectives: Objectives, batch: Batch) -> Tensor:
    """Pool each pair in a pass of its own."""
    items, rows = batch.items["answer"], batch.texts.encoded
    assert rows is not None and rows.cumulative is not None and isinstance(batch.images, Tensor)
    texts = rows.input_ids.tensor_split(rows.cumulative[1:-1].long())
    return torch.cat(
        [
            objectives.model(
                text={"input_ids": texts[text][None]}, vision=batch.images[[image]]
            ).pooled
            for text, image in zip(items.text.tolist(), items.image.tolist(), strict=True)
        ]
    )


def same(objectives: Objectives, batch: Batch, expected: Tensor, credit: Tensor) -> Scored:
    """Compare a loss, all of its gradients and credits with those of plain passes."""
    parameters = [p for p in objectives.model.parameters() if p.requires_grad]
    scored = objectives(batch)["answer"]
    found = torch.autograd.grad(scored.loss, parameters, allow_unused=True)
    wanted = torch.autograd.grad(expected, parameters, allow_unused=True)
    torch.testing.assert_close(scored.loss, expected)
    for parameter, *parts in zip(parameters, found, wanted, strict=True):
        zero = torch.zeros_like(parameter)
        one, other = (zero if part is None else part for part in parts)
        torch.testing.assert_close(one, other)
    assert scored.credit is not None
    torch.testing.assert_close(scored.credit, credit, equal_nan=True, check_dtype=False)
    return scored


@pytest.fixture(autouse=True)
def in_double(monkeypatch: pytest.MonkeyPatch) -> None:
    """Losses are taken in float32; here they are to keep the digits that they have."""
    monkeypatch.setattr(torch.Tensor, "float", lambda tensor: tensor.double())


@pytest.mark.parametrize("seed", range(3))
def test_pooled_vectors_of_views_are_joined_in_their_order(seed: int) -> None:
    objectives = asking(TwoImages())
    text = torch.arange(4).repeat_interleave(2)
    target = torch.tensor([1, 0, UNKNOWN, 1])
    batch = batch_of(text, torch.randint(IMAGES, (8,)), seed, target=target, known=3)
    pairs = pooled(objectives, batch)
    scores = objectives.model.heads["answer"](torch.cat((pairs[0::2], pairs[1::2]), dim=1))
    there = target != UNKNOWN
    expected = F.cross_entropy(scores[there], target[there], reduction="sum")
    same(objectives, batch, expected, (scores.argmax(1) == target).double())


@pytest.mark.parametrize("seed", range(3))
def test_shares_of_credit_and_rows_of_which_nobody_knows(seed: int) -> None:
    objectives = asking(SharesOfCredit())
    shares = torch.rand(4, 7, dtype=torch.float64).round(decimals=1)
    shares[2] = torch.nan
    text = torch.tensor([3, 1, 0, 1])
    batch = batch_of(text, torch.randint(IMAGES, (4,)), seed, target=shares, known=3)
    scores = objectives.model.heads["answer"](pooled(objectives, batch))
    there = torch.tensor([0, 1, 3])
    wanted = shares[there]
    log = F.logsigmoid(scores[there]) * wanted + F.logsigmoid(-scores[there]) * (1 - wanted)
    best = scores.argmax(1)
    same(objectives, batch, -log.sum(), shares[torch.arange(4), best])


@pytest.mark.parametrize("seed", range(3))
def test_numbers(seed: int) -> None:
    objectives = asking(Amount())
    numbers = torch.tensor([0.5, torch.nan, 4.0, -1.0], dtype=torch.float64)
    batch = batch_of(torch.arange(4), torch.randint(IMAGES, (4,)), seed, target=numbers, known=3)
    scores = objectives.model.heads["answer"](pooled(objectives, batch))
    there = torch.tensor([0, 2, 3])
    expected = (scores[there, 0] - numbers[there]).square().sum()
    same(objectives, batch, expected, -(scores.detach()[:, 0] - numbers).square())


@pytest.mark.parametrize("seed", range(3))
def test_the_right_one_of_several_candidates(seed: int) -> None:
    objectives = asking(AmongCandidates())
    counts = (3, 1, 4)
    item = torch.repeat_interleave(torch.arange(3), torch.tensor(counts))
    place = torch.cat([torch.arange(count) for count in counts])
    target = torch.tensor([2, 0, UNKNOWN])
    group = Candidates(item=item, place=place, items=3, most=4)
    batch = batch_of(item, torch.randint(IMAGES, (8,)), seed, target=target, known=2, group=group)
    scores = objectives.model.heads["answer"](pooled(objectives, batch))[:, 0]
    parts = scores.split(counts)
    expected = -parts[0].log_softmax(0)[2] - parts[1].log_softmax(0)[0]
    credit = torch.tensor([float(parts[0].argmax() == 2), 1.0, 0.0])
    scored = same(objectives, batch, expected, credit)
    assert scored.scores.shape == (3, 4) and scored.scores[1, 1:].isinf().all()


def test_nothing_is_said_about_items_of_which_nobody_knows() -> None:
    objectives = asking(TwoImages())
    text = torch.arange(4).repeat_interleave(2)
    batch = batch_of(text, torch.randint(IMAGES, (8,)), 0, target=None, known=0)
    scored = objectives(batch)["answer"]
    assert scored.scores.shape == (4, 2) and scored.scores.isfinite().all()
    assert scored.loss == 0 and scored.credit is None and scored.target is None


def test_what_compares_all_rows_of_a_step_is_refused() -> None:
    job = Pretrain(
        name="learn",
        on="two",
        data=("pairs",),
        objectives=(WholeBatch(),),
        optimizer=AdamW(lr=1e-3),
        batch=8,
        steps=1,
    )
    with pytest.raises(CompileError, match="`whole_batch` compares all rows of a step"):
        build(Spec(models={"two": STILL}, jobs={"learn": job}), job="learn")


def every_kind() -> list[tuple[str, Pretrain | Finetune]]:
    """A job for each objective, for all together, and for each task, those of tests included."""
    common: dict[str, Any] = {"on": "two", "optimizer": AdamW(lr=1e-3), "steps": 1, "batch": 8}
    objectives = [schema("objective", word) for word in words("objective")]
    kinds = [kind() for kind in objectives if kind is not None]
    sets = [(kind,) for kind in kinds]
    kinds = [kind for kind in kinds if kind.head().predicts != "regions"]
    sets += [tuple(kinds), (Itm(draw="data", negatives=3), Mlm())]
    sets += [(*(kind for kind in kinds if kind.word() != "itm"), Itm(hard=True, negatives=2))]
    jobs: list[Any] = [
        Pretrain(name="learn", data=("pairs",), objectives=chosen, texts_per_image=2, **common)
        for chosen in sets
    ]
    tasks = [schema("task", word) for word in words("task")]
    blocks: list[Any] = [kind.model_construct(**REQUIRED) for kind in tasks if kind is not None]
    blocks += [TwoImages(), SharesOfCredit(), Amount(), AmongCandidates()]
    jobs += [Finetune(name="learn", task=block, **common) for block in blocks]
    return [("+".join(weights_of(job)) + f" {number}", job) for number, job in enumerate(jobs)]


def made_of(objectives: Objectives, asked: dict[str, Expected], shape: Shape) -> Batch:
    """A batch of random contents, of the size that is expected."""
    images = distinct_images(asked.values(), shape)
    covered = hidden_images(asked.values())
    rows = encoded_texts(asked.values(), shape)
    texts = TextRows(
        input_ids=torch.randint(2, 60, (rows * shape.tokens,)),
        cumulative=torch.arange(0, rows * shape.tokens + 1, shape.tokens, dtype=torch.int32),
        longest=shape.tokens,
    )
    items = {}
    for name, one in asked.items():
        classes = objectives.model.heads.declared[name].outputs
        wanted = {
            "class": torch.zeros(one.items, dtype=torch.int64),
            "shares": torch.zeros(one.items, classes or 1),
            "number": torch.zeros(one.items),
            "vector": torch.zeros(one.items, CHANNELS),
        }
        pairs = torch.arange(one.pairs)
        each = one.candidates or 1
        items[name] = Items(
            text=pairs % rows,
            image=images + pairs % covered if one.patches else pairs % images,
            tokens=one.pairs * shape.tokens,
            positions=None if one.positions is None else torch.arange(one.positions),
            patches=hidden_patches(one, shape) if one.patches else None,
            target=None if one.patches and one.target != "vector" else wanted[one.target],
            known=one.items,
            group=Candidates(item=pairs // each, place=pairs % each, items=one.items, most=each)
            if one.candidates
            else None,
            truth=Truth(text=pairs, image=pairs, pairs=pairs[:0], contents=one.pairs)
            if one.compared
            else None,
            drawn=Drawn(row=pairs % shape.rows, turn=pairs // shape.rows - 1)
            if one.drawn
            else None,
        )
    if objectives.model.towers["vision"].facts.regions is not None:
        features = torch.randn(images + covered, shape.patches, CHANNELS)
        regions = RegionRows(features=features, boxes=torch.rand(*features.shape[:2], 4), mask=None)
        return Batch(
            images=regions.part(slice(images)),
            texts=Texts(encoded=texts),
            items=items,
            rows=shape.rows,
            hidden=regions.part(slice(images, None)),
        )
    pixels = torch.randint(256, (images, 3, 32, 32), dtype=torch.uint8)
    hidden = HiddenPixels(
        pixels=torch.randint(256, (covered, 3, 32, 32), dtype=torch.uint8),
        mask=torch.ones(covered, shape.patches, dtype=torch.bool),
    )
    return Batch(
        images=pixels,
        texts=Texts(encoded=texts),
        items=items,
        rows=shape.rows,
        hidden=(hidden,) if covered else (),
    )


def hidden_patches(asked: Expected, shape: Shape) -> PatchPlaces:
    """As many patches as are expected, of the images of all pairs."""
    place = torch.arange(asked.items)
    pair, patch = place % asked.pairs, place // asked.pairs % shape.patches
    hidden = pair % asked.hidden * shape.patches + patch
    return PatchPlaces(pair=pair, patch=patch, hidden=hidden)


@pytest.mark.parametrize(("name", "job"), every_kind())
def test_what_is_planned_of_a_kind_is_counted_when_it_runs(
    name: str, job: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    regions = any(one.head().predicts == "regions" for one in kinds_of(job).values())
    declared = Spec(
        models={"two": of_towers(name="two") if regions else SMALL}, jobs={"learn": job}
    )
    [of_job] = plan(declared, device="cpu").jobs
    planned = of_job.model
    model = build(declared, job="learn")
    assert planned.parameters.total == sum(part.numel() for part in model.parameters())
    objectives = Objectives(model, declared.models["two"], job)
    shape = shape_of(job, 8, of_job.tokens, patches=model.towers["vision"].facts.patches)
    batch = made_of(objectives, expected_of(objectives.kinds, shape), shape)
    found = counted(model, lambda: [one.loss for one in objectives(batch).values()])
    assert planned.flops_per_sample.forward == round(found.forward / 8)
    assert planned.flops_per_sample.backward == pytest.approx(found.backward / 8, rel=1e-6)

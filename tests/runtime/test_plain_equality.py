"""The step does less work than a plain one, and has its losses and gradients.

The plain step is the textbook's: masked texts with their images, then plain texts with true and
other images, two full passes; every text padded to the longest that the model takes, every pair's
image encoded by itself, a score for every word piece at every position, nothing frozen.
"""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from renaissance.compiler import build
from renaissance.compiler.batch import Batch
from renaissance.compiler.freeze import resolve
from renaissance.compiler.fusions.single_stream.schema import SingleStream
from renaissance.compiler.model import VisionLanguageModel
from renaissance.compiler.normalisation import Normalisation
from renaissance.compiler.sources.patches.schema import Patches
from renaissance.compiler.sources.plain.schema import PlainStack
from renaissance.compiler.sources.random.schema import RandomArchitecture
from renaissance.compiler.sources.wordpiece.schema import Wordpiece
from renaissance.compiler.step import Objectives
from renaissance.grammar.kinds.fusion import FusionBlock
from renaissance.grammar.kinds.registry import Kinds
from renaissance.grammar.schema.model import Freeze
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime.data import job_data
from renaissance.runtime.objectives.itm.schema import Itm
from renaissance.runtime.objectives.mlm.schema import Mlm
from tests.batches import encoded, packing_of, pixels_of
from tests.tiny import OF_TWO_TOWERS, tiny_fusion

MAX_TOKENS = 12
OBJECTIVES = (Mlm(), Itm(negatives=2))
WEIGHTS = {"mlm": 0.7, "itm": 1.3}
LIBRARIES = {
    "text": RandomArchitecture(
        id="google/electra-small-discriminator", layers=2, width=16, heads=2, max_tokens=MAX_TOKENS
    ),
    "vision": RandomArchitecture(
        id="deit_tiny_patch16_224", layers=2, width=16, heads=2, image_size=32
    ),
}
STACKED = {
    "text": Wordpiece(max_tokens=MAX_TOKENS, vocabulary=64),
    "vision": Patches(image_size=16, patch=8),
}
FREEZES = {
    "nothing": (),
    "text": ("text",),
    "vision": ("vision",),
    "both": ("text", "vision"),
    "slices": ("text.embeddings", "text.layers[:1]", "vision.embeddings", "vision.layers[:1]"),
    "fusion": ("cross",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainRows:
    """Texts `[rows, MAX_TOKENS]` as the plain step takes them; labels are -100 where unmasked."""

    ids: Tensor
    masked_ids: Tensor
    attention_mask: Tensor
    labels: Tensor


def plain_rows(batch: Batch) -> PlainRows:
    """Take the texts of a batch apart: masked ones stand in front of the others."""
    masked = batch.items["mlm"]
    packing = replace(packing_of(batch, masked), longest=MAX_TOKENS)
    changed, plain = encoded(batch).input_ids.tensor_split([masked.tokens])
    labels = torch.full_like(changed, -100)
    labels[masked.positions] = masked.target
    mask = packing.mask()
    return PlainRows(
        ids=packing.pad(plain),
        masked_ids=packing.pad(changed),
        attention_mask=mask,
        labels=packing.pad(labels).masked_fill(~mask, -100),
    )


def plain_losses(model: VisionLanguageModel, batch: Batch) -> dict[str, Tensor]:
    """The mean losses of two full passes."""
    rows, masked, matching = plain_rows(batch), batch.items["mlm"], batch.items["itm"]
    text = {"input_ids": rows.masked_ids, "attention_mask": rows.attention_mask}
    output = model(text=text, vision=pixels_of(batch, masked))
    scores = model.heads["mlm"](output.streams["text"])
    mlm = F.cross_entropy(scores.flatten(0, 1), rows.labels.flatten())
    shown = matching.text - batch.rows
    text = {"input_ids": rows.ids[shown], "attention_mask": rows.attention_mask[shown]}
    output = model(text=text, vision=pixels_of(batch, matching))
    itm = F.cross_entropy(model.heads["itm"](output.pooled), matching.target)
    return {"mlm": mlm, "itm": itm}


def experiment(make: Callable[..., Spec], architecture: str) -> Spec:
    spec = make(dropout=0.0, base={"objectives": OBJECTIVES})
    model = spec.models["tiny"]
    if architecture == "two towers from libraries":
        model = model.model_copy(update={"streams": LIBRARIES})
    if architecture == "one tower":
        stack = PlainStack(layers=2, width=16, heads=2, dropout=0.0)
        fusion = SingleStream(inputs=("text", "vision"), encoder=stack)
        model = model.model_copy(update={"streams": STACKED, "fusion": fusion})
    if architecture in Kinds(FusionBlock):
        model = model.model_copy(update={"fusion": tiny_fusion(architecture)})
    return spec.model_copy(update={"models": {"tiny": model}})


@pytest.fixture
def in_double(monkeypatch: pytest.MonkeyPatch) -> None:
    """Losses are taken in float32; here also they are to keep the digits that they have."""
    monkeypatch.setattr(torch.Tensor, "float", lambda tensor: tensor.double())


@pytest.mark.usefixtures("in_double")
@pytest.mark.parametrize("frozen", FREEZES)
@pytest.mark.parametrize("architecture", ["two towers from libraries", "one tower", *OF_TWO_TOWERS])
def test_losses_and_gradients_are_those_of_the_plain_step(
    tiny_spec: Callable[..., Spec], architecture: str, frozen: str
) -> None:
    if architecture == "one tower" and frozen == "slices":
        selectors: tuple[str, ...] = ("text", "vision", "cross.layers[:1]")
    else:
        selectors = FREEZES[frozen]
    spec = experiment(tiny_spec, architecture)
    model = build(spec, job="base").double()
    for part in model.modules():  # models of libraries bring dropout of their own
        if isinstance(part, torch.nn.Dropout):
            part.p = 0.0
    plain = deepcopy(model).eval()
    freeze = (Freeze(selectors=selectors),) if selectors else ()
    resolve(model, freeze).apply(model, 0, 1)
    model.train()
    # Tokens of the plain tower's own tokenizer, which are word pieces of every other one too.
    data: Any = job_data(tiny_spec(base={"objectives": OBJECTIVES}), "base")
    [single] = next(iter(data.train(0, 0, 1)))
    larger = spec.models["tiny"].streams["vision"].image_size // 16
    images = Normalisation((0.5,) * 3, (0.5,) * 3)(single.images)
    images = images.repeat_interleave(larger, 2).repeat_interleave(larger, 3)
    batch: Batch = replace(single, images=images.double())
    assert len(batch.images) < batch.rows  # images stand once, texts share them

    scored = Objectives(model, spec.models["tiny"], spec.training_job("base"))(batch)
    ours = {head: scored[head].loss / items.known for head, items in batch.items.items()}
    sum(WEIGHTS[head] * loss for head, loss in ours.items()).backward()
    theirs = plain_losses(plain, batch)
    sum(WEIGHTS[head] * loss for head, loss in theirs.items()).backward()

    assert {head: loss.item() for head, loss in ours.items()} == pytest.approx(
        {head: loss.item() for head, loss in theirs.items()}, rel=1e-12
    )
    expected = dict(plain.named_parameters())
    learning = [name for name, p in model.named_parameters() if p.requires_grad]
    reached = 0
    for name, parameter in model.named_parameters():
        gradient, wanted = parameter.grad, expected[name].grad
        if name not in learning:
            assert gradient is None, name
            continue
        if gradient is None or wanted is None:  # no loss reads what it would change
            assert gradient is None or not gradient.any(), name
            assert wanted is None or not wanted.any(), name
            continue
        reached += 1
        scale = max(wanted.abs().max().item(), 1e-3)
        assert torch.allclose(gradient, wanted, rtol=1e-9, atol=1e-11 * scale), name
    assert reached > 0.8 * len(learning)

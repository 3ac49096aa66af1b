"""Hidden patches against plain torch and against transformers, in float64."""

import math
from collections.abc import Sequence
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F
from transformers import ViTConfig, ViTModel

from renaissance.compiler.assembly import build
from renaissance.compiler.backbones.huggingface import TransformersTower
from renaissance.compiler.batch import (
    Batch,
    HiddenPixels,
    Items,
    PatchPlaces,
    ShapedImages,
    TextRows,
    Texts,
)
from renaissance.compiler.model.patches import HiddenImages
from renaissance.compiler.model.tower import TowerFacts
from renaissance.compiler.step import Objectives
from renaissance.grammar.kinds.source import Fit
from renaissance.grammar.schema.jobs import Pretrain
from renaissance.grammar.schema.model import Freeze, Model
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime.objectives.mim.loss import normalised
from renaissance.runtime.objectives.mim.schema import Mim
from renaissance.runtime.optimizers.adamw.schema import AdamW
from tests.compiler.declarations import joined_by
from tests.tiny import OF_TWO_TOWERS

STILL = {"dropout": 0.0}


def objectives(model: Model, block: Mim) -> Objectives:
    job = Pretrain(
        name="learn",
        on=model.name,
        data=("pairs",),
        objectives=(block,),
        optimizer=AdamW(lr=1e-3),
        batch=3,
        steps=1,
    )
    built = build(Spec(models={model.name: model}, jobs={"learn": job}), job="learn")
    return Objectives(built.double().eval(), model, job)


def batch_of(pixels: Sequence[Tensor], masks: Sequence[Tensor], *, whole: bool) -> Batch:
    """Three texts, of which the last two have one image of two, of one shape or of two."""
    image = torch.tensor([0, 1, 1])
    chosen = [masks[number].nonzero()[:, 0] for number in image.tolist()]
    pair = torch.arange(3).repeat_interleave(torch.tensor(list(map(len, chosen))))
    patch = torch.cat(chosen)
    alike = pixels[0].shape == pixels[1].shape
    groups = [torch.stack(list(pixels))] if alike else [one[None] for one in pixels]
    hiding = [torch.stack(list(masks))] if alike else [one[None] for one in masks]
    shown: Any = groups[0] if alike else ShapedImages(groups=tuple(groups))
    images = shown if whole else groups[0][:0]
    items = Items(
        text=torch.arange(3),
        image=image + len(images),
        tokens=12,
        patches=PatchPlaces(
            pair=pair,
            patch=patch,
            hidden=image[pair] * len(masks[0]) + patch,
            whole=image[pair] if whole else None,
        ),
        target=None,
        known=len(pair),
    )
    ids = torch.arange(2, 14)
    texts = TextRows(
        input_ids=ids, cumulative=torch.tensor([0, 5, 9, 12], dtype=torch.int32), longest=5
    )
    return Batch(
        images=images,
        texts=Texts(encoded=texts),
        items={"mim": items},
        rows=3,
        hidden=tuple(
            HiddenPixels(pixels=one, mask=mask) for one, mask in zip(groups, hiding, strict=True)
        ),
    )


def reference(
    of: Objectives, batch: Batch, pixels: Sequence[Tensor], masks: Sequence[Tensor], block: Mim
) -> Tensor:
    """The loss, image by image and patch by patch."""
    model = of.model
    tower: Any = model.towers["vision"]
    head: Any = model.heads["mim"]
    text = model.encode("text", batch.texts.encoded.for_model()).padded()  # type: ignore[union-attr]
    side = tower.facts.image_size // tower.facts.grid
    total = torch.zeros((), dtype=torch.float64)
    for row, image in enumerate((0, 1, 1)):
        cut = F.unfold(pixels[image][None], side, stride=side)[0].T  # [patches, 3 * side * side]
        embedded = F.conv2d(
            pixels[image][None],
            tower.embeddings.stem.weight,
            tower.embeddings.stem.bias,
            stride=side,
        )
        rows = [
            head.mask_token if masks[image][place] else vector
            for place, vector in enumerate(embedded[0].flatten(1).T)
        ]
        tokens = torch.stack([tower.embeddings.class_token[0, 0], *rows])
        tokens = tokens + positions(tower.embeddings, *embedded.shape[2:])
        stream = model.towers["vision"]
        behind = getattr(stream, "stack", None)
        from renaissance.compiler.model.features import Features

        vision = Features(tokens=tokens[None])
        vision = vision if behind is None else behind(vision)
        length = int(text.mask[row].sum()) if text.mask is not None else text.tokens.shape[1]
        words = Features(tokens=text.tokens[row : row + 1, :length])
        fused = model.fused({"text": words, "vision": vision})["vision"].tokens[0]
        whole = model.encode("vision", pixels[image][None]).tokens[0].detach()
        for place in range(len(cut)):
            if not masks[image][place]:
                continue
            said = F.linear(fused[1 + place], head.dense.weight, head.dense.bias)
            wanted = (
                cut[place].view(3, side * side).T.reshape(-1)
                if block.target == "pixels"
                else whole[1 + place]
            )
            wanted = (wanted - wanted.mean()) / (wanted.var() + 1e-6).sqrt()
            error = said - wanted
            total = total + (error.square() if block.loss == "l2" else error.abs()).mean()
    return total


def positions(embeddings: Any, down: int, across: int) -> Tensor:
    """Positions of a grid, each between the nearest of a square one, by the corners."""
    first, square = embeddings.position[:1], embeddings.position[1:]
    side = math.isqrt(len(square))
    square = square.view(side, side, -1)

    def mixed(count: int) -> Tensor:
        """`[count, side]`, how much each of the square's rows counts."""
        weights = torch.zeros(count, side, dtype=torch.float64)
        for row in range(count):
            at = row * (side - 1) / (count - 1) if count > 1 else 0.0
            low = min(int(at), side - 2)
            weights[row, low], weights[row, low + 1] = low + 1 - at, at - low
        return weights

    found = torch.einsum("ds,at,stw->daw", mixed(down), mixed(across), square)
    return torch.cat((first, found.flatten(0, 1)))


@pytest.mark.parametrize("word", [*OF_TWO_TOWERS, "single_stream"])
@pytest.mark.parametrize("lower", ["auto", "none"])
@pytest.mark.parametrize("shapes", [None, ((24, 16), (16, 32))], ids=["square", "fit"])
@pytest.mark.parametrize(
    "block",
    [Mim(), Mim(loss="l1"), Mim(target="features")],
    ids=["pixels", "absolute", "features"],
)
def test_loss_and_gradients_are_those_of_plain_torch(
    word: str, lower: Any, shapes: Any, block: Mim
) -> None:
    features = block.target == "features"
    if features and word == "single_stream":
        pytest.skip("has no tower")
    freeze = (Freeze(selectors=("vision",)),) if features else ()
    model = joined_by(word, lower=lower, freeze=freeze)
    if shapes is not None:
        fit = Fit(shorter=16, longer=32, multiple=8)
        vision: Any = model.streams["vision"]
        keeping = vision.model_copy(update={"resize": fit})
        model = model.model_copy(update={"streams": {**model.streams, "vision": keeping}})
    of = objectives(model, block)
    torch.manual_seed(0)
    size, grid = of._facts.image_size or 0, of._facts.grid or 0
    side = size // grid
    pixels, masks = [], []
    for height, width in shapes or ((size, size), (size, size)):
        pixels.append(torch.randn(3, height, width, dtype=torch.float64))
        masks.append(torch.rand((height // side) * (width // side)) < 0.5)
        masks[-1][0] = True
    batch = batch_of(pixels, masks, whole=features)
    names = [name for name, one in of.model.named_parameters() if one.requires_grad]
    learning = [one for one in of.model.parameters() if one.requires_grad]

    # The loss of the job is in float32; here nothing is rounded.
    scores: list[Tensor] = []
    hook = of.model.heads["mim"].register_forward_hook(lambda head, read, out: scores.append(out))
    items = batch.items["mim"]
    targets: list[Tensor] = []
    with_target = of._with_target

    def kept(*given: Any) -> Items:
        found = with_target(*given)
        assert found.target is not None
        targets.append(found.target)
        return found

    of._with_target = kept  # type: ignore[method-assign]
    scored = of(batch)["mim"]
    hook.remove()
    error = scores[0] - normalised(targets[0])
    ours = (error.square() if block.loss == "l2" else error.abs()).mean(1).sum()
    plain = reference(of, batch, pixels, masks, block)
    torch.testing.assert_close(ours, plain, rtol=1e-9, atol=1e-9)
    assert scored.loss.item() == pytest.approx(plain.item(), rel=1e-5)
    assert items.known == len(scores[0]) == sum(int(masks[n].sum()) for n in (0, 1, 1))
    gradients = torch.autograd.grad(ours, learning, allow_unused=True)
    wanted = torch.autograd.grad(plain, learning, allow_unused=True)
    for name, one, other in zip(names, gradients, wanted, strict=True):
        assert (one is None) == (other is None), name
        if one is not None:
            torch.testing.assert_close(one, other, rtol=1e-7, atol=1e-9, msg=name)
    assert gradients[names.index("heads.mim.mask_token")].abs().sum() > 0  # type: ignore[union-attr]


def test_what_is_hidden_cannot_be_seen() -> None:
    """Whatever hidden pixels are, nothing changes, though a convolutional stem looks around."""
    for stem in ("linear", "convolutional"):
        from tests.compiler.declarations import VISION

        model = joined_by("cross_attention", vision=VISION.model_copy(update={"stem": stem}))
        of = objectives(model, Mim())
        grid, size = of._facts.grid or 0, of._facts.image_size or 0
        pixels = torch.randn(1, 3, size, size, dtype=torch.float64)
        mask = torch.zeros(1, grid**2, dtype=torch.bool)
        mask[0, 1] = True
        token = of.model.heads["mim"].mask_token
        side = size // grid
        other = pixels.clone()
        other[:, :, :side, side : 2 * side] = 7.0
        hidden = [
            HiddenImages(pixels=each, mask=mask, token=token, side=side, stream="vision")
            for each in (pixels, other)
        ]
        one, two = (of.model.encode_hidden("vision", images).tokens for images in hidden)
        assert torch.equal(one, two)
        assert not torch.equal(
            of.model.encode("vision", pixels).tokens, of.model.encode("vision", other).tokens
        )


def test_a_library_tower_hides_what_transformers_hides() -> None:
    """The masks of ViTForMaskedImageModeling: outputs and gradients."""
    config = ViTConfig(
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        image_size=32,
        patch_size=8,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
    theirs = ViTModel(config, add_pooling_layer=False, use_mask_token=True).double()
    ours = ViTModel(config, add_pooling_layer=False).double()
    ours.load_state_dict(
        {name: one for name, one in theirs.state_dict().items() if "mask_token" not in name}
    )
    facts = TowerFacts(modality="vision", width=16, image_size=32, grid=4, prefix_tokens=1)
    tower = TransformersTower(ours, facts, None)
    pixels = torch.randn(2, 3, 32, 32, dtype=torch.float64)
    mask = torch.rand(2, 16) < 0.5
    token = torch.randn(16, dtype=torch.float64, requires_grad=True)
    with torch.no_grad():
        theirs.embeddings.mask_token.copy_(token)
    images = HiddenImages(pixels=pixels, mask=mask, token=token, side=8, stream="vision")
    embedding = tower.patch_embedding()
    assert embedding is not None
    with images.embedded_by(embedding):
        found = tower(images.blank()).tokens
    wanted = theirs(pixel_values=pixels, bool_masked_pos=mask).last_hidden_state
    torch.testing.assert_close(found, wanted, rtol=1e-12, atol=1e-12)
    found.square().sum().backward()
    wanted.square().sum().backward()
    assert token.grad is not None
    torch.testing.assert_close(token.grad, theirs.embeddings.mask_token.grad[0, 0])
    gradients = {name: one.grad for name, one in theirs.named_parameters()}
    for name, one in ours.named_parameters():
        torch.testing.assert_close(one.grad, gradients[name])
    assert torch.equal(tower(pixels).tokens, ours(pixel_values=pixels).last_hidden_state)

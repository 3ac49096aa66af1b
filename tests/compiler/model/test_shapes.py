"""Images of several shapes: each is encoded as if it were alone, whatever stands beside it."""

from typing import Any

import pytest
import torch
from torch import Tensor
from transformers import ViltConfig
from transformers.models.vilt.modeling_vilt import ViltEmbeddings

from renaissance.compiler import build, plan
from renaissance.compiler.backbones.embeddings import PatchEmbeddings
from renaissance.compiler.backbones.sources import build_tower
from renaissance.compiler.batch import Batch, Items, ShapedImages, TextRows, Texts
from renaissance.compiler.errors import BackboneError, InputError, ShapeError
from renaissance.compiler.model import VisionLanguageModel
from renaissance.compiler.model.features import Features, stacked
from renaissance.compiler.model.inputs import images_of
from renaissance.compiler.sources.random.schema import RandomArchitecture
from renaissance.compiler.step import Objectives
from renaissance.grammar.kinds.source import Fit
from renaissance.grammar.schema.model import Model
from renaissance.grammar.schema.spec import Spec
from tests.tiny import OF_TWO_TOWERS, tiny_fusion, tiny_model

FIT = Fit(shorter=32, longer=64, multiple=16)
SHAPES = ((32, 48), (32, 32), (64, 32), (32, 48))
SOURCES: dict[str, Any] = {
    "plain": {"image_size": 32, "patch": 16, "resize": FIT},
    "timm": RandomArchitecture(
        id="deit_tiny_patch16_224", layers=2, width=16, heads=2, image_size=32, resize=FIT
    ),
    "transformers": RandomArchitecture(
        id="google/vit-base-patch16-224", layers=2, width=16, heads=2, image_size=32, resize=FIT
    ),
    "clip": RandomArchitecture(
        id="openai/clip-vit-base-patch16", layers=2, width=16, heads=2, image_size=32, resize=FIT
    ),
}


def model_of(source: str, fusion: str = "cross_attention", **changes: Any) -> Model:
    vision = SOURCES[source]
    if source == "plain":
        found = tiny_model(vision=vision, dropout=0.0, **changes)
    else:
        found = tiny_model(dropout=0.0, **changes)
        found = found.model_copy(update={"streams": {**found.streams, "vision": vision}})
    return found.model_copy(update={"fusion": tiny_fusion(fusion)})


def one_tower(**changes: Any) -> Model:
    from renaissance.compiler.fusions.single_stream.schema import SingleStream
    from renaissance.compiler.sources.patches.schema import Patches
    from renaissance.compiler.sources.plain.schema import PlainStack
    from renaissance.compiler.sources.wordpiece.schema import Wordpiece

    stack = PlainStack(layers=2, width=16, heads=2, dropout=0.0)
    streams = {
        "text": Wordpiece(max_tokens=12, vocabulary=64),
        "vision": Patches(image_size=32, patch=16, resize=FIT),
    }
    fusion = SingleStream(inputs=("text", "vision"), encoder=stack)
    return tiny_model(**changes).model_copy(update={"streams": streams, "fusion": fusion})


def built(model: Model) -> VisionLanguageModel:
    return build(Spec(models={"tiny": model}, data={}, jobs={}))


def drawn() -> list[Tensor]:
    torch.manual_seed(5)
    return [torch.randn(3, *shape) for shape in SHAPES]


def padded(images: list[Tensor]) -> dict[str, Tensor]:
    """Put images into one tensor, as an image processor does."""
    height, width = (max(image.shape[side] for image in images) for side in (1, 2))
    pixels = torch.zeros(len(images), 3, height, width)
    mask = torch.zeros(len(images), height, width, dtype=torch.int64)
    for row, image in enumerate(images):
        pixels[row, :, : image.shape[1], : image.shape[2]] = image
        mask[row, : image.shape[1], : image.shape[2]] = 1
    return {"pixel_values": pixels, "pixel_mask": mask}


def texts() -> dict[str, Tensor]:
    ids = torch.arange(4 * 7).reshape(4, 7) % 50 + 2
    mask = torch.arange(7) < torch.tensor([7, 4, 6, 3])[:, None]
    return {"input_ids": ids, "attention_mask": mask.long()}


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("lower", ["auto", "none"])
def test_an_image_is_encoded_as_it_is_alone(source: str, lower: Any) -> None:
    torch.manual_seed(0)
    model = built(model_of(source, lower=lower)).eval()
    images = drawn()
    found = model.encode("vision", padded(images))
    assert found.mask is not None
    patches = [1 + shape[0] // 16 * (shape[1] // 16) for shape in SHAPES]
    assert found.mask.sum(1).tolist() == patches
    for row, image in enumerate(images):
        alone = model.encode("vision", image[None]).tokens[0]
        torch.testing.assert_close(found.tokens[row][found.mask[row]], alone, atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize("pool", ["cls", "mean"])
@pytest.mark.parametrize("lower", ["auto", "none"])
@pytest.mark.parametrize("fusion", ["one tower", *OF_TWO_TOWERS])
def test_a_pair_comes_out_as_it_does_alone(fusion: str, lower: Any, pool: Any) -> None:
    torch.manual_seed(0)
    declared = (
        one_tower(lower=lower) if fusion == "one tower" else model_of("plain", fusion, lower=lower)
    )
    model = built(declared.model_copy(update={"pool": pool})).eval()
    images, text = drawn(), texts()
    together = model(text=text, vision=padded(images))
    for row, image in enumerate(images):
        length = int(text["attention_mask"][row].sum())
        one = model(
            text={"input_ids": text["input_ids"][row : row + 1, :length]}, vision=image[None]
        )
        torch.testing.assert_close(together.pooled[row], one.pooled[0], atol=4e-6, rtol=1e-5)
        for name, stream in one.streams.items():
            tokens = stream.shape[1]
            torch.testing.assert_close(
                together.streams[name][row, :tokens], stream[0], atol=1e-6, rtol=1e-5
            )
            assert not together.streams[name][row, tokens:].any()


def test_the_visual_embedding_is_that_of_vilt() -> None:
    torch.manual_seed(0)
    config = ViltConfig(
        hidden_size=16, num_attention_heads=2, image_size=64, patch_size=16, hidden_dropout_prob=0.0
    )
    theirs = ViltEmbeddings(config).eval()
    torch.nn.init.normal_(theirs.position_embeddings)
    torch.nn.init.normal_(theirs.cls_token)
    ours = PatchEmbeddings(64, 16, 16, "linear", 0.0, "vision", FIT).eval()
    projection = theirs.patch_embeddings.projection
    with torch.no_grad():
        ours.stem.load_state_dict(projection.state_dict())
        ours.position.copy_(theirs.position_embeddings[0])
        ours.class_token.copy_(theirs.cls_token)
        images = drawn()
        # The largest image fills the batch; ViLT draws which patches of it come in which order.
        images.append(torch.randn(3, 64, 64))
        batch = padded(images)
        tokens, mask, (index, _) = theirs.visual_embed(
            batch["pixel_values"], batch["pixel_mask"], max_image_length=-1
        )
        for row, image in enumerate(images):
            mine = ours(image[None]).tokens[0]
            real = mask[row, 1:].bool()
            down, across = index[row][real].T
            place = 1 + down * (image.shape[2] // 16) + across
            assert len(place) == len(mine) - 1
            torch.testing.assert_close(tokens[row, 0], mine[0], atol=1e-6, rtol=1e-6)
            torch.testing.assert_close(tokens[row, 1:][real], mine[place], atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize("source", SOURCES)
def test_square_images_are_encoded_as_without_it(source: str) -> None:
    torch.manual_seed(0)
    fitted = built(model_of(source)).eval()
    declared = model_of(source)
    vision = declared.streams["vision"].model_copy(update={"resize": "squash"})
    square = built(declared.model_copy(update={"streams": {**declared.streams, "vision": vision}}))
    square.load_state_dict(fitted.state_dict(), strict=True)
    pixels = torch.randn(2, 3, 32, 32)
    one, other = (model.eval().encode("vision", pixels).tokens for model in (fitted, square))
    torch.testing.assert_close(one, other, atol=1e-6, rtol=1e-6)
    with pytest.raises(ShapeError, match="32, 32"):
        square.encode("vision", torch.randn(1, 3, 32, 48))
    with pytest.raises(ShapeError, match="multiples of 16"):
        fitted.encode("vision", torch.randn(1, 3, 32, 40))


def test_losses_and_gradients_do_not_depend_on_how_images_are_grouped(tiny_spec: Any) -> None:
    spec = tiny_spec(dropout=0.0, vision={"image_size": 32, "patch": 16, "resize": FIT})
    torch.manual_seed(0)
    model = build(spec, job="vqa").train()
    objectives = Objectives(model, spec.models["tiny"], spec.training_job("vqa"))
    images, text = drawn(), torch.arange(4 * 5) % 50 + 2

    def batch(rows: list[int], groups: tuple[Tensor, ...], place: list[int]) -> Batch:
        ids = text.view(4, 5)[rows].flatten()
        items = Items(
            text=torch.arange(len(rows)),
            image=torch.tensor(place),
            tokens=len(ids),
            target=torch.tensor([[1, 0, 2, 1][row] for row in rows]),
            known=len(rows),
        )
        shown = groups[0] if len(groups) == 1 else ShapedImages(groups=groups)
        lengths = torch.arange(len(rows) + 1, dtype=torch.int32) * 5
        texts = Texts(encoded=TextRows(input_ids=ids, cumulative=lengths, longest=5))
        return Batch(images=shown, texts=texts, items={"answer": items}, rows=len(rows))

    together = (torch.stack([images[0], images[3]]), images[1][None], images[2][None])
    objectives(batch([0, 1, 2, 3], together, [0, 2, 3, 1]))["answer"].loss.backward()
    grouped = {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}
    model.zero_grad()
    for row, image in enumerate(images):
        objectives(batch([row], (image[None],), [0]))["answer"].loss.backward()
    assert len(grouped) > 20
    for name, parameter in model.named_parameters():
        if name in grouped:
            torch.testing.assert_close(grouped[name], parameter.grad, atol=1e-5, rtol=1e-4)


def test_masks_that_are_no_padding_are_refused() -> None:
    given = padded(drawn())
    given["pixel_mask"][0, 0, 0] = 0
    with pytest.raises(InputError, match="hides more than padding"):
        images_of(given)
    with pytest.raises(InputError, match="`pixel_mask`"):
        images_of({**given, "pixel_mask": torch.ones(1)})


def test_rows_of_one_length_need_no_mask() -> None:
    parts = [Features(tokens=torch.randn(rows, 3, 2)) for rows in (2, 1)]
    found = stacked(parts)
    assert found.mask is None
    assert torch.equal(found.tokens, torch.cat([part.tokens for part in parts]))


def test_library_encoders_that_read_squares_only_are_refused() -> None:
    for name in ("resnet18", "swin_tiny_patch4_window7_224", "coatnet_0_rw_224"):
        source = RandomArchitecture(id=name, image_size=224, resize=FIT)
        with pytest.raises(BackboneError, match="reads square images only"):
            build_tower(source, "vision", attention="auto", weights=False)


def test_plans_count_the_largest_image_and_say_so(tiny_spec: Any) -> None:
    spec = tiny_spec(vision={"image_size": 32, "patch": 16, "resize": FIT})
    planned = plan(spec)
    [model] = planned.models
    [note] = [note for note in model.notes if "largest" in note]
    assert "32 × 64 pixels" in note and "`vision`" in note
    assert (1 + 2 * 4, 16) in [
        part.output for part in model.components if part.address.startswith("vision")
    ]

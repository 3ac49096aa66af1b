"""What a model takes, and one clear sentence for what it does not."""

import copy
import inspect
import pickle
from typing import Any

import pytest
import torch
from torch import Tensor
from transformers import BatchEncoding, BatchFeature

from renaissance import build
from renaissance.compiler.errors import InputError
from renaissance.compiler.model import VisionLanguageModel
from renaissance.compiler.model.inputs import TextInput
from tests.compiler.declarations import (
    DEIT,
    ELECTRA,
    VIT,
    one_tower,
    packed_texts,
    spec,
    two_towers,
)

MODELS = {
    "plain towers": two_towers(),
    "library towers": two_towers(text=ELECTRA, vision=DEIT),
    "another library": two_towers(text=ELECTRA, vision=VIT),
    "plain stack": one_tower(),
}
IDS = torch.arange(2, 17).view(3, 5)
PIXELS = torch.linspace(-1, 1, 3 * 3 * 32 * 32).view(3, 3, 32, 32)


def built(name: str = "plain towers") -> VisionLanguageModel:
    return build(spec(MODELS[name])).eval()


@pytest.mark.parametrize("frozen", ["vision", "everything"])
@pytest.mark.parametrize("name", MODELS)
def test_images_get_gradients_through_what_is_frozen(name: str, frozen: str) -> None:
    model = built(name)
    open_pixels = PIXELS.clone().requires_grad_()
    model(text={"input_ids": IDS}, vision=open_pixels).pooled.sin().sum().backward()
    (model if frozen == "everything" else model.streams["vision"]).requires_grad_(False)
    pixels = PIXELS.clone().requires_grad_()
    model(text={"input_ids": IDS}, vision=pixels).pooled.sin().sum().backward()
    assert pixels.grad is not None
    assert pixels.grad.any()
    torch.testing.assert_close(pixels.grad, open_pixels.grad)
    assert not model.encode("vision", PIXELS).tokens.requires_grad


def test_gradients_of_embeddings_pass_a_frozen_stack() -> None:
    model = built("plain stack").requires_grad_(False)
    features = model.encode("vision", PIXELS)
    tokens = features.tokens.requires_grad_()
    fused = model.fuse({"text": model.encode("text", {"input_ids": IDS}), "vision": features})
    fused.pooled.sum().backward()
    assert tokens.grad is not None
    assert tokens.grad.any()


@pytest.mark.parametrize("name", MODELS)
def test_what_processors_and_tokenizers_return_is_taken(name: str) -> None:
    model = built(name)
    expected = model(text={"input_ids": IDS}, vision=PIXELS).pooled
    text = BatchEncoding({"input_ids": IDS, "token_type_ids": torch.zeros_like(IDS)})
    for images in ({"pixel_values": PIXELS}, BatchFeature({"pixel_values": PIXELS})):
        assert torch.equal(model(text=text, vision=images).pooled, expected)
    assert torch.equal(model({"input_ids": IDS}, PIXELS).pooled, expected)
    assert torch.equal(model({"input_ids": IDS}, vision=PIXELS).pooled, expected)
    assert torch.equal(model(vision=PIXELS, text={"input_ids": IDS}).pooled, expected)


LEFT = torch.tensor([[0, 0, 1, 1, 1], [1, 1, 1, 1, 1], [1, 1, 1, 1, 0]])
PAIR = torch.tensor([[0, 0, 0, 1, 1]]).expand(3, 5)
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a missing stream": (
        {"text": {"input_ids": IDS}},
        "the model `two` reads `text` and `vision`; `vision` is missing",
    ),
    "nothing": ({}, "the model `two` reads `text` and `vision`; `text` and `vision` are missing"),
    "an unknown stream": (
        {"text": {"input_ids": IDS}, "vision": PIXELS, "image": PIXELS},
        "the model `two` reads `text` and `vision`, and has no stream `image`",
    ),
    "a tensor for a text": (
        {"text": IDS, "vision": PIXELS},
        r"texts as a tensor \[3, 5\] of int64 where the model takes what a tokenizer returns",
    ),
    "a string for a text": (
        {"text": "a red circle", "vision": PIXELS},
        "texts as a `str` where the model takes what a tokenizer returns",
    ),
    "a text without ids": (
        {"text": {"ids": IDS}, "vision": PIXELS},
        "texts as a mapping of `ids` where the model takes",
    ),
    "lists of ids": (
        {"text": {"input_ids": IDS.tolist()}, "vision": PIXELS},
        "`input_ids` as a `list` where the model takes a tensor of integers",
    ),
    "one text without rows": (
        {"text": {"input_ids": IDS[0]}, "vision": PIXELS},
        r"`input_ids` as a tensor \[5\] of int64",
    ),
    "a mask of another shape": (
        {"text": {"input_ids": IDS, "attention_mask": LEFT[:, :4]}, "vision": PIXELS},
        r"`attention_mask` as a tensor \[3, 4\] of int64 beside `input_ids`",
    ),
    "padding in front": (
        {"text": {"input_ids": IDS, "attention_mask": LEFT}, "vision": PIXELS},
        'texts are padded in front.*padding_side = "right"',
    ),
    "two segments": (
        {"text": {"input_ids": IDS, "token_type_ids": PAIR}, "vision": PIXELS},
        "`token_type_ids` tell two segments apart",
    ),
    "a token that has no row": (
        {"text": {"input_ids": IDS.masked_fill(IDS.ge(IDS.max()), 10**6)}, "vision": PIXELS},
        "`input_ids` hold token 1000000 where the word embedding has",
    ),
    "a list of images": (
        {"text": {"input_ids": IDS}, "vision": [PIXELS[0]]},
        "images as a `list` where the model takes a tensor",
    ),
    "a mapping without images": (
        {"text": {"input_ids": IDS}, "vision": {"pixels": PIXELS}},
        "images as a mapping of `pixels` where the model takes",
    ),
    "one image without rows": (
        {"text": {"input_ids": IDS}, "vision": PIXELS[0]},
        r"images of shape \(3, 32, 32\)",
    ),
    "rows that do not correspond": (
        {"text": {"input_ids": IDS}, "vision": PIXELS[:2]},
        "rows do not correspond: 3 of `text` and 2 of `vision`",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_anything_else_gets_a_sentence(case: str) -> None:
    inputs, sentence = REFUSED[case]
    with pytest.raises(InputError, match=sentence):
        built()(**inputs)


def test_inputs_in_order_get_sentences_too() -> None:
    model = built()
    with pytest.raises(InputError, match="3 inputs where the model `two` reads"):
        model({"input_ids": IDS}, PIXELS, PIXELS)
    with pytest.raises(InputError, match="`text` is given twice"):
        model({"input_ids": IDS}, text={"input_ids": IDS}, vision=PIXELS)
    with pytest.raises(InputError, match="has no stream `image`; it has `text` and `vision`"):
        model.encode("image", PIXELS)


@pytest.mark.parametrize("form", ["padded", "packed"])
@pytest.mark.parametrize("name", MODELS)
def test_one_row_goes_with_every_row_of_the_other(name: str, form: str) -> None:
    model = built(name)
    text = TextInput(input_ids=IDS) if form == "padded" else packed_texts(3, 5)
    expected = model(text=text, vision=PIXELS[:1].expand(3, -1, -1, -1)).pooled
    torch.testing.assert_close(model(text=text, vision=PIXELS[:1]).pooled, expected)
    one = {"input_ids": IDS[:1]}
    expected = model(text={"input_ids": IDS[:1].expand(3, 5)}, vision=PIXELS).pooled
    torch.testing.assert_close(model(text=one, vision=PIXELS).pooled, expected)


def test_streams_are_named_by_the_signature_and_stay_so_in_copies() -> None:
    model = built()
    for other in (model, copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert list(inspect.signature(other.forward).parameters) == ["text", "vision"]
        assert other.forward.model() is other
        found: Tensor = other(text={"input_ids": IDS}, vision=PIXELS).pooled
        assert torch.equal(found, model(text={"input_ids": IDS}, vision=PIXELS).pooled)

"""Embeddings that start from those of an encoder give what its library gives, in float64."""

from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from torch import Tensor
from transformers import (
    BertConfig,
    BertModel,
    CLIPVisionConfig,
    CLIPVisionModel,
    DeiTConfig,
    DeiTModel,
    DistilBertConfig,
    DistilBertModel,
    ElectraConfig,
    ElectraModel,
    PreTrainedModel,
    RobertaConfig,
    RobertaModel,
    ViTConfig,
    ViTModel,
)

from renaissance.compiler import build
from renaissance.compiler.backbones.facts import normalisation
from renaissance.compiler.backbones.positions import resize_grid
from renaissance.compiler.backbones.sources import build_embedding
from renaissance.compiler.errors import BackboneError
from renaissance.compiler.sources.huggingface.schema import HuggingFace
from renaissance.compiler.sources.patches.schema import Patches
from renaissance.compiler.sources.wordpiece.schema import Wordpiece
from renaissance.grammar.architectures import IMAGENET
from renaissance.grammar.composition.resolution import Resolution, resolve
from renaissance.grammar.source import Source
from tests.compiler.declarations import one_tower, spec

WIDTH, VOCABULARY, LONGEST = 16, 40, 24
_LAYERS = {
    "hidden_size": WIDTH,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 32,
}
_TEXT = {**_LAYERS, "vocab_size": VOCABULARY, "max_position_embeddings": LONGEST}
_DISTILLED = {"dim": WIDTH, "n_layers": 1, "n_heads": 2, "hidden_dim": 32}
TEXTS: dict[str, Any] = {
    "bert": lambda: BertModel(BertConfig(**_TEXT)),
    "electra": lambda: ElectraModel(ElectraConfig(**_TEXT, embedding_size=8)),
    "roberta": lambda: RobertaModel(
        RobertaConfig(**(_TEXT | {"max_position_embeddings": LONGEST + 2}))
    ),
    "distilbert": lambda: DistilBertModel(
        DistilBertConfig(vocab_size=VOCABULARY, max_position_embeddings=LONGEST, **_DISTILLED)
    ),
}
IMAGES: dict[str, Any] = {
    "vit": lambda: ViTModel(ViTConfig(**_LAYERS, image_size=32, patch_size=8)),
    "masked vit": lambda: ViTModel(
        ViTConfig(**_LAYERS, image_size=32, patch_size=8), use_mask_token=True
    ),
}


def saved(made: PreTrainedModel, folder: Path) -> PreTrainedModel:
    """Draw all weights, norms and biases too, and save them."""
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.normal_(std=0.3)
    made.save_pretrained(folder)
    return made.double().eval()


def embedded(block: Any, inputs: Any, width: int = WIDTH) -> Tensor:
    tower = build_embedding(block, "x", stack_width=width, dropout=0.0, weights=True)
    return tower.double()(inputs).tokens


def ids() -> Tensor:
    return torch.randint(2, VOCABULARY, (3, 7), generator=torch.Generator().manual_seed(0))


def pixels(size: int) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(2, 3, size, size, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("types", [0, 2])
@pytest.mark.parametrize("family", TEXTS)
def test_words(family: str, types: int, tmp_path: Path) -> None:
    theirs = saved(TEXTS[family](), tmp_path)
    folder = str(tmp_path)
    block = Wordpiece(
        id=folder, max_tokens=12, width=None, eps=1e-12, token_types=types, weights=folder
    )
    width = theirs.embeddings.word_embeddings.embedding_dim
    if getattr(theirs.config, "type_vocab_size", 0) < types:
        with pytest.raises(BackboneError, match="token_types"):
            embedded(block, {"input_ids": ids()}, width)
        return
    with torch.no_grad():
        wanted = theirs.embeddings(ids())
    found = embedded(block, {"input_ids": ids()}, width)
    torch.testing.assert_close(found, wanted, rtol=0, atol=1e-6)


@pytest.mark.parametrize("family", IMAGES)
def test_patches(family: str, tmp_path: Path) -> None:
    theirs = saved(IMAGES[family](), tmp_path)
    block = Patches(image_size=32, patch=8, weights=str(tmp_path))
    with torch.no_grad():
        wanted = theirs.embeddings(pixels(32))
    torch.testing.assert_close(embedded(block, pixels(32)), wanted, rtol=0, atol=1e-6)


def test_patches_at_another_size(tmp_path: Path) -> None:
    theirs = saved(IMAGES["vit"](), tmp_path)
    block = Patches(image_size=48, patch=8, weights=str(tmp_path))
    with torch.no_grad():
        table = resize_grid(theirs.embeddings.position_embeddings, 37, 1)
        patches = theirs.embeddings.patch_embeddings.projection(pixels(48)).flatten(2).mT
        first = theirs.embeddings.cls_token.expand(2, -1, -1)
        wanted = torch.cat((first, patches), 1) + table
    torch.testing.assert_close(embedded(block, pixels(48)), wanted, rtol=0, atol=1e-6)
    tower = build_embedding(block, "vision", stack_width=WIDTH, dropout=0.0, weights=True)
    assert any("resized from 17 to 37 rows" in note for note in tower.facts.notes)


def test_a_distillation_token_is_left(tmp_path: Path) -> None:
    theirs = saved(DeiTModel(DeiTConfig(**_LAYERS, image_size=32, patch_size=8)), tmp_path)
    with torch.no_grad():
        wanted = theirs.embeddings(pixels(32))[:, [0, *range(2, 18)]]
    block = Patches(image_size=32, patch=8, weights=str(tmp_path))
    torch.testing.assert_close(embedded(block, pixels(32)), wanted, rtol=0, atol=1e-6)


def test_patches_of_timm(tmp_path: Path) -> None:
    sizes = {"embed_dim": WIDTH, "depth": 1, "num_heads": 2, "patch_size": 8, "img_size": 32}
    encoder = timm.create_model("deit_tiny_patch16_224", num_classes=0, **sizes)
    timm.models.save_for_hf(encoder, tmp_path, model_args=sizes)
    block = Patches(image_size=32, patch=8, weights=str(tmp_path))
    encoder.double().eval()
    with torch.no_grad():
        wanted = encoder._pos_embed(encoder.patch_embed(pixels(32)))
    torch.testing.assert_close(embedded(block, pixels(32)), wanted, rtol=0, atol=1e-6)
    assert normalisation(block) == IMAGENET


def test_what_embeds_in_another_way_is_refused(tmp_path: Path) -> None:
    config = CLIPVisionConfig(**_LAYERS, image_size=32, patch_size=8)
    saved(CLIPVisionModel(config), tmp_path)
    with pytest.raises(BackboneError, match="cannot start from the embeddings of"):
        embedded(Patches(image_size=32, patch=8, weights=str(tmp_path)), pixels(32))


def test_other_sizes_are_refused(tmp_path: Path) -> None:
    saved(IMAGES["vit"](), tmp_path)
    for changed in ({"patch": 16}, {"width": 8}):
        block = Patches(**({"image_size": 32, "patch": 8, "weights": str(tmp_path)} | changed))
        with pytest.raises(BackboneError, match="another width"):
            embedded(block, pixels(32))


def test_a_model_names_where_its_embeddings_are_from(tmp_path: Path) -> None:
    bert, vit = str(tmp_path / "bert"), str(tmp_path / "vit")
    saved(TEXTS["bert"](), tmp_path / "bert")
    saved(IMAGES["vit"](), tmp_path / "vit")
    model = one_tower(HuggingFace(id=vit), text={"id": bert, "vocabulary": None, "weights": bert})
    vision = Patches(image_size=32, patch=8, weights=vit)
    declared = model.model_copy(update={"streams": model.streams | {"vision": vision}})
    built = build(spec(declared), job="base")
    references = built.references()
    assert {name: reference.id for name, reference in references.items()} == {
        "text": bert,
        "vision": vit,
        "joint": vit,
    }
    assert references["vision"].content == references["joint"].content


def _checked(embed: str) -> Resolution:
    text = f"""model m {{
  {embed}
  embed text = wordpiece {{ max_tokens = 8 }}
  fusion joint = single_stream(text, vision) {{ encoder = huggingface("bert-base-uncased") }}
}}
"""
    return resolve(Source(name="m.vl", text=text))


def test_sizes_follow_from_the_weights() -> None:
    found = _checked('embed vision = patches { weights = "google/vit-base-patch32-384" }')
    assert not found.diagnostics
    vision = found.spec.models["m"].streams["vision"]
    assert (vision.image_size, vision.patch, vision.width) == (384, 32, 768)


@pytest.mark.parametrize(
    ("keys", "code"),
    [
        ('weights = "google/vit-base-patch32-384", patch = 16', "VL305"),
        ('weights = "google/vit-base-patch32-384", width = 16', "VL305"),
        ('weights = "bert-base-uncased"', "VL306"),
        ('weights = "{empty}"', "VL304"),
    ],
)
def test_what_does_not_fit_is_found(keys: str, code: str, tmp_path: Path) -> None:
    found = _checked(f"embed vision = patches {{ {keys.replace('{empty}', str(tmp_path))} }}")
    assert [finding.code for finding in found.diagnostics] == [code]

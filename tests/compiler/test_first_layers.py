"""The first layers of a pretrained encoder, and a fusion that starts from its last ones."""

from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from torch import Tensor
from transformers import AutoConfig, AutoModel, BertConfig, BertModel

from renaissance.compiler import build, plan
from renaissance.compiler.errors import CompileError
from renaissance.grammar.composition.resolution import Resolution, resolve
from renaissance.grammar.schema.spec import Spec
from renaissance.grammar.source import Source

SIZES = {
    "hidden_size": 16,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "hidden_dropout_prob": 0.0,
    "attention_probs_dropout_prob": 0.0,
}
IMAGES = {"image_size": 16, "patch_size": 8}
ALBEF = """model tiny {{
  backbone text = huggingface("{text}") {{ {layers} }}
  backbone vision = plain_vision {{ layers = 1, width = 16, heads = 2, image_size = 16, patch = 8 }}
  fusion grounded = asymmetric(text, vision) {{
    layers = 2, width = 16, heads = {heads}, dropout = 0.0, weights = "{text}"
  }}
  pool   = first
  pooler = none
}}
data pairs {{ format = easy_vqa, root = "pictures" }}
pretrain base on tiny {{
  data = [pairs]
  objective itm
  optimizer adamw {{ lr = 1e-3 }}
  batch = 8
  steps = 1
}}
"""
TOWERS = """model tiny {{
  backbone text = plain_text {{ layers = 1, width = 16, heads = 2 }}
  backbone vision = huggingface("{folder}") {{ layers = {layers} }}
  fusion cross = cross_attention(text, vision) {{ layers = 1, width = 16, heads = 2 }}
}}
"""
ONE_TOWER = """model tiny {{
  embed text = wordpiece {{ vocabulary = 64 }}
  embed vision = patches {{ image_size = 16, patch = 8 }}
  fusion joint = single_stream(text, vision) {{
    encoder = huggingface("{folder}") {{ layers = 2 }}
  }}
}}
"""


def resolved(text: str) -> Resolution:
    return resolve(Source(name="main.vl", text=text))


def spec_of(text: str) -> Spec:
    found = resolved(text)
    assert found.spec is not None, found.diagnostics
    return found.spec


def saved(family: str, folder: Path, **other: Any) -> Any:
    torch.manual_seed(0)
    sizes = {
        name: size for name, size in SIZES.items() if "clip" not in family or "prob" not in name
    }
    encoder = AutoModel.from_config(AutoConfig.for_model(family, **sizes, **other))
    with torch.no_grad():
        for parameter in encoder.parameters():
            parameter.normal_(std=0.3)
    encoder.save_pretrained(folder)
    return encoder.double().eval()


@pytest.mark.parametrize("family", ["vit", "clip_vision_model"])
def test_the_first_layers_of_a_tower(family: str, tmp_path: Path) -> None:
    published = saved(family, tmp_path, **IMAGES)
    model = build(spec_of(TOWERS.format(folder=tmp_path, layers=2))).double().eval()
    pixels = torch.randn(2, 3, 16, 16, dtype=torch.float64)
    hidden = published(pixel_values=pixels, output_hidden_states=True).hidden_states[2]
    norm = published.layernorm if family == "vit" else published.post_layernorm
    found = model.encode("vision", pixels).tokens
    torch.testing.assert_close(found, norm(hidden), rtol=0, atol=1e-10)


def test_the_first_layers_of_timm(tmp_path: Path) -> None:
    torch.manual_seed(0)
    options = {"embed_dim": 16, "depth": 3, "num_heads": 2, "img_size": 16, "patch_size": 8}
    encoder = timm.create_model("vit_tiny_patch16_224", **options, num_classes=3).eval()
    timm.models.save_for_hf(encoder, tmp_path, safe_serialization=True, model_args=options)
    found = TOWERS.replace("huggingface", "timm").format(folder=tmp_path, layers=2)
    model = build(spec_of(found)).eval()
    pixels = torch.randn(2, 3, 16, 16)
    encoder.blocks = encoder.blocks[:2]
    tokens = model.encode("vision", pixels).tokens
    torch.testing.assert_close(tokens, encoder.forward_features(pixels))


def test_weights_are_known_by_the_whole_encoder(tmp_path: Path) -> None:
    saved("vit", tmp_path, **IMAGES)
    whole, part = (
        build(spec_of(TOWERS.format(folder=tmp_path, layers=layers))) for layers in (3, 2)
    )
    assert whole.references() == part.references()
    assert len(whole.towers["vision"].facts.layers) == 3
    assert len(part.towers["vision"].facts.layers) == 2
    spec = spec_of(TOWERS.format(folder=tmp_path, layers=2))
    [model] = spec.models.values()
    assert model.anatomy().layers("vision") == 2


def test_the_first_layers_of_a_stack(tmp_path: Path) -> None:
    published = saved("vit", tmp_path, **IMAGES)
    model = build(spec_of(ONE_TOWER.format(folder=tmp_path)))
    stack = model.fusion.encoder
    assert len(stack.layers) == 2
    given = published.float().layers[1] if hasattr(published, "layers") else None
    given = published.encoder.layer[1].float() if given is None else given
    for own, theirs in zip(stack.layers[1].parameters(), given.parameters(), strict=True):
        assert torch.equal(own, theirs)


def test_more_layers_than_there_are_is_a_finding(tmp_path: Path) -> None:
    saved("vit", tmp_path, **IMAGES)
    [found] = [
        one
        for one in resolved(TOWERS.format(folder=tmp_path, layers=4)).diagnostics
        if one.severity == "error"
    ]
    assert found.code == "VL305" and "has no first 4 layers" in found.message


def test_text_and_fusion_are_one_bert(tmp_path: Path) -> None:
    bert = drawn_bert(tmp_path)
    spec = spec_of(ALBEF.format(text=tmp_path, layers="layers = 1", heads=2))
    model = build(spec, model="tiny").double().eval()
    # Without what attends to the image, the text goes through all layers of BERT.
    for layer in model.fusion.layers:
        layer.cross.forward = lambda stream, context: stream
    text = {"input_ids": torch.randint(1, 50, (2, 5)), "attention_mask": torch.ones(2, 5).long()}
    text["attention_mask"][0, 3:] = 0
    found = model(text=text, vision=torch.randn(2, 3, 16, 16, dtype=torch.float64))
    wanted: Tensor = bert(**text).last_hidden_state
    there = text["attention_mask"].bool()
    torch.testing.assert_close(found.streams["text"][there], wanted[there], rtol=0, atol=1e-10)
    references = model.references()
    assert references["grounded"] == references["text"]
    [planned] = plan(spec).jobs
    assert f"`grounded` starts from the last layers of `{tmp_path}`" in planned.model.notes
    assert f"`text` takes the first layer of `{tmp_path}`" in planned.model.notes


def drawn_bert(folder: Path) -> BertModel:
    torch.manual_seed(0)
    bert = BertModel(BertConfig(**SIZES, vocab_size=64), add_pooling_layer=False)
    with torch.no_grad():
        for parameter in bert.parameters():
            parameter.normal_(std=0.3)
    bert.save_pretrained(folder)
    return bert.double().eval()


def test_other_heads_are_a_sentence(tmp_path: Path) -> None:
    drawn_bert(tmp_path)
    spec = spec_of(ALBEF.format(text=tmp_path, layers="layers = 1", heads=4))
    with pytest.raises(CompileError, match="has 2 heads in each"):
        build(spec)


def test_too_few_layers_are_a_sentence(tmp_path: Path) -> None:
    drawn_bert(tmp_path)
    text = ALBEF.format(text=tmp_path, layers="layers = 1", heads=2)
    with pytest.raises(CompileError, match="has 3 of them"):
        build(spec_of(text.replace("layers = 2,", "layers = 4,")))

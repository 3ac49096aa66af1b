"""Towers against the libraries that make them, and what happens when they cannot be had."""

import socket
from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from transformers import (
    AutoConfig,
    AutoModel,
    CLIPConfig,
    CLIPModel,
    SiglipConfig,
    SiglipModel,
)

from renaissance.compiler.backbones import normalisation
from renaissance.compiler.backbones.embeddings import convolutional_stem
from renaissance.compiler.backbones.sources import build_tower
from renaissance.compiler.errors import BackboneError, ShapeError
from renaissance.compiler.sources.huggingface.schema import HuggingFace
from renaissance.compiler.sources.plain_vision.schema import PlainVision
from renaissance.compiler.sources.random.schema import RandomArchitecture
from renaissance.compiler.sources.timm.schema import Timm
from renaissance.grammar.anatomy.architecture import problem_of_name
from renaissance.grammar.architectures import CLIP, HALF, IMAGENET
from renaissance.grammar.encoder_folder import read_folder

TEXT = {
    "vocab_size": 50,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": 20,
}
VISION = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "image_size": 16,
    "patch_size": 4,
}
STAGES = {"image_size": 64, "hidden_sizes": [8, 12, 16, 24], "depths": [1, 2, 1, 1]}
FAMILIES: dict[str, dict[str, Any]] = {
    "electra": TEXT | {"embedding_size": 8},
    "bert": TEXT,
    "roberta": TEXT | {"pad_token_id": 1},
    "distilbert": {
        "vocab_size": 50,
        "dim": 16,
        "n_layers": 2,
        "n_heads": 2,
        "hidden_dim": 32,
        "max_position_embeddings": 20,
    },
    "deberta-v2": TEXT
    | {
        "relative_attention": True,
        "position_buckets": 4,
        "norm_rel_ebd": "layer_norm",
        "share_att_key": True,
        "pos_att_type": ["p2c", "c2p"],
        "position_biased_input": False,
        "type_vocab_size": 0,
    },
    "modernbert": TEXT
    | {
        "pad_token_id": 0,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "cls_token_id": 1,
        "sep_token_id": 2,
        "local_attention": 4,
        "global_attn_every_n_layers": 2,
    },
    "mpnet": TEXT | {"pad_token_id": 1},
    "xlm-roberta": TEXT | {"pad_token_id": 1},
    "vit": VISION,
    "deit": VISION,
    "dinov2": VISION,
    "dinov2_with_registers": VISION | {"num_register_tokens": 3},
    "dinov3_vit": VISION | {"num_register_tokens": 3},
    "beit": VISION | {"use_relative_position_bias": True, "use_mean_pooling": False},
    "swin": {
        "image_size": 32,
        "patch_size": 4,
        "embed_dim": 8,
        "depths": [1, 1],
        "num_heads": [2, 2],
        "window_size": 4,
    },
    "convnext": STAGES,
    "convnextv2": STAGES,
    "dinov3_convnext": STAGES,
}
MAPS: dict[str, dict[str, Any]] = {
    "bit": {"embedding_size": 8, "hidden_sizes": [8, 12, 16, 24], "depths": [1, 2, 1, 1]}
    | {"layer_type": "bottleneck", "num_groups": 1, "width_factor": 2},
    "cvt": {"embed_dim": [8, 12, 16], "num_heads": [1, 2, 2], "depth": [1, 2, 3]},
    "efficientnet": {"image_size": 64, "width_coefficient": 0.25, "depth_coefficient": 0.1}
    | {"hidden_dim": 320},
    "glpn": {"hidden_sizes": [8, 12, 16, 24], "depths": [1, 2, 1, 1]}
    | {"num_attention_heads": [1, 2, 2, 4]},
    "hgnet_v2": {"stem_channels": [3, 8, 8], "stage_in_channels": [8, 8, 16, 16]}
    | {"stage_mid_channels": [8, 8, 8, 8], "stage_out_channels": [8, 16, 16, 24]},
    "levit": {"image_size": 64, "hidden_sizes": [16, 24, 32], "depths": [1, 1, 1]}
    | {"num_attention_heads": [1, 2, 2], "key_dim": [8, 8, 8]},
    "mobilenet_v1": {"image_size": 64, "depth_multiplier": 0.05},
    "mobilenet_v2": {"image_size": 64, "depth_multiplier": 0.1, "finegrained_output": False},
    "mobilevit": {"image_size": 64, "hidden_sizes": [8, 12, 16]}
    | {"neck_hidden_sizes": [4, 8, 8, 8, 8, 8, 24]},
    "mobilevitv2": {"image_size": 64, "width_multiplier": 0.1, "n_attn_blocks": [1, 1, 1]},
    "poolformer": {"hidden_sizes": [8, 12, 16, 24], "depths": [1, 2, 1, 1]},
    "pvt": {"image_size": 64, "hidden_sizes": [8, 12, 16, 24], "depths": [1, 2, 1, 1]}
    | {"num_attention_heads": [1, 2, 2, 4]},
    "pvt_v2": {"image_size": 64, "hidden_sizes": [8, 12, 16, 24], "depths": [1, 2, 1, 1]}
    | {"num_attention_heads": [1, 2, 2, 4]},
    "regnet": {"embedding_size": 8, "hidden_sizes": [8, 16, 16, 24], "depths": [1, 2, 1, 1]}
    | {"groups_width": 8},
    "resnet": {"embedding_size": 8, "hidden_sizes": [8, 12, 16, 24], "depths": [1, 2, 1, 1]},
    "segformer": {"image_size": 64, "hidden_sizes": [8, 12, 16, 24], "depths": [1, 2, 1, 1]}
    | {"num_attention_heads": [1, 2, 2, 4]},
    "swiftformer": {"image_size": 64, "embed_dims": [8, 12, 16, 24], "depths": [1, 2, 1, 1]},
    "textnet": {"image_size": 64, "stem_out_channels": 8, "hidden_sizes": [8, 8, 12, 16, 24]}
    | {
        "conv_layer_kernel_sizes": [[[3, 3]], [[3, 3], [1, 3]], [[3, 3]], [[3, 1]]],
        "conv_layer_strides": [[2], [2, 1], [2], [2]],
    },
}
"""Families that make a map of an image; several do not say how large it is."""
FAMILIES |= MAPS


def _save(family: str, folder: Path, **changes: Any) -> Any:
    torch.manual_seed(0)
    encoder = AutoModel.from_config(AutoConfig.for_model(family, **FAMILIES[family] | changes))
    for parameter in encoder.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    encoder.save_pretrained(folder)
    return encoder


def _inputs(tower: Any) -> Any:
    torch.manual_seed(1)
    if tower.facts.modality == "vision":
        return torch.randn(2, 3, tower.facts.image_size, tower.facts.image_size).double()
    mask = torch.tensor([[True] * 7, [True] * 4 + [False] * 3])
    return {"input_ids": torch.randint(2, 50, (2, 7)), "attention_mask": mask}


def _spec(family: str, folder: Path) -> HuggingFace:
    sizes = FAMILIES[family]
    if "image_size" in sizes or family in MAPS:
        return HuggingFace(id=str(folder), image_size=sizes.get("image_size", 64))
    return HuggingFace(id=str(folder), max_tokens=12)


@pytest.mark.parametrize(
    ("family", "attention"),
    [(family, "auto") for family in FAMILIES]
    + [(family, "eager") for family in FAMILIES if family not in MAPS],
)
def test_a_tower_equals_its_library(family: str, attention: Any, tmp_path: Path) -> None:
    # With float64, ModernBERT's own attention is NaN where a window holds nothing but padding.
    single = family == "modernbert" and attention == "eager"
    dtype, close = (torch.float32, {"rtol": 1e-4, "atol": 1e-4}) if single else (torch.float64, {})
    encoder = _save(family, tmp_path).to(dtype).eval()
    tower = build_tower(_spec(family, tmp_path), "x", attention=attention, weights=True)
    tower = tower.to(dtype).eval()
    inputs = _inputs(tower)
    found = tower(inputs)
    if tower.facts.modality == "vision":
        given = encoder(pixel_values=inputs)
        wanted = given.feature_maps[-1] if family == "hgnet_v2" else given.last_hidden_state
        wanted = wanted.flatten(2).mT if wanted.ndim == 4 else wanted
    else:
        wanted = encoder(**inputs).last_hidden_state
    real = slice(None) if found.mask is None else found.mask
    torch.testing.assert_close(found.tokens[real], wanted[real], **close)
    found.tokens[real].sin().sum().backward()
    wanted[real].sin().sum().backward()
    theirs = dict(encoder.named_parameters())
    for name, parameter in tower.encoder.named_parameters():
        if theirs[name].grad is None:
            assert parameter.grad is None, name
        else:
            torch.testing.assert_close(parameter.grad, theirs[name].grad, msg=name, **close)
    assert tower.reference is not None
    assert tower.reference.id == str(tmp_path)
    assert tower.reference.revision is None
    convolves = family in ("bit", "convnext", "hgnet_v2", "poolformer", "regnet", "resnet")
    assert tower.facts.attention is None or not convolves
    assert tower.facts.attention is not None or family in MAPS or "convnext" in family


def test_the_content_hash_names_the_weights(tmp_path: Path) -> None:
    _save("bert", tmp_path)
    spec = _spec("bert", tmp_path)
    one, same = (build_tower(spec, "x", attention="auto", weights=True).reference for _ in range(2))
    assert one == same
    _save("bert", tmp_path, layer_norm_eps=1e-3)
    encoder = AutoModel.from_pretrained(tmp_path)
    with torch.no_grad():
        encoder.embeddings.LayerNorm.bias[0] += 1
    encoder.save_pretrained(tmp_path)
    other = build_tower(spec, "x", attention="auto", weights=True).reference
    assert one is not None and other is not None
    assert one.content != other.content


@pytest.mark.parametrize(("config", "pair"), [(CLIPConfig, CLIPModel), (SiglipConfig, SiglipModel)])
def test_a_pair_gives_its_halves(config: Any, pair: Any, tmp_path: Path) -> None:
    torch.manual_seed(0)
    ids = {"bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 1}
    halves = {"text_config": TEXT | ids, "vision_config": VISION | {"projection_dim": 8}}
    dual = pair(config(**halves, projection_dim=8)).double().eval()
    dual.save_pretrained(tmp_path)
    specs = {
        "vision": HuggingFace(id=str(tmp_path), image_size=16),
        "text": HuggingFace(id=str(tmp_path), half="text", max_tokens=12),
    }
    vision, text = (
        build_tower(spec, "x", attention="auto", weights=True).double().eval()
        for spec in specs.values()
    )
    pixels = torch.randn(2, 3, 16, 16).double()
    wanted = dual.vision_model(pixel_values=pixels)
    tokens = vision(pixels).tokens
    if pair is CLIPModel:
        # The class token after the last norm is what CLIP itself pools.
        torch.testing.assert_close(tokens[:, 0], wanted.pooler_output, atol=1e-6, rtol=1e-5)
        wanted = dual.vision_model.post_layernorm(wanted.last_hidden_state)
    else:
        wanted = wanted.last_hidden_state
    torch.testing.assert_close(tokens, wanted, atol=1e-6, rtol=1e-5)
    inputs = _inputs(text)
    wanted = dual.text_model(**inputs).last_hidden_state
    found = text(inputs)
    torch.testing.assert_close(found.tokens[found.mask], wanted[found.mask], atol=1e-6, rtol=1e-5)


IDS = {"bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 1}
SMALL = {
    "vision": VISION | {"projection_dim": 8},
    "text": TEXT | IDS | {"projection_dim": 8, "encoder_hidden_size": 16},
}
PAIRS: dict[str, dict[str, Any]] = {
    "align": {"vision": FAMILIES["efficientnet"]},
    "altclip": {},
    "blip": {},
    "blip-2": {
        "text": {"model_type": "opt", "word_embed_proj_dim": 16, "ffn_dim": 32} | SMALL["text"],
        "qformer": TEXT | {"encoder_hidden_size": 16},
    },
    "chinese_clip": {},
    "clipseg": {},
    "flava": {"multimodal": VISION, "image_codebook": {"hidden_size": 4}},
    "groupvit": {
        "vision": VISION
        | {"depths": [1, 1, 1], "num_group_tokens": [8, 4, 0], "num_output_groups": [8, 4, 4]},
    },
    "metaclip_2": {},
    "owlvit": {},
    "vision-text-dual-encoder": {
        "vision": VISION | {"model_type": "vit"},
        "text": TEXT | {"model_type": "bert"},
    },
}
"""What differs in the halves of pairs, and other parts of them."""
NORMED = ("altclip", "clipseg", "metaclip_2", "owlvit")


def _whole(name: str, folder: Path) -> Any:
    """Save a pair with random weights; return it."""
    parts = SMALL | PAIRS[name]
    if name == "flava":
        parts["image"] = parts.pop("vision")
    settings = {f"{part}_config": dict(sizes) for part, sizes in parts.items()}
    torch.manual_seed(0)
    whole = AutoModel.from_config(AutoConfig.for_model(name, **settings)).double().eval()
    for parameter in whole.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    whole.save_pretrained(folder)
    return whole


@pytest.mark.parametrize("name", PAIRS)
def test_each_half_of_a_pair_equals_its_part(name: str, tmp_path: Path) -> None:
    whole = _whole(name, tmp_path)
    size = 64 if name == "align" else 16
    vision = build_tower(
        HuggingFace(id=str(tmp_path), image_size=size), "x", attention="auto", weights=True
    )
    vision = vision.double().eval()
    images = getattr(whole, "image_model" if name == "flava" else "vision_model")
    pixels = _inputs(vision)
    wanted = images(pixel_values=pixels).last_hidden_state
    if name in NORMED:
        wanted = images.post_layernorm(wanted)
    wanted = wanted.flatten(2).mT if wanted.ndim == 4 else wanted
    torch.testing.assert_close(vision(pixels).tokens, wanted, rtol=1e-5, atol=1e-5)
    assert read_folder(tmp_path).width == vision.facts.width
    assert problem_of_name(str(tmp_path), weights=True) is None
    if name == "altclip":
        refused = problem_of_name(str(tmp_path), "text", weights=True)
        assert refused is not None and "its tokens are mapped" in refused.message
        return
    text = build_tower(
        HuggingFace(id=str(tmp_path), half="text", max_tokens=12),
        "x",
        attention="auto",
        weights=True,
    )
    text = text.double().eval()
    texts = whole.language_model.model if name == "blip-2" else whole.text_model
    words = _inputs(text)
    wanted = texts(**words).last_hidden_state
    said = text(words)
    torch.testing.assert_close(said.tokens[said.mask], wanted[said.mask], rtol=1e-5, atol=1e-5)
    assert read_folder(tmp_path, "text").width == text.facts.width
    assert problem_of_name(str(tmp_path), "text", weights=True) is None


def test_towers_do_not_share_a_configuration(tmp_path: Path) -> None:
    spec = RandomArchitecture(
        id="google/electra-small-discriminator", layers=1, width=16, heads=2, max_tokens=8
    )
    first = build_tower(spec, "a", attention="eager", weights=False)
    build_tower(spec, "b", attention="sdpa", weights=False)
    assert first.encoder.config._attn_implementation == "eager"


@pytest.mark.parametrize(("family", "size"), [("vit", 24), ("deit", 8), ("beit", 24)])
def test_positions_fit_another_image_size(family: str, size: int, tmp_path: Path) -> None:
    _save(family, tmp_path)
    spec = HuggingFace(id=str(tmp_path), image_size=size)
    tower = build_tower(spec, "vision", attention="auto", weights=True)
    prefix = tower.facts.prefix_tokens
    found = tower(torch.randn(1, 3, size, size)).tokens
    assert found.shape == (1, prefix + (size // 4) ** 2, 16)
    assert any("`vision` resized" in note for note in tower.facts.notes)


def test_positions_fit_longer_texts(tmp_path: Path) -> None:
    encoder = _save("roberta", tmp_path)
    spec = HuggingFace(id=str(tmp_path), max_tokens=30)
    tower = build_tower(spec, "text", attention="auto", weights=True)
    table = tower.encoder.embeddings.position_embeddings.weight
    theirs = encoder.embeddings.position_embeddings.weight
    assert table.shape == (32, 16)
    torch.testing.assert_close(table[:3], theirs[:3])
    torch.testing.assert_close(table[-1], theirs[-1])
    assert tower({"input_ids": torch.full((1, 30), 5)}).tokens.shape == (1, 30, 16)


@pytest.mark.parametrize(
    ("name", "tokens"),
    [
        ("vit_tiny_patch16_224", 5),
        ("deit_tiny_distilled_patch16_224", 6),
        ("resnet18", 1),
        ("convnext_atto", 1),
    ],
)
def test_timm_features_become_tokens(name: str, tokens: int) -> None:
    spec = RandomArchitecture(id=name, image_size=32)
    tower = build_tower(spec, "x", attention="auto", weights=False).eval()
    pixels = torch.randn(2, 3, 32, 32)
    found = tower(pixels).tokens
    assert found.shape == (2, tokens, tower.facts.width)
    wanted = tower.encoder.forward_features(pixels)
    if wanted.ndim == 4:
        wanted = wanted.permute(0, 2, 3, 1).reshape(found.shape)
    torch.testing.assert_close(found, wanted)


def test_swin_of_timm_is_flattened_row_by_row() -> None:
    spec = RandomArchitecture(id="swin_tiny_patch4_window7_224", image_size=224)
    with torch.device("meta"):
        tower = build_tower(spec, "x", attention="auto", weights=False)
        found = tower(torch.empty(1, 3, 224, 224)).tokens
    assert found.shape == (1, 49, 768)
    assert len(tower.facts.layers) == 12


def test_dimensions_of_timm_can_be_set() -> None:
    spec = RandomArchitecture(
        id="deit_tiny_patch16_224", layers=2, width=32, heads=2, mlp_ratio=2.0, image_size=32
    )
    tower = build_tower(spec, "x", attention="auto", weights=False)
    assert tower.facts.width == 32
    assert len(tower.facts.layers) == 2
    assert tower.encoder.blocks[0].mlp.fc1.out_features == 64


def test_a_ratio_of_the_feed_forward_part_can_be_set() -> None:
    """DINOv2 states this ratio alone, and no width."""
    spec = RandomArchitecture(
        id="facebook/dinov2-base", layers=1, width=32, heads=2, mlp_ratio=3.0, image_size=28
    )
    with torch.device("meta"):
        tower: Any = build_tower(spec, "x", attention="auto", weights=False)
    shapes = {tuple(parameter.shape) for parameter in tower.parameters()}
    assert (96, 32) in shapes and tower.facts.width == 32


def test_a_folder_of_timm_loads(tmp_path: Path) -> None:
    torch.manual_seed(0)
    options = {"embed_dim": 16, "depth": 1, "num_heads": 2, "img_size": 32, "num_classes": 3}
    encoder = timm.create_model("vit_tiny_patch16_224", **options).eval()
    timm.models.save_for_hf(encoder, tmp_path, safe_serialization=True, model_args=options)
    tower = build_tower(
        Timm(name=str(tmp_path), image_size=32), "x", attention="auto", weights=True
    ).eval()
    pixels = torch.randn(1, 3, 32, 32)
    torch.testing.assert_close(tower(pixels).tokens, encoder.forward_features(pixels))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"width": 15}, "heads do not divide a width of 15"),
        ({"image_size": 32, "max_tokens": None}, "`image_size` is no setting of it"),
    ],
)
def test_impossible_dimensions_are_refused(changes: dict[str, Any], sentence: str) -> None:
    facts = {"id": "bert-base-uncased", "max_tokens": 8, "layers": 1} | changes
    with pytest.raises(BackboneError, match=sentence):
        build_tower(RandomArchitecture(**facts), "x", attention="auto", weights=False)


def test_stages_cannot_be_set_by_one_number() -> None:
    for id in ("microsoft/swin-tiny-patch4-window7-224", "swin_tiny_patch4_window7_224"):
        spec = RandomArchitecture(id=id, image_size=224, layers=3)
        with pytest.raises(BackboneError, match="one number for `layers` cannot describe it"):
            build_tower(spec, "x", attention="auto", weights=False)


def test_an_incomplete_folder_says_what_it_lacks(tmp_path: Path) -> None:
    _save("bert", tmp_path)
    for file in tmp_path.glob("*.safetensors"):
        file.unlink()
    spec = _spec("bert", tmp_path)
    with pytest.raises(BackboneError, match="holds no weights that can be read"):
        build_tower(spec, "x", attention="auto", weights=True)
    _save("bert", tmp_path)
    path = tmp_path / "config.json"
    path.write_text(path.read_text().replace('"num_hidden_layers": 2', '"num_hidden_layers": 3'))
    with pytest.raises(BackboneError, match=r"lacks weights for 16 tensors of `bert`"):
        build_tower(spec, "x", attention="auto", weights=True)


def test_no_hub_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise OSError("no network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    spec = HuggingFace(id="nobody/nothing-at-all", max_tokens=8)
    with pytest.raises(BackboneError) as caught:
        build_tower(spec, "text", attention="auto", weights=True)
    assert "\n" not in str(caught.value)
    assert "`text`: cannot load `nobody/nothing-at-all`" in str(caught.value)


def test_inputs_that_do_not_fit_are_refused() -> None:
    spec = RandomArchitecture(
        id="google/electra-small-discriminator", layers=1, width=16, heads=2, max_tokens=8
    )
    tower = build_tower(spec, "x", attention="auto", weights=False)
    with pytest.raises(ShapeError, match="texts of 9 tokens where the model takes 8"):
        tower({"input_ids": torch.zeros(1, 9, dtype=torch.long)})


def test_pixel_statistics() -> None:
    stream = RandomArchitecture(id="deit_tiny_patch16_224", image_size=32)
    assert normalisation(stream) == IMAGENET
    for name, (mean, std) in {"half": HALF, "imagenet": IMAGENET, "clip": CLIP}.items():
        chosen = stream.model_copy(update={"normalise": name})
        assert normalisation(chosen) == (mean, std)
        plain = PlainVision(layers=1, width=16, heads=2, normalise=name)
        assert normalisation(plain) == (mean, std)
    assert normalisation(PlainVision(layers=1, width=16, heads=2)) == HALF
    with pytest.raises(BackboneError, match="no pixels"):
        normalisation(RandomArchitecture(id="bert-base-uncased", max_tokens=8))


def test_a_convolutional_stem_gives_what_its_parts_give() -> None:
    stem = convolutional_stem(8, 48, "vision").double()
    pixels = torch.randn(3, 3, 32, 32, dtype=torch.float64, requires_grad=True)
    in_order = pixels
    for part in stem:
        in_order = part(in_order)
    learning = (pixels, *stem.parameters())
    found, wanted = (
        (out, *torch.autograd.grad(out.sin().sum(), learning)) for out in (stem(pixels), in_order)
    )
    assert found[0].shape == (3, 48, 4, 4)
    for one, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(one, other)


def test_relative_positions_are_numbers_after_a_plan() -> None:
    """Their index is kept for the process; no other test asks for one of five patches a side."""
    spec = RandomArchitecture(
        id="microsoft/beit-base-patch16-224", image_size=80, layers=1, width=32, heads=2
    )
    with torch.device("meta"):
        build_tower(spec, "x", attention="auto", weights=False)
    tower: Any = build_tower(spec, "x", attention="auto", weights=False)
    [index] = {
        part.generate_relative_position_index((5, 5))
        for part in tower.modules()
        if hasattr(part, "generate_relative_position_index")
    }
    assert index.device.type == "cpu" and index.max() == 9 * 9 + 2

"""Parameters that are counted without any library are those of the encoder that is built."""

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoConfig

from renaissance.compiler.backbones.sources import build_tower
from renaissance.compiler.sources.random.schema import RandomArchitecture
from renaissance.grammar.anatomy.counting import _FAMILIES, parameters_of
from renaissance.grammar.catalogue import find, names
from renaissance.grammar.encoder_folder import read_folder

SIZES: dict[str, Any] = {
    "hidden_size": 24,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "intermediate_size": 40,
}
OWN: dict[str, list[dict[str, Any]]] = {
    "distilbert": [{"dim": 24, "n_layers": 3, "n_heads": 2, "hidden_dim": 40, "vocab_size": 70}],
    "dinov2": [{"mlp_ratio": 3, "image_size": 28, "patch_size": 7}],
    "electra": [{"embedding_size": 8}, {"embedding_size": 24, "type_vocab_size": 3}],
    "roberta": [{"vocab_size": 90, "max_position_embeddings": 50, "type_vocab_size": 1}],
    "vit": [{"image_size": 32, "patch_size": 8}, {"image_size": 48}],
}


def built(known: Any, **sizes: Any) -> int:
    spec = RandomArchitecture(
        id=known.id, max_tokens=known.max_tokens, image_size=known.image_size, **sizes
    )
    with torch.device("meta"):
        tower = build_tower(spec, "x", attention="auto", weights=False)
    return sum(parameter.numel() for parameter in tower.parameters())


@pytest.mark.parametrize("family", sorted(_FAMILIES))
def test_the_encoder_of_a_folder_is_counted(family: str, tmp_path: Path) -> None:
    for settings in OWN.get(family, [{}]):
        AutoConfig.for_model(family, **SIZES | settings).save_pretrained(tmp_path)
        known = read_folder(tmp_path)
        count = built(known)
        assert parameters_of(known) == count
        assert parameters_of(known, image_size=known.image_size, layers=known.layers) == count
        one, two = (parameters_of(known, layers=layers) for layers in (1, 2))
        assert one is not None and two is not None and count - two == two - one


def test_every_family_among_the_known_names_is_counted() -> None:
    """One of each family by name, at another image size and fewer layers, as it is built."""
    seen = set()
    for name in names():
        known = find(name)
        if known is None or known.model_type in seen or parameters_of(known) is None:
            continue
        seen.add(known.model_type)
        assert parameters_of(known, layers=2) == built(known, layers=2)
    assert len(seen) >= 8


@pytest.mark.parametrize(
    ("family", "settings"),
    [
        ("vit", {"qkv_bias": False}),
        ("dinov2", {"use_swiglu_ffn": True}),
        ("distilbert", {"sinusoidal_pos_embds": True}),
        ("swin", {}),
    ],
)
def test_nothing_is_said_of_others(family: str, settings: dict[str, Any], tmp_path: Path) -> None:
    AutoConfig.for_model(family, **settings).save_pretrained(tmp_path)
    assert parameters_of(read_folder(tmp_path)) is None

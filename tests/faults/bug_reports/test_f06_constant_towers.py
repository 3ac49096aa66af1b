"""Towers give the same tokens each time: ViTMAE leaves out no patch, random ones are refused."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from transformers import ViTMAEModel, ViTModel

from renaissance.compiler import build
from renaissance.compiler.errors import BackboneError
from renaissance.grammar import load

DECODER = {
    "decoder_hidden_size": 32,
    "decoder_num_attention_heads": 2,
    "decoder_num_hidden_layers": 1,
    "decoder_intermediate_size": 32,
}


def test_vit_mae_is_a_vit(
    saved: Callable[..., str], experiment: Callable[..., str], tmp_path: Path
) -> None:
    folder = saved("vit_mae", image_size=32, patch_size=8, **DECODER)
    (tmp_path / "two.vl").write_text(
        experiment(vision=f'huggingface("{folder}") {{ image_size = 32 }}', more="freeze vision")
    )
    tower = build(load(tmp_path / "two.vl"), job="base").towers["vision"].eval()
    images = torch.randn(2, 3, 32, 32)
    tokens = tower(images).tokens
    assert torch.equal(tokens, tower(images).tokens) and tokens.shape == (2, 17, 32)

    masked = ViTMAEModel.from_pretrained(folder)
    plain = ViTModel(masked.config, add_pooling_layer=False).eval()
    weights = masked.state_dict()
    missing = plain.load_state_dict(
        {name: weights[name] for name in plain.state_dict() if name in weights}, strict=False
    )
    assert not missing.missing_keys
    torch.testing.assert_close(plain(images).last_hidden_state, tokens)


def test_what_stays_random_is_refused(
    saved: Callable[..., str],
    experiment: Callable[..., str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = saved("vit", image_size=32, patch_size=8, hidden_dropout_prob=0.123)
    (tmp_path / "two.vl").write_text(
        experiment(vision=f'huggingface("{folder}") {{ image_size = 32 }}')
    )
    forward = ViTModel.forward

    def shaken(self: ViTModel, pixel_values: torch.Tensor, **options: object) -> object:
        return forward(self, pixel_values + torch.rand_like(pixel_values), **options)

    monkeypatch.setattr(ViTModel, "forward", shaken)
    with pytest.raises(BackboneError, match="`vision` gives other tokens each time"):
        build(load(tmp_path / "two.vl"), job="base")

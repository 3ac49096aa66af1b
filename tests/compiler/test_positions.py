"""Resizing of positions against interpolations written by others."""

import numpy as np
import pytest
import torch
from PIL import Image
from timm.layers import resample_abs_pos_embed

from renaissance.compiler.backbones.positions import (
    fit_positions,
    resize_bias,
    resize_grid,
    resize_text,
)
from renaissance.compiler.errors import BackboneError
from renaissance.compiler.model.tower import TowerFacts


@pytest.mark.parametrize(("old", "new"), [(4, 7), (7, 4), (3, 12), (5, 5)])
@pytest.mark.parametrize("prefix", [0, 1, 2])
def test_a_grid_is_resized_as_pictures_are(old: int, new: int, prefix: int) -> None:
    table = torch.randn(1, prefix + old**2, 3, generator=torch.Generator().manual_seed(0))
    found = resize_grid(table, prefix + new**2, prefix)
    assert torch.equal(found[:, :prefix], table[:, :prefix])
    for channel in range(3):
        grid = table[0, prefix:, channel].reshape(old, old).numpy()
        picture = Image.fromarray(grid).resize((new, new), Image.Resampling.BICUBIC)
        np.testing.assert_allclose(
            found[0, prefix:, channel].reshape(new, new).numpy(), np.asarray(picture), atol=1e-5
        )


def test_a_grid_is_resized_as_timm_does() -> None:
    table = torch.randn(1, 1 + 14**2, 8)
    wanted = resample_abs_pos_embed(table, [24, 24], num_prefix_tokens=1)
    torch.testing.assert_close(resize_grid(table, 1 + 24**2, 1), wanted)


def test_a_grid_that_is_no_square_is_refused() -> None:
    with pytest.raises(BackboneError, match="square"):
        resize_grid(torch.zeros(1, 7, 2), 10, 1)


@pytest.mark.parametrize("offset", [0, 2])
def test_text_positions_are_cut_or_stretched(offset: int) -> None:
    table = torch.randn(offset + 6, 4)
    assert torch.equal(resize_text(table, offset + 3, offset), table[: offset + 3])
    stretched = resize_text(table, offset + 11, offset)
    assert torch.equal(stretched[:offset], table[:offset])
    places = np.linspace(0, 5, 11)
    for channel in range(4):
        wanted = np.interp(places, np.arange(6), table[offset:, channel].numpy())
        np.testing.assert_allclose(stretched[offset:, channel].numpy(), wanted, atol=1e-5)


@pytest.mark.parametrize("extra", [0, 3])
def test_relative_positions_keep_a_smooth_table(extra: int) -> None:
    line = torch.linspace(-1, 1, 7)
    table = torch.cat(((line[:, None] + line[None, :]).reshape(-1, 1), torch.ones(extra, 1)))
    found = resize_bias(table, 13**2 + extra)
    assert torch.equal(found[169:], table[49:])
    inner = found[:169].reshape(13, 13)
    assert torch.allclose(inner, inner.T, atol=1e-6)
    assert abs(float(inner[6, 6])) < 1e-6
    assert (inner.diff(dim=0) > 0).all()


def test_only_positions_may_differ() -> None:
    tensors = {"pos": torch.zeros(1, 5, 2), "weight": torch.zeros(3, 2), "other": torch.zeros(1)}
    wanted = {"pos": torch.zeros(1, 10, 2), "weight": torch.zeros(3, 2)}
    facts = TowerFacts(modality="vision", width=2, prefix_tokens=1)
    fitted, notes = fit_positions(tensors, wanted, facts=facts, address="vision")
    assert fitted["pos"].shape == (1, 10, 2)
    assert notes == ("position embeddings of `vision` resized from 5 to 10 rows",)
    with pytest.raises(BackboneError, match=r"`weight` have shape \(3, 2\)"):
        fit_positions(tensors, {"weight": torch.zeros(4, 2)}, facts=facts, address="v")

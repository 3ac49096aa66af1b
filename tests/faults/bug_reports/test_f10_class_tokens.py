"""`pool = cls` wants a class token: unknown is not none, and what is built has the last word."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from renaissance.compiler import build
from renaissance.compiler.assembly import assemble
from renaissance.compiler.errors import CompileError
from renaissance.grammar import load
from renaissance.grammar.diagnostics import SpecError


@pytest.mark.parametrize(
    "vision",
    [
        'random("test_convnext") { image_size = 32 }',
        'random("test_resnet") { image_size = 32 }',
        'random("vit_base_patch16_siglip_224") { image_size = 32 }',
        'random("vit_base_patch16_reg4_gap_256") { image_size = 32 }',
    ],
)
def test_towers_without_one_are_refused(
    vision: str, experiment: Callable[..., str], tmp_path: Path
) -> None:
    (tmp_path / "two.vl").write_text(experiment(vision=vision))
    with pytest.raises(SpecError, match=r"VL309 .*`vision` has none"):
        load(tmp_path / "two.vl")
    (tmp_path / "two.vl").write_text(experiment(vision=vision, more="pool = mean"))
    declared = load(tmp_path / "two.vl").models["m"]
    with torch.device("meta"):
        assemble(declared, None, weights=False)
    with (
        pytest.raises(CompileError, match="`vision` has none; write `pool = mean`"),
        torch.device("meta"),
    ):
        assemble(declared.model_copy(update={"pool": "cls"}), None, weights=False)


def test_folders_of_any_vision_transformer_are_taken(
    saved_timm: Callable[..., str], experiment: Callable[..., str], tmp_path: Path
) -> None:
    folder = saved_timm("vit_small_patch16_dinov3", embed_dim=32, depth=1, num_heads=2)
    (tmp_path / "two.vl").write_text(experiment(vision=f'timm("{folder}") {{ image_size = 32 }}'))
    tower = build(load(tmp_path / "two.vl"), job="base").towers["vision"]
    assert tower.facts.class_token and tower.facts.prefix_tokens == 5


def test_folders_that_say_so_are_refused_by_check(
    saved: Callable[..., str],
    saved_timm: Callable[..., str],
    experiment: Callable[..., str],
    tmp_path: Path,
) -> None:
    patches = saved_timm(
        "vit_tiny_patch16_224",
        embed_dim=32,
        depth=1,
        num_heads=2,
        class_token=False,
        global_pool="avg",
    )
    siglip = saved("siglip_vision_model", image_size=32, patch_size=16)
    for vision in (f'timm("{patches}")', f'huggingface("{siglip}")'):
        (tmp_path / "two.vl").write_text(experiment(vision=f"{vision} {{ image_size = 32 }}"))
        with pytest.raises(SpecError, match="VL309"):
            load(tmp_path / "two.vl")

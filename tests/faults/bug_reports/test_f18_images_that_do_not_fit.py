"""Images of a size that an encoder cannot take: a finding or one sentence, by plan and build."""

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
    ("name", "size"),
    [
        ("maxvit_pico_rw_256", 200),
        ("nest_tiny", 200),
        ("test_convnext", 16),
    ],
)
def test_sizes_that_do_not_fit_timm(
    name: str, size: int, experiment: Callable[..., str], tmp_path: Path
) -> None:
    (tmp_path / "two.vl").write_text(
        experiment(vision=f'random("{name}") {{ image_size = {size} }}', more="pool = mean")
    )
    spec = load(tmp_path / "two.vl")
    for device in ("meta", "cpu"):
        with (
            pytest.raises(CompileError, match=r"`vision`|the encoder's features"),
            torch.device(device),
        ):
            assemble(spec.models["m"], None, weights=False)


def test_a_folder_of_stages_that_do_not_fit_is_one_sentence(
    saved: Callable[..., str], experiment: Callable[..., str], tmp_path: Path
) -> None:
    folder = saved(
        "convnext",
        hidden_size=None,
        hidden_sizes=[8, 16],
        depths=[1, 1],
        num_stages=2,
        image_size=32,
    )
    vision = f'huggingface("{folder}") {{ image_size = 32 }}'
    (tmp_path / "two.vl").write_text(experiment(vision=vision, more="pool = mean"))
    with pytest.raises(SpecError, match="write `num_stages`: 2"):
        load(tmp_path / "two.vl")


def test_sizes_of_two_numbers(
    saved: Callable[..., str], experiment: Callable[..., str], tmp_path: Path
) -> None:
    folder = saved(
        "hiera", embed_dim=8, image_size=[64, 64], depths=[1, 1, 1, 1], num_heads=[1, 1, 2, 4]
    )
    (tmp_path / "two.vl").write_text(
        experiment(vision=f'huggingface("{folder}") {{ image_size = 64 }}', more="pool = mean")
    )
    tower = build(load(tmp_path / "two.vl"), job="base").towers["vision"]
    assert tower(torch.zeros(1, 3, 64, 64)).tokens.shape[-1] == tower.facts.width

    yolos = saved("yolos", image_size=[32, 48], patch_size=16, num_detection_tokens=3)
    (tmp_path / "two.vl").write_text(
        experiment(vision=f'huggingface("{yolos}") {{ image_size = 32 }}')
    )
    with pytest.raises(SpecError, match="take an encoder of square images"):
        load(tmp_path / "two.vl")


def test_an_encoder_of_one_token_says_so(experiment: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "two.vl").write_text(experiment(vision='random("pit_ti_224") { image_size = 224 }'))
    with torch.device("meta"):
        model = assemble(load(tmp_path / "two.vl").models["m"], None, weights=False)
    assert "`vision` gives one token an image" in model.towers["vision"].facts.notes


@pytest.mark.parametrize(
    ("vision", "said"),
    [
        ('random("test_resnet") { image_size = 64, dropout = 0.1 }', "`test_resnet`"),
        ('random("test_vit") { image_size = 161 }', "161 pixels"),
        ('random("crossvit_9_240") { image_size = 240 }', "neither a sequence"),
    ],
)
def test_settings_that_timm_does_not_take_are_one_sentence(
    vision: str, said: str, experiment: Callable[..., str], tmp_path: Path
) -> None:
    (tmp_path / "two.vl").write_text(experiment(vision=vision, more="pool = mean"))
    with pytest.raises(SpecError, match=said):
        load(tmp_path / "two.vl")


@pytest.mark.parametrize(
    ("name", "changed"), [("test_resnet", {"dropout": 0.1}), ("test_vit", {"image_size": 161})]
)
def test_what_is_built_refuses_them_too(
    name: str, changed: dict[str, float], experiment: Callable[..., str], tmp_path: Path
) -> None:
    vision = f'random("{name}") {{ image_size = 64 }}'
    (tmp_path / "two.vl").write_text(experiment(vision=vision, more="pool = mean"))
    model = load(tmp_path / "two.vl").models["m"]
    tower = model.streams["vision"].model_copy(update=changed)
    with pytest.raises(CompileError, match="`vision`"), torch.device("meta"):
        assemble(
            model.model_copy(update={"streams": {**model.streams, "vision": tower}}),
            None,
            weights=False,
        )

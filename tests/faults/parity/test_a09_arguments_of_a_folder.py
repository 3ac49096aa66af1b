"""Dimensions that a folder of timm states are those of checker, plan and model."""

from pathlib import Path

import pytest
import timm
import torch
from timm.models import save_for_hf

from renaissance.compiler.assembly import assemble
from renaissance.compiler.backbones.sources import build_stack, build_tower
from renaissance.compiler.sources.random.schema import RandomArchitecture
from renaissance.compiler.sources.timm.schema import Timm
from renaissance.grammar.composition.resolution import resolve
from renaissance.grammar.encoder_folder import read_folder
from renaissance.grammar.source import Source

ARGUMENTS = {"embed_dim": 32, "depth": 3, "num_heads": 2, "patch_size": 8, "img_size": 32}
SPEC = """
model m {{
  backbone text   = plain_text {{ layers = 1, width = 16, heads = 2, vocabulary = 64 }}
  backbone vision = timm("{folder}") {{ image_size = {size} }}
  fusion cross = cross_attention(text, vision) {{ layers = 1, width = 16, heads = 2 }}
}}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("saved") / "deit"
    encoder = timm.create_model("deit_tiny_patch16_224", pretrained=False, **ARGUMENTS)
    save_for_hf(encoder, home, model_args=ARGUMENTS, safe_serialization=True)
    return home


def test_facts_are_those_of_the_arguments(folder: Path) -> None:
    facts = read_folder(folder)
    assert (facts.width, facts.layers, facts.heads, facts.patch) == (32, 3, 2, 8)
    assert (facts.image_size, facts.prefix_tokens) == (32, 1)


def test_plan_and_model_agree(folder: Path) -> None:
    resolution = resolve(Source(name="a.vl", text=SPEC.format(folder=folder, size=56)))
    assert resolution.spec is not None, resolution.diagnostics
    declared = resolution.spec.models["m"]
    with torch.device("meta"):
        planned = assemble(declared, None, weights=False)
    built = assemble(declared, None, weights=True)
    assert {name: p.shape for name, p in planned.named_parameters()} == {
        name: p.shape for name, p in built.named_parameters()
    }
    assert built.towers["vision"](torch.zeros(1, 3, 56, 56)).tokens.shape == (1, 50, 32)


@pytest.mark.parametrize("source", ["timm", "random"])
def test_towers_and_stacks_have_the_dimensions_of_the_folder(folder: Path, source: str) -> None:
    made = {
        "timm": lambda **size: Timm(name=str(folder), **size),
        "random": lambda **size: RandomArchitecture(id=str(folder), **size),
    }[source]
    tower = build_tower(made(image_size=56), "vision", attention="auto", weights=True)
    assert tower.facts.width == 32 and len(tower.facts.layers) == 3
    stack = build_stack(made(), "joint", attention="auto", weights=True)
    assert stack.facts.width == 32 and len(stack.facts.layers) == 3

"""Tiny encoders as their libraries save them, an experiment on a few images, built once."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from PIL import Image
from timm.models import save_for_hf
from transformers import AutoConfig, AutoModel

SMALL = {
    "hidden_size": 32,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 64,
}


@pytest.fixture(scope="session")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """A function that saves an encoder of transformers with random weights; returns its folder."""

    def save(family: str, dtype: torch.dtype = torch.float32, **settings: Any) -> str:
        folder = tmp_path_factory.mktemp("saved") / family
        torch.manual_seed(0)
        config = AutoConfig.for_model(family, **SMALL | settings)
        AutoModel.from_config(config).to(dtype).save_pretrained(folder)
        return str(folder)

    return save


@pytest.fixture(scope="session")
def saved_timm(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """A function that saves an encoder of timm with dimensions of its own; returns its folder."""

    def save(name: str, dtype: torch.dtype = torch.float32, **arguments: Any) -> str:
        folder = tmp_path_factory.mktemp("saved") / name
        torch.manual_seed(0)
        encoder = timm.create_model(name, pretrained=False, **arguments).to(dtype)
        save_for_hf(encoder, folder, model_args=arguments, safe_serialization=True)
        return str(folder)

    return save


@pytest.fixture(scope="session")
def deit(saved_timm: Callable[..., str]) -> str:
    """A DeiT of timm with a layer of width 32 and patches of 16."""
    return saved_timm("deit_tiny_patch16_224", embed_dim=32, depth=1, num_heads=2)


@pytest.fixture(scope="session")
def nlvr(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in the layout of Cornell NLVR with four sentences to learn from."""
    root = tmp_path_factory.mktemp("nlvr")
    for split in ("train", "dev", "test"):
        images = root / split / "images" / "0"
        images.mkdir(parents=True)
        lines = []
        for number in range(4):
            lines.append(
                {
                    "sentence": f"there is box number {number}",
                    "label": ("true", "false")[number % 2],
                    "identifier": f"{number}-0",
                    "directory": "0",
                    "evals": {},
                }
            )
            for drawing in range(6):
                picture = Image.new("RGB", (20, 20), ("red", "blue")[number % 2])
                picture.save(images / f"{split}-{number}-0-{drawing}.png")
        text = "".join(json.dumps(line) + "\n" for line in lines)
        (root / split / f"{split}.json").write_text(text)
    return root


PLAIN_TEXT = "plain_text { layers = 1, width = 16, heads = 2, max_tokens = 16, vocabulary = 64 }"
PLAIN_VISION = "plain_vision { layers = 1, width = 16, heads = 2, image_size = 32, patch = 16 }"


@pytest.fixture(scope="session")
def experiment(nlvr: Path) -> Callable[..., str]:
    """A function that writes a pretraining and a fine-tuning of one step each."""

    def write(
        *, text: str = PLAIN_TEXT, vision: str = PLAIN_VISION, more: str = "", change: str = ""
    ) -> str:
        training = "optimizer adamw { lr = 1e-3 }\n  batch = 4\n  steps = 1"
        return f"""
model m {{
  backbone text   = {text}
  backbone vision = {vision}
  fusion cross = cross_attention(text, vision) {{ layers = 1, width = 16, heads = 2 }}
  {more}
}}
data pairs {{ format = nlvr, root = "{nlvr}" }}
pretrain base on m {{
  data = [pairs]
  objective mlm
  {training}
}}
finetune truth from base {{
  task = nlvr {{ root = "{nlvr}" }}
  model {{ {change} }}
  {training}
}}
"""

    return write

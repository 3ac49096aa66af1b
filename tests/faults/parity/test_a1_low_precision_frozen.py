"""A frozen pretrained tower under bf16 and fp16: it starts, learns and is stored by reference."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from transformers import ViTConfig, ViTModel

from renaissance.grammar import load
from renaissance.runtime import run_jobs

SPEC = """
model image {{
  backbone text   = plain_text {{ layers = 1, width = 16, heads = 2, vocabulary = 64 }}
  backbone vision = huggingface("{folder}/vit") {{ image_size = 16 }}
  fusion cross = cross_attention(text, vision) {{ layers = 1, width = 16, heads = 2 }}
  freeze vision
}}
data pairs {{ format = image_caption, table = "{folder}/pairs.csv" }}
pretrain base on image {{
  data = [pairs]
  objective mlm
  optimizer adamw {{ lr = 1e-3 }}
  batch = 4
  steps = 1
  validation = 25%
  precision = {precision}
}}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved ViT of width 16, and a table of four images."""
    home = tmp_path_factory.mktemp("saved")
    config = ViTConfig(
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        image_size=16,
        patch_size=8,
    )
    ViTModel(config).save_pretrained(home / "vit")
    draw = np.random.default_rng(0)
    with (home / "pairs.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["image", "caption"])
        for number in range(4):
            pixels = draw.integers(0, 256, (16, 16, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(home / f"{number}.png")
            table.writerow([home / f"{number}.png", f"picture number {number}"])
    return home


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_it_trains_and_leaves_the_tower_to_its_reference(
    folder: Path, tmp_path: Path, precision: str
) -> None:
    (tmp_path / "image.vl").write_text(SPEC.format(folder=folder, precision=precision))
    run_jobs(load(tmp_path / "image.vl"), tmp_path / "run", device="cpu")
    state = json.loads((tmp_path / "run/base/checkpoints/step-00000001/state.json").read_text())
    assert state["referenced"]
    assert all(name.startswith("streams.vision.") for name in state["referenced"])

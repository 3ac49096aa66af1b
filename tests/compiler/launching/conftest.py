"""A small experiment as a spec file with data of its own."""

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

SPEC = """
model small {
  backbone text   = plain_text { layers = 1, width = 16, heads = 2, vocabulary = 64 }
  backbone vision = plain_vision { layers = 1, width = 16, heads = 2, image_size = 16, patch = 8 }
  fusion cross = cross_attention(text, vision) { layers = 1, width = 16, heads = 2 }
}
data pairs { format = image_caption, table = "pairs.csv" }
pretrain base on small {
  data = [pairs]
  objective mlm
  optimizer adamw { lr = 1e-3 }
  batch = 8
  steps = 300
  checkpoint_every = 10
  validation = 25%
}
"""


@pytest.fixture(scope="session")
def experiment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `small.vl`, whose data are beside it by relative paths."""
    home = tmp_path_factory.mktemp("experiment")
    draw = np.random.default_rng(0)
    (home / "small.vl").write_text(SPEC)
    with (home / "pairs.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["image", "caption"])
        for number in range(24):
            pixels = draw.integers(0, 256, (16, 16, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(home / f"{number}.png")
            table.writerow([f"{number}.png", f"picture number {number} of many"])
    return home

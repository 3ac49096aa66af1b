"""A copy of an image under another name is never shown as another image."""

import os
import shutil
from pathlib import Path

import pytest
import torch
from PIL import Image

import renaissance as rn
from renaissance.runtime.data import job_data

SPEC = """
model m {
  backbone text   = plain_text { layers = 1, width = 16, heads = 2, vocabulary = 64 }
  backbone vision = plain_vision { layers = 1, width = 16, heads = 2, image_size = 16, patch = 8 }
  fusion cross = cross_attention(text, vision) { layers = 1, width = 16, heads = 2 }
}
data pairs { format = image_caption, table = "pairs.csv" }
pretrain base on m {
  data = [pairs], objective itm { negatives = 2, draw = DRAW }, optimizer adamw { lr = 1e-3 }
  batch = 8, steps = 6, validation = 10%
}
"""


@pytest.mark.parametrize("draw", ["batch", "data"])
@pytest.mark.parametrize("copy", [shutil.copyfile, os.link])
def test_no_negative_shows_what_the_own_image_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, draw: str, copy: object
) -> None:
    assert callable(copy)
    monkeypatch.chdir(tmp_path)
    rows = ["image,caption"]
    for number, colour in enumerate(("red", "green", "blue")):
        Image.new("RGB", (16, 16), colour).save(f"{number}.png")
        for again in range(5):
            copy(f"{number}.png", f"{number}-{again}.png")
            rows.append(f"{number}-{again}.png,text {number} {again}")
    Path("pairs.csv").write_text("\n".join(rows))
    Path("e.vl").write_text(SPEC.replace("DRAW", draw))
    false = 0
    for (batch,) in job_data(rn.load("e.vl"), "base").train(0, 0, 1):
        assert isinstance(batch.images, torch.Tensor)
        matching = batch.items["itm"]
        # Each text comes with its own image first.
        own = batch.images[matching.image[matching.text]].flatten(1)
        shown = batch.images[matching.image].flatten(1)
        same = (own == shown).all(1)
        assert torch.equal(same, matching.target.bool())
        false += int((~same).sum())
    assert false == 6 * 8 * 2

"""Trainings that start from a folder of a published model."""

from pathlib import Path

import torch
from transformers import BlipConfig, BlipForImageTextRetrieval

from renaissance.grammar.loading import load
from tests.runs import notices, train
from tests.tiny import write_easy_vqa

SPEC = """
model tiny {{
  embed text = wordpiece {{ max_tokens = 12, vocabulary = 64, eps = 1e-12 }}
  backbone vision = plain_vision {{ image_size = 16, patch = 8, layers = 1, width = 16, heads = 2 }}
  fusion grounded = asymmetric(text, vision) {{ layers = 2, width = 16, heads = 2 }}
  pool    = first
  pooler  = none
  weights = "{folder}"
  freeze vision
}}
data pairs {{ format = easy_vqa, root = "{root}" }}
pretrain base on tiny {{
  data = [pairs]
  objective itm
  objective mlm
  optimizer adamw {{ lr = 1e-3 }}
  batch = 8
  steps = {steps}
}}
"""
SIDE = {"hidden_size": 16, "num_attention_heads": 2, "intermediate_size": 64}


def test_the_table_of_what_was_taken_stands_with_the_job(tmp_path: Path) -> None:
    torch.manual_seed(0)
    config = BlipConfig(
        text_config=SIDE | {"num_hidden_layers": 2, "vocab_size": 64, "layer_norm_eps": 1e-12},
        vision_config=SIDE | {"num_hidden_layers": 1, "image_size": 16, "patch_size": 8},
    )
    BlipForImageTextRetrieval(config).save_pretrained(tmp_path / "blip")
    root = write_easy_vqa(tmp_path / "pictures")
    (tmp_path / "tiny.vl").write_text(SPEC.format(folder=tmp_path / "blip", root=root, steps=4))
    spec = load(tmp_path / "tiny.vl")
    train(spec, tmp_path / "run", "base")
    [head, *rows] = (tmp_path / "run/base/weights.tsv").read_text("utf-8").splitlines()
    assert head == f"{tmp_path / 'blip'}\tmodel tiny"
    table = dict(row.split("\t") for row in rows if not row.startswith("-"))
    assert table["itm_head.weight"] == "heads.itm.dense.weight"
    assert table["vision_proj.weight"] == "-"
    assert "-\theads.mlm.dense.weight" in rows
    said = notices(tmp_path / "run", "base")
    assert "which tensor is which stands in `base/weights.tsv`" in said
    assert any("tensors start from" in sentence for sentence in said)
    frozen = sum(name.startswith("streams.vision.") for name in table.values())
    assert (
        f"{frozen} frozen tensors are what they were at the start of the job, bit for bit" in said
    )

"""Weights are float32 whatever type they were saved in, and keep the values that were saved."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from renaissance.compiler import build
from renaissance.grammar import load

HALF = [torch.float16, torch.bfloat16]


def built(text: str, folder: Path) -> "torch.nn.Module":
    (folder / "two.vl").write_text(text)
    model = build(load(folder / "two.vl"), job="base")
    assert {tensor.dtype for tensor in model.parameters()} == {torch.float32}
    return model


@pytest.mark.parametrize("dtype", HALF)
@pytest.mark.parametrize("source", ["huggingface", "random"])
def test_towers_of_transformers(
    dtype: torch.dtype,
    source: str,
    saved: Callable[..., str],
    experiment: Callable[..., str],
    tmp_path: Path,
) -> None:
    text = saved("bert", dtype, vocab_size=64)
    vision = saved("vit", dtype, image_size=32, patch_size=16)
    model = built(
        experiment(
            text=f'{source}("{text}") {{ max_tokens = 16 }}',
            vision=f'{source}("{vision}") {{ image_size = 32 }}',
        ),
        tmp_path,
    )
    if source == "huggingface":
        weight = model.state_dict()["streams.text.encoder.embeddings.word_embeddings.weight"]
        assert torch.equal(weight, weight.to(dtype).float())
    output = model(
        text={"input_ids": torch.ones(1, 4, dtype=torch.int64), "attention_mask": torch.ones(1, 4)},
        vision=torch.zeros(1, 3, 32, 32),
    )
    assert output.pooled.dtype == torch.float32


@pytest.mark.parametrize("dtype", HALF)
def test_towers_of_timm(
    dtype: torch.dtype,
    saved_timm: Callable[..., str],
    experiment: Callable[..., str],
    tmp_path: Path,
) -> None:
    folder = saved_timm("vit_tiny_patch16_224", dtype, embed_dim=32, depth=1, num_heads=2)
    built(experiment(vision=f'timm("{folder}") {{ image_size = 32 }}'), tmp_path)


@pytest.mark.parametrize("dtype", HALF)
def test_stacks(dtype: torch.dtype, saved: Callable[..., str], nlvr: Path, tmp_path: Path) -> None:
    folder = saved("bert", dtype, vocab_size=64)
    built(
        f"""
model one {{
  embed text   = wordpiece {{ max_tokens = 16, vocabulary = 64 }}
  embed vision = patches {{ image_size = 32, patch = 16 }}
  fusion joint = single_stream(text, vision) {{ encoder = huggingface("{folder}") }}
}}
data pairs {{ format = nlvr, root = "{nlvr}" }}
pretrain base on one {{
  data = [pairs]
  objective mlm
  optimizer adamw {{ lr = 1e-3 }}
  batch = 4
  steps = 1
}}
""",
        tmp_path,
    )

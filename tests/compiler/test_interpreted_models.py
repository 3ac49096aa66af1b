"""Whole models with the kernels, in Triton's interpreter, against plain tensor operations."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from transformers import AutoConfig, AutoModel

from renaissance.compiler import VisionLanguageModel, build
from renaissance.compiler.backbones import hook
from renaissance.compiler.features import TextInput
from renaissance.compiler.kernels import operator
from renaissance.compiler.kernels.availability import interpreting
from renaissance.compiler.packing import Packing
from renaissance.grammar.schema.model import CrossAttention, Model
from renaissance.grammar.schema.streams import HuggingFace, RandomArchitecture
from tests.compiler.declarations import one_tower, spec, two_towers

TEXT = {"layers": 1, "width": 32, "heads": 2, "max_tokens": 8}
IMAGE = {"layers": 1, "width": 32, "heads": 2, "image_size": 32}
SWIN = {
    "image_size": 32,
    "patch_size": 4,
    "embed_dim": 16,
    "depths": [2],
    "num_heads": [1],
    "window_size": 4,
}
FUSION = CrossAttention(inputs=("text", "vision"), layers=1, width=32, heads=2)
LENGTHS = (5, 1, 3)

TEXTS = {
    "electra": "google/electra-small-discriminator",
    "bert": "bert-base-uncased",
    "roberta": "roberta-base",
    "distilbert": "distilbert-base-uncased",
    "albert": "albert-base-v2",
}
VISIONS = {
    "deit of timm": "deit_tiny_patch16_224",
    "deit": "facebook/deit-tiny-patch16-224",
    "vit": "google/vit-base-patch16-224",
    "beit": "microsoft/beit-base-patch16-224",
}
TOWERS = [
    ("electra", "deit of timm"),
    ("bert", "deit"),
    ("roberta", "vit"),
    ("distilbert", "beit"),
    ("albert", "swin"),
]
STACKS = ("deit of timm", "electra", "distilbert", "vit")


def _towers(text: str, vision: str, attention: Any, folder: Path) -> Model:
    return two_towers(
        RandomArchitecture(id=TEXTS[text], **TEXT),
        HuggingFace(id=str(folder), image_size=32)
        if vision == "swin"
        else RandomArchitecture(id=VISIONS[vision], **IMAGE),
        fusion=FUSION,
        attention=attention,
    )


def _stack(name: str, attention: Any) -> Model:
    sizes = {"layers": 1, "width": 32, "heads": 2}
    encoder = RandomArchitecture(id=(TEXTS | VISIONS)[name], **sizes)
    return one_tower(encoder, attention=attention)


def _outcome(model: VisionLanguageModel) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Outputs for packed texts and images, and the gradients of all parameters."""
    generator = torch.Generator().manual_seed(0)
    for parameter in model.parameters():
        if not parameter.any():
            parameter.data.normal_(std=0.3, generator=generator)
    ends = torch.tensor([0, *LENGTHS]).cumsum(0, dtype=torch.int32)
    ids = torch.randint(3, 60, (sum(LENGTHS),), generator=generator)
    text = TextInput(input_ids=ids, packing=Packing(cumulative=ends, longest=5))
    output = model.eval()(text=text, vision=torch.randn(3, 3, 32, 32, generator=generator))
    sum(stream.sin().sum() for stream in output.streams.values()).add(
        output.pooled.sum()
    ).backward()
    gradients = {name: p.grad for name, p in model.named_parameters() if p.grad is not None}
    return {**output.streams, "pooled": output.pooled}, gradients


def _assert_same(models: list[Model], monkeypatch: pytest.MonkeyPatch) -> None:
    launched: list[int] = []
    launch = operator._varlen_forward if hasattr(operator, "_varlen_forward") else None
    del launch, monkeypatch
    triton, eager = (build(spec(model), job="base") for model in models)
    for tower in triton.towers.values():
        used = tower.facts.attention
        assert used is None or used.library is None, tower.facts.notes
    with hook.counted() as launched:
        found = _outcome(triton)
    assert launched
    wanted = _outcome(eager)
    for ours, theirs in zip(found, wanted, strict=True):
        assert ours.keys() == theirs.keys()
        for name, tensor in ours.items():
            torch.testing.assert_close(
                tensor, theirs[name], atol=2e-5, rtol=2e-4, msg=lambda m, n=name: f"{n}: {m}"
            )


@pytest.mark.skipif(not interpreting(), reason="TRITON_INTERPRET=1 is set by the last test")
@pytest.mark.parametrize(("text", "vision"), TOWERS)
def test_two_towers(
    text: str, vision: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    AutoModel.from_config(AutoConfig.for_model("swin", **SWIN)).save_pretrained(tmp_path)
    _assert_same(
        [_towers(text, vision, asked, tmp_path) for asked in ("triton", "eager")], monkeypatch
    )


@pytest.mark.skipif(not interpreting(), reason="TRITON_INTERPRET=1 is set by the last test")
@pytest.mark.parametrize("name", STACKS)
def test_one_tower(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    _assert_same([_stack(name, asked) for asked in ("triton", "eager")], monkeypatch)


def test_whole_models_in_the_interpreter() -> None:
    if interpreting():
        pytest.skip("this process interprets kernels itself")
    run = subprocess.run(
        [sys.executable, "-m", "pytest", __file__, "-q", "-p", "no:cacheprovider", "-r", "fE"],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "TRITON_INTERPRET": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-6000:] + run.stderr[-2000:]
    assert "9 passed" in run.stdout

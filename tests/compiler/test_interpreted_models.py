"""Whole models with the kernels, in Triton's interpreter, against plain tensor operations."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from transformers import AutoConfig, AutoModel

from renaissance.compiler import VisionLanguageModel, build
from renaissance.compiler.fusions.cross_attention.schema import CrossAttention
from renaissance.compiler.kernels import varlen_attention
from renaissance.compiler.kernels.availability import interpreting
from renaissance.compiler.lowering import dispatch
from renaissance.compiler.lowering.implementations import attention_facts
from renaissance.compiler.model.inputs import TextInput
from renaissance.compiler.model.packing import Packing
from renaissance.compiler.sources.huggingface.schema import HuggingFace
from renaissance.compiler.sources.random.schema import RandomArchitecture
from renaissance.grammar.schema.model import Model
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
ALBERT = {
    "vocab_size": 60,
    "embedding_size": 16,
    "hidden_size": 32,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 48,
    "max_position_embeddings": 12,
}
LENGTHS = (5, 1, 3)

TEXTS = {
    "electra": "google/electra-small-discriminator",
    "bert": "bert-base-uncased",
    "roberta": "roberta-base",
    "distilbert": "distilbert-base-uncased",
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
REASON = "TRITON_INTERPRET=1 is not set; kernels/test_interpreter.py sets it in a process"
STACKS = ("deit of timm", "electra", "distilbert", "vit")


def _towers(text: str, vision: str, asked: Any, folder: Path) -> Model:
    return two_towers(
        HuggingFace(id=str(folder / "albert"), max_tokens=8)
        if text == "albert"
        else RandomArchitecture(id=TEXTS[text], **TEXT),
        HuggingFace(id=str(folder / "swin"), image_size=32)
        if vision == "swin"
        else RandomArchitecture(id=VISIONS[vision], **IMAGE),
        fusion=FUSION,
        pool="mean" if vision == "swin" else "cls",
        attention=asked,
    )


def _stack(name: str, asked: Any) -> Model:
    sizes = {"layers": 1, "width": 32, "heads": 2}
    encoder = RandomArchitecture(id=(TEXTS | VISIONS)[name], **sizes)
    return one_tower(encoder, attention=asked)


def _outcome(model: VisionLanguageModel) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Outputs for packed texts and images, and the gradients of all parameters."""
    generator = torch.Generator().manual_seed(0)
    for parameter in model.parameters():
        if not parameter.any():
            parameter.data.normal_(std=0.3, generator=generator)
    ends = torch.tensor([0, *LENGTHS]).cumsum(0, dtype=torch.int32)
    ids = torch.randint(3, 50, (sum(LENGTHS),), generator=generator)
    text = TextInput(input_ids=ids, packing=Packing(cumulative=ends, longest=5))
    output = model.eval()(text=text, vision=torch.randn(3, 3, 32, 32, generator=generator))
    sum(stream.sin().sum() for stream in output.streams.values()).add(
        output.pooled.sum()
    ).backward()
    gradients = {name: p.grad for name, p in model.named_parameters() if p.grad is not None}
    return {**output.streams, "pooled": output.pooled}, gradients


def _assert_same(models: list[Model], monkeypatch: pytest.MonkeyPatch) -> None:
    launched: list[bool] = []

    def counting(*arguments: Any, **options: Any) -> Tensor:
        launched.append("bias" in options and options["bias"] is not None)
        return varlen_attention(*arguments, **options)

    monkeypatch.setattr(dispatch, "varlen_attention", counting)
    triton, eager = (build(spec(model), job="base") for model in models)
    used = attention_facts(triton)
    if any("offers no hook" in (facts.refusal or "") for facts in used.values()):
        pytest.skip("this version of transformers has no hook in this encoder")
    assert used and all(facts.library is None for facts in used.values())
    assert not launched
    found = _outcome(triton)
    ours, launched[:] = len(launched), []
    assert ours > 0
    wanted = _outcome(eager)
    assert not launched
    for results, others in zip(found, wanted, strict=True):
        assert results.keys() == others.keys()
        for name, tensor in results.items():
            torch.testing.assert_close(
                tensor, others[name], atol=2e-5, rtol=2e-4, msg=lambda m, n=name: f"{n}: {m}"
            )


@pytest.mark.skipif(not interpreting(), reason=REASON)
@pytest.mark.parametrize(("text", "vision"), TOWERS)
def test_two_towers(
    text: str, vision: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    for family, sizes in (("swin", SWIN), ("albert", ALBERT)):
        if family in (text, vision):
            encoder = AutoModel.from_config(AutoConfig.for_model(family, **sizes))
            encoder.save_pretrained(tmp_path / family)
    _assert_same(
        [_towers(text, vision, asked, tmp_path) for asked in ("triton", "eager")], monkeypatch
    )


@pytest.mark.skipif(not interpreting(), reason=REASON)
@pytest.mark.parametrize("name", STACKS)
def test_one_tower(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    _assert_same([_stack(name, asked) for asked in ("triton", "eager")], monkeypatch)

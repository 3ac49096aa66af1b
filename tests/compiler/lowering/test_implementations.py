"""What a plan says about attention: which implementation runs in each part, and why."""

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoConfig

from renaissance.compiler import build, plan
from renaissance.compiler.assembly import assemble
from renaissance.compiler.errors import CompileError
from renaissance.compiler.fusions.cross_attention.schema import CrossAttention
from renaissance.compiler.lowering.implementations import Place, planned_attention
from renaissance.compiler.model import VisionLanguageModel
from renaissance.compiler.sources.huggingface.schema import HuggingFace
from renaissance.compiler.sources.plain_text.schema import PlainText
from renaissance.compiler.sources.random.schema import RandomArchitecture
from renaissance.grammar.schema.model import Model
from renaissance.render.plan import text_of
from tests.compiler.declarations import (
    DEIT,
    ELECTRA,
    VISION,
    VIT,
    one_tower,
    spec,
    two_towers,
)

WIDE = {"text": ELECTRA.model_copy(update={"width": 64}), "vision": VIT}
WIDE_FUSION = CrossAttention(inputs=("text", "vision"), layers=1, width=32, heads=2)
SWIN = RandomArchitecture(id="swin_tiny_patch4_window7_224", image_size=224)


def _on_meta(model: Model) -> VisionLanguageModel:
    with torch.device("meta"):
        return assemble(model, None, weights=False)


CPU = Place(device="cpu")


def _said(model: Model, dtype: torch.dtype | None = None, place: Place = CPU) -> dict[str, str]:
    found = planned_attention(_on_meta(model), place, dtype)
    return {address: str(used) for address, used in found.items()}


def test_auto_without_a_gpu() -> None:
    on_gpu = "triton on a GPU: ragged rows, in bf16 or fp16"
    said = _said(two_towers(WIDE["text"], DEIT))
    assert said == {
        "text": f"packed, sdpa (no GPU; {on_gpu})",
        "vision": "sdpa (rows of one length)",
        "cross": "packed, sdpa (no GPU; sdpa on a GPU: fused attention takes heads 16 to 128 wide "
        "in steps of 8, not 8)",
    }
    assert _said(one_tower(DEIT)) == {"joint": f"packed, sdpa (no GPU; {on_gpu})"}


def test_the_precision_of_a_job_counts() -> None:
    assert _said(one_tower(VIT), torch.float32)["joint"] == (
        "packed, sdpa (no GPU; sdpa on a GPU: exact float32 products use no tensor cores)"
    )
    assert _said(one_tower(VIT), torch.bfloat16)["joint"] == (
        "packed, sdpa (no GPU; triton on a GPU: ragged rows)"
    )


def test_what_is_asked_for() -> None:
    said = _said(two_towers(WIDE["text"], DEIT, attention="eager"))
    assert said == {
        "text": "packed, eager (asked for)",
        "vision": "eager (asked for)",
        "cross": "packed, eager (asked for)",
    }
    cannot = "asked for, but not possible on a CPU, only on a GPU"
    assert cannot in _said(one_tower(VIT, attention="triton"))["joint"]


def test_what_keeps_its_own(tmp_path: Path) -> None:
    sizes = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    AutoConfig.for_model("mpnet", **sizes).save_pretrained(tmp_path)
    text = HuggingFace(id=str(tmp_path), max_tokens=8)
    said = _said(two_towers(text, SWIN, attention="auto", pool="mean"))
    assert said["text"] == "own attention, eager (`mpnet` offers no hook)"
    assert said["vision"] == "eager (rows of one length; its library has no fused one)"
    said = _said(two_towers(ELECTRA, SWIN, fusion=WIDE_FUSION, attention="triton", pool="mean"))
    assert said["vision"] == "own attention, eager (`swin_tiny_patch4_window7_224` offers no hook)"


def test_a_plan_carries_it() -> None:
    planned = plan(spec(two_towers(ELECTRA, VIT), precision="bf16"))
    used = planned.to_dict()["jobs"][0]["model"]["attention"]["text"]
    assert used["packed"] is True and used["own"] is False
    assert "attention of text: packed, " in text_of(planned)
    assert "attention of vision: sdpa (rows of one length)" in text_of(planned)


@pytest.mark.parametrize("part", ["plain", "library"])
def test_heads_that_no_kernel_takes_are_refused(part: str) -> None:
    small = {"layers": 1, "width": 16, "heads": 2, "max_tokens": 8}
    text: Any = PlainText(**small, vocabulary=64)
    if part == "library":
        text = RandomArchitecture(id="bert-base-uncased", **small)
    sentence = "`text`: `attention = triton`: fused attention takes heads 16 to 128 wide"
    with pytest.raises(CompileError, match=sentence):
        build(spec(two_towers(text, VISION, attention="triton")))
    assert build(spec(two_towers(text, VISION)))


def test_plans_do_not_need_the_machine_of_the_run() -> None:
    model = one_tower(VIT, attention="triton")
    assert plan(spec(model)).models[0].attention["joint"].implementation == "triton"

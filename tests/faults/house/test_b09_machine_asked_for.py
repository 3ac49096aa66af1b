"""A plan speaks of the machine that is asked for, and without one of none in particular."""

import pytest
import torch

from renaissance.compiler import plan
from renaissance.compiler.fusions.cross_attention.schema import CrossAttention
from renaissance.compiler.planning.machines import GPUS
from renaissance.render.plan import text_of
from tests.compiler.declarations import DEIT, ELECTRA, spec, two_towers

WIDE = {"text": ELECTRA.model_copy(update={"width": 64})}
WIDE_FUSION = CrossAttention(inputs=("text", "vision"), layers=1, width=32, heads=2)


def test_a_certain_machine_is_spoken_of_whatever_is_at_hand() -> None:
    model = two_towers(WIDE["text"], DEIT, fusion=WIDE_FUSION)
    declared = spec(model, precision="bf16")
    on_h100 = plan(declared, machine=GPUS["h100"]).jobs[0].model.attention
    assert {name: str(used) for name, used in on_h100.items()} == {
        "text": "packed, triton (ragged rows)",
        "vision": "sdpa (rows of one length)",
        "cross": "packed, triton (ragged rows)",
    }
    said = text_of(plan(declared, machine=GPUS["h100"]))
    assert "no GPU" not in said and "absorbs" not in said and "CPU" not in said
    on_t4 = plan(spec(model, precision="fp16"), machine=GPUS["t4"]).jobs[0].model.attention
    assert str(on_t4["text"]) == "packed, sdpa (fused attention needs a newer GPU)"


def test_without_a_machine_a_plan_depends_on_none(monkeypatch: pytest.MonkeyPatch) -> None:
    declared = spec(two_towers(WIDE["text"], DEIT, fusion=WIDE_FUSION))
    here = plan(declared).to_dict()
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert plan(declared).to_dict() == here
    said = here["models"][0]["attention"]["cross"]
    assert said["implementation"] == "triton" and not said["absorbs"]
    assert said["elsewhere"].startswith("sdpa on a CPU, where a stream absorbs")

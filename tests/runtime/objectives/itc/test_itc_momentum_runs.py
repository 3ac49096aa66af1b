"""Runs with a moving copy: it and its queue, however a step is cut, and when a run goes on."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from renaissance.compiler import build, plan
from renaissance.compiler.comparing import Rows
from renaissance.grammar.check import check
from renaissance.grammar.declaration import Share
from renaissance.grammar.schema.model import Freeze, Model
from renaissance.grammar.schema.spec import Spec
from renaissance.grammar.source import Source
from renaissance.runtime.checkpoint import MOMENTUM
from renaissance.runtime.errors import InterruptionError
from renaissance.runtime.objectives.itc.schema import Itc
from renaissance.runtime.objectives.mlm.schema import Mlm
from renaissance.runtime.precision import Precision
from renaissance.runtime.processes import Processes
from renaissance.runtime.training.momentum import Momentum
from tests.compiler.declarations import joined_by
from tests.compiler.test_planning import counted
from tests.runs import StopAt, last_bytes, notices, run_in_two, train
from tests.runtime.objectives.itc.test_itc_passes import comparison, experiment, two_passes
from tests.runtime.objectives.itc.test_itc_runs import OTHERS, same
from tests.tiny import tiny_fusion

MOVING = Itc(momentum=0.8, queue=24, soft_targets=0.4)
THAW = (Freeze(selectors=("vision",)), Freeze(selectors=("text",), until=Share(0.5)))
CPU = torch.device("cpu")


def kept(folder: Path, step: int, name: str = MOMENTUM) -> dict[str, Tensor]:
    return load_file(folder / f"base/checkpoints/step-{step:08d}" / name)


def bytes_of(folder: Path, step: int) -> bytes:
    return (folder / f"base/checkpoints/step-{step:08d}" / MOMENTUM).read_bytes()


def by_number(state: dict[str, Tensor]) -> Tensor:
    """Return the order of a queue by texts and images; passes sort their texts by length."""
    text, image = (state[f"itc/queue/{name}_number"] for name in ("text", "image"))
    return (text * 1000 + image).argsort(stable=True)


def copies(state: dict[str, Tensor]) -> dict[str, Tensor]:
    root = "itc/copy/"
    return {name.removeprefix(root): t for name, t in state.items() if name.startswith(root)}


def test_a_copy_follows_what_learns_and_is_no_part_of_the_model(
    tiny_spec: Callable[..., Spec], tmp_path: Path
) -> None:
    base = {"objectives": (Mlm(), MOVING), "batch": 12, "steps": 4}
    base |= {"checkpoint_every": 1, "keep": 99}
    spec = tiny_spec(freeze=THAW, base=base)
    train(spec, tmp_path, "base")
    start = build(spec, job="base")
    before = {name: part.detach() for name, part in start.named_parameters()}
    for step in range(1, 5):
        state, model = kept(tmp_path, step), kept(tmp_path, step, "model.safetensors")
        now = copies(state)
        assert {name.split(".")[1] for name in now} == {"itc"} | ({"text"} if step > 2 else set())
        for name, part in now.items():
            # What begins to learn is its own copy until then.
            torch.testing.assert_close(part, 0.8 * before[name] + 0.2 * model[name])
        before |= now
        assert len(state["itc/queue/text"]) == min(12 * step, 24)
        assert torch.allclose(state["itc/queue/image"].norm(dim=1), torch.ones(1))
        assert not any("copy" in name for name in model)


def as_blip(spec: Spec) -> Spec:
    """Return a spec whose texts are encoded alone by the layers that also read the image."""
    layers = tiny_fusion("asymmetric").model_copy(update={"unimodal": True})
    model = spec.models["tiny"].model_copy(update={"fusion": layers})
    return spec.model_copy(update={"models": {"tiny": model}})


def as_it_is(spec: Spec) -> Spec:
    return spec


@pytest.mark.parametrize(("shard", "form"), [("none", as_it_is), ("full", as_blip)])
def test_passes_and_processes_are_as_one_large_batch(
    shard: str, form: Callable[[Spec], Spec], tiny_spec: Callable[..., Spec], tmp_path: Path
) -> None:
    base: dict[str, Any] = {"objectives": (*OTHERS, MOVING), "batch": 12, "steps": 4}
    whole = form(tiny_spec(dropout=0.0, base={**base, "shard": shard}))
    cut = form(tiny_spec(dropout=0.0, base={**base, "shard": shard, "micro_batch": 3}))
    train(whole, tmp_path / "one", "base")
    train(cut, tmp_path / "four", "base")
    run_in_two(whole, tmp_path / "two", "base")
    run_in_two(cut, tmp_path / "both", "base")
    state = kept(tmp_path / "one", 4)
    for other in ("four", "two", "both"):
        same(tmp_path / "one", tmp_path / other, 4)
        theirs = kept(tmp_path / other, 4)
        assert theirs.keys() == state.keys()
        order, others = by_number(state), by_number(theirs)
        for name, part in state.items():
            mine, yours = part, theirs[name]
            if "queue" in name and part.dim():
                mine, yours = part[order], yours[others]
            torch.testing.assert_close(yours, mine, atol=2e-3, rtol=1e-3)


@pytest.mark.parametrize(("stop", "form"), [(1, as_it_is), (3, as_blip)])
def test_a_stopped_run_goes_on_bit_for_bit(
    stop: int, form: Callable[[Spec], Spec], tiny_spec: Callable[..., Spec], tmp_path: Path
) -> None:
    keys = {"objectives": (Mlm(), MOVING), "batch": 12, "micro_batch": 5, "steps": 5}
    spec = form(tiny_spec(dropout=0.1, freeze=THAW, base={**keys, "checkpoint_every": 5}))
    train(spec, tmp_path / "whole", "base")
    with pytest.raises(InterruptionError):
        train(spec, tmp_path / "parts", "base", observer=StopAt(stop))
    train(spec, tmp_path / "parts", "base")
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    assert last_bytes(whole, "base", 5) == last_bytes(parts, "base", 5)
    assert bytes_of(whole, 5) == bytes_of(parts, 5)


def test_a_damaged_copy_is_passed_over(tiny_spec: Callable[..., Spec], tmp_path: Path) -> None:
    keys = {"objectives": (MOVING,), "batch": 12, "steps": 4, "checkpoint_every": 1, "keep": 99}
    spec = tiny_spec(base=keys)
    with pytest.raises(InterruptionError):
        train(spec, tmp_path, "base", observer=StopAt(3))
    file = tmp_path / "base/checkpoints/step-00000003" / MOMENTUM
    file.write_bytes(file.read_bytes()[:-1] + b"!")
    train(spec, tmp_path, "base")
    assert any(MOMENTUM in text for text in notices(tmp_path, "base"))
    assert any("goes on after step 2" in text for text in notices(tmp_path, "base"))


def test_keys_do_not_depend_on_dropout_and_leave_the_model_as_it_is() -> None:
    objectives, batches = two_passes(experiment(MOVING.model_copy(update={"queue": 8})))
    names = dict(objectives.model.named_parameters())
    before = {name: part.detach().clone() for name, part in names.items()}
    momentum = Momentum(
        objectives, names, Precision("fp32", CPU), Processes(rank=0, ranks=1, device=CPU)
    )
    with torch.no_grad():
        for part in names.values():
            part.add_(1.0)
    first, again = (momentum.keys(lambda: batches)["itc"] for _ in range(2))
    assert first.rows == 8 and first.moving and torch.equal(first.text, again.text)
    assert objectives.training and all(
        torch.equal(part, before[name] + 1.0) for name, part in names.items()
    )
    momentum.update()
    assert momentum.keys(lambda: batches)["itc"].rows == 16
    for name, part in copies(momentum.state()).items():
        torch.testing.assert_close(part, before[name] + 0.2)
    with torch.no_grad():
        for name, part in names.items():
            part.copy_(before[name])
    objectives.eval()
    with torch.no_grad():
        plain = [objectives(batch, only_vectors=True)["itc"] for batch in batches]
    assert torch.equal(Rows.joined(plain).text, first.text)


@pytest.mark.parametrize(
    "model", [None, joined_by("asymmetric", unimodal=True)], ids=["towers", "BLIP"]
)
def test_what_is_planned_is_counted_when_it_runs_and_its_memory_too(model: Model | None) -> None:
    moving = MOVING.model_copy(update={"queue": 16})
    with_it, without = (
        plan(experiment(Mlm(), one, model=model), device="cpu").jobs[0] for one in (moving, Itc())
    )
    objectives, batches = two_passes(experiment(Mlm(), moving, model=model))
    names = dict(objectives.model.named_parameters())
    momentum = Momentum(
        objectives, names, Precision("fp32", CPU), Processes(rank=0, ranks=1, device=CPU)
    )
    for _ in range(2):  # a queue is full in most steps
        momentum.keys(lambda: batches)
        momentum.update()

    def run() -> list[Any]:
        keys = momentum.keys(lambda: batches)
        compare = comparison(objectives).beforehand(
            batches, Precision("fp32", CPU), torch.manual_seed, keys
        )
        scored = [objectives(*one) for one in zip(batches, compare, strict=True)]
        return [one.loss for each in scored for one in each.values()]

    found = counted(objectives.model, run)
    flops = with_it.model.flops_per_sample
    assert flops.training == pytest.approx((found.forward + found.backward) / 8, rel=1e-6)
    weights = sum(part.numel() for part in copies(momentum.state()).values())
    memory = with_it.stages[0].memory
    assert memory.momentum == 4 * weights + 2 * 16 * (4 * 256 + 8)
    assert without.stages[0].memory.momentum == 0
    assert with_it.checkpoint is not None and without.checkpoint is not None
    assert with_it.checkpoint.bytes - without.checkpoint.bytes == memory.momentum
    assert any("moving copy, of which a step leaves 0.8" in said for said in with_it.compares)
    gradients = [
        {one.address: one.gradient for one in job.model.components} for job in (with_it, without)
    ]
    assert gradients[0] == gradients[1]


SPEC = """
model tiny {
  backbone text   = plain_text { layers = 1, width = 64, heads = 4 }
  backbone vision = plain_vision { layers = 1, width = 64, heads = 4, image_size = 64 }
  fusion cross = cross_attention(text, vision) { layers = 1 }
  FREEZE
}
data shapes { format = easy_vqa }
pretrain base on tiny {
  data = [shapes]
  objective itc { KEYS }
  optimizer adamw { lr = 1e-3 }
  batch = 8
  steps = 4
}
"""


@pytest.mark.parametrize(
    ("keys", "freeze", "codes"),
    [
        ("momentum = 0.995", "", []),
        ("momentum = 0.995, queue = 64, soft_targets = 0.4", "freeze vision", ["VL205"]),
        ("queue = 64", "", ["VL546"]),
        ("soft_targets = 0.4", "", ["VL546"]),
        ("momentum = 0.9, queue = 4", "", ["VL546"]),
        ("momentum = 0.9, queue = 12", "", ["VL546"]),
        ("momentum = 0.9, loss = sigmoid", "", ["VL546"]),
        ("momentum = 1", "", ["VL405"]),
        ("momentum = 0.9", "freeze text, vision", ["VL205", "VL205", "VL506"]),
    ],
)
def test_what_check_says_of_it(keys: str, freeze: str, codes: list[str]) -> None:
    text = SPEC.replace("KEYS", keys).replace("FREEZE", freeze)
    found = check(Source(name="main.vl", text=text))
    assert [one.code for one in found if one.severity != "note"] == codes

"""Passes whose rows are compared with those of other passes: what they compute, and when."""

from typing import Any

import pytest
import torch

from renaissance.compiler import build, plan
from renaissance.compiler.comparing import Rows
from renaissance.compiler.expected import expected_of, shape_of
from renaissance.compiler.losses import Scored
from renaissance.compiler.step import Objectives
from renaissance.grammar.schema.jobs import Pretrain
from renaissance.grammar.schema.model import Model
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime.objectives.itc.schema import Itc
from renaissance.runtime.objectives.itm.schema import Itm
from renaissance.runtime.objectives.mlm.schema import Mlm
from renaissance.runtime.optimizers.adamw.schema import AdamW
from renaissance.runtime.precision import Precision
from renaissance.runtime.processes import Processes
from renaissance.runtime.training.comparing import Comparison
from tests.compiler.declarations import two_towers
from tests.compiler.test_planning import counted
from tests.compiler.test_step import made_of

CPU = torch.device("cpu")


def experiment(*objectives: Any, model: Model | None = None) -> Spec:
    job = Pretrain(
        name="learn",
        on="two",
        data=("pairs",),
        objectives=objectives,
        optimizer=AdamW(lr=1e-3),
        batch=8,
        micro_batch=4,
        steps=1,
    )
    return Spec(models={"two": model or two_towers()}, jobs={"learn": job})


def two_passes(spec: Spec) -> tuple[Objectives, list[Any]]:
    job: Any = spec.jobs["learn"]
    objectives = Objectives(build(spec, job="learn"), spec.models["two"], job)
    objectives.train()
    shape = shape_of(job, 4, 12)
    asked = expected_of(objectives.kinds, shape)
    torch.manual_seed(1)
    return objectives, [made_of(objectives, asked, shape) for _ in range(2)]


def comparison(objectives: Objectives) -> Comparison:
    return Comparison(objectives, Processes(rank=0, ranks=1, device=CPU))


@pytest.mark.parametrize("objectives", [(Itc(),), (Mlm(), Itm(draw="data"), Itc(loss="sigmoid"))])
def test_what_is_planned_of_two_passes_is_counted_when_they_run(objectives: Any) -> None:
    spec = experiment(*objectives)
    planned = plan(spec, device="cpu").jobs[0]
    asked, batches = two_passes(spec)

    def run() -> list[Any]:
        compare = comparison(asked).beforehand(batches, Precision("fp32", CPU), torch.manual_seed)
        scored = [asked(*one) for one in zip(batches, compare, strict=True)]
        return [one.loss for each in scored for one in each.values()]

    found = counted(asked.model, run)
    flops = planned.model.flops_per_sample
    assert flops.recomputed > 0
    assert flops.training == pytest.approx((found.forward + found.backward) / 8, rel=1e-6)
    assert any("computed twice" in sentence for sentence in planned.compares)


def test_both_forward_passes_drop_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    objectives, batches = two_passes(experiment(Mlm(), Itc()))
    seen: list[Rows] = []
    compared = Objectives.compared

    def note(self: Any, name: str, own: Rows, everything: Rows, first: int) -> Scored:
        seen.append(own)
        return compared(self, name, own, everything, first)

    monkeypatch.setattr(Objectives, "compared", note)
    compare = comparison(objectives).beforehand(batches, Precision("fp32", CPU), torch.manual_seed)
    again: list[Rows] = []

    def keep(name: str, own: Rows) -> Scored:
        again.append(own)
        return compare[(len(again) - 1) % 2](name, own)

    for number, batch in enumerate((*batches, batches[0])):
        torch.manual_seed(number)
        objectives(batch, keep)
    assert len(seen) == 2
    for one, other in zip(seen, again[:2], strict=True):
        assert torch.equal(one.text, other.text) and torch.equal(one.image, other.image)
    assert not torch.equal(again[2].text, again[0].text)  # there is something to drop

"""Budgets: what variants spend is equal to a step."""

import pytest

from renaissance.compiler import plan
from renaissance.compiler.planning.machines import find_gpu
from renaissance.grammar.composition.resolution import resolve
from renaissance.grammar.source import Source
from renaissance.grammar.study import Study
from renaissance.runtime.errors import UsageError
from renaissance.runtime.studies.budget import closest, within_budget
from renaissance.runtime.studies.data import Data
from renaissance.runtime.studies.expenses import unlike
from renaissance.runtime.studies.operations import Planned
from renaissance.runtime.studies.planning import plan_study
from renaissance.runtime.studies.stages import stages_of

FILE = """\
model tiny {
  backbone text   = plain_text { layers = 2, width = 64, heads = 4 }
  backbone vision = plain_vision { layers = 2, width = 64, heads = 4 }
  fusion cross = cross_attention(text, vision) { layers = 2, width = 64, heads = 4 }
}
data pairs { format = image_caption, table = "pairs.csv" }
pretrain base on tiny {
  data = [pairs]
  objective mlm
  objective itm
  optimizer adamw { lr = 1e-3 }
  batch = 8
  steps = 1000
}
finetune truth from base {
  task = nlvr { root = "nlvr" }
  optimizer adamw { lr = 1e-4 }
  batch = 8
  steps = 400
}
evaluate dev of truth { split = dev }
study s {
  of = [truth]
  seeds = [0, 1]
  budget = BUDGET
  factor freeze {
    none   { truth { model { freeze nothing } } }
    vision { truth { model { freeze vision } } }
    later  { truth { model { freeze vision until 50% } } }
  }
}
"""


def study(budget: str) -> Study:
    resolution = resolve(Source(name="a.vl", text=FILE.replace("BUDGET", budget)))
    assert resolution.studies, resolution.diagnostics
    return resolution.studies["s"]


def steps(study: Study, job: str) -> dict[str, int]:
    found = {}
    for cell in study.cells:
        if cell.seed == 0:
            found[cell.levels["freeze"]] = cell.spec.training_job(job).steps or 0
    return found


@pytest.fixture(scope="module")
def planned() -> Planned:
    """What jobs take on an H100, counted once for all tests."""
    return Planned(find_gpu("h100"))


@pytest.mark.parametrize("budget", ["flops", "time"])
def test_variants_spend_what_the_baseline_spends(budget: str, planned: Planned) -> None:
    equal = within_budget(study(budget), planned, Data())
    taken = steps(equal, "truth")
    assert taken["none"] == 400 < taken["later"] < taken["vision"]
    assert set(steps(equal, "base").values()) == {1000}

    def cost(levels: str, more: int = 0) -> float:
        cell = equal.cell({"freeze": levels}, 0)
        paces, total = planned.paces(cell.spec, "truth"), taken[levels] + more
        return paces.operations(total) if budget == "flops" else paces.seconds(total) or 0.0

    for variant in ("vision", "later"):
        a_step = cost(variant, 1) - cost(variant)
        assert abs(cost(variant) - cost("none")) <= a_step


def test_what_whole_steps_leave_of_a_budget_is_told() -> None:
    assert unlike("a", 651e6, "b", 730e6) == (
        "a: 11% fewer operations than b (651 MFLOP to 730 MFLOP)"
    )
    assert unlike("a", 101, "b", 100) is None


def test_steps_of_a_budget_are_part_of_the_stage(planned: Planned) -> None:
    plain, equal = study("steps"), within_budget(study("flops"), planned, Data())
    before, after = (set(stages_of(each.cells).distinct) for each in (plain, equal))
    # Pretrainings and the baseline stay: 2 + 2 × 2; what was frozen is trained for longer.
    assert len(before & after) == 6 and len(before) == len(after) == 14


def test_equal_steps_change_nothing(planned: Planned) -> None:
    declared = study("steps")
    assert within_budget(declared, planned, Data()).cells == declared.cells


def test_plans_of_the_spec_serve_its_studies() -> None:
    whole = study("steps").cells[0].spec
    spec = whole.model_copy(update={"jobs": {"base": whole.jobs["base"]}})
    alone, served, found = Planned(), Planned(), plan(spec)
    served.know(spec, found.jobs)
    assert served.paces(spec, "base") == alone.paces(spec, "base")
    assert served.paces(spec, "base").plan is found.jobs[0]


def test_time_is_of_a_machine() -> None:
    with pytest.raises(UsageError, match="--gpu NAME or --bench FILE"):
        within_budget(study("time"), Planned(), Data())


@pytest.mark.parametrize("wanted", [0.0, 1.0, 14.9, 15.1, 1e6])
def test_the_closest_number_of_steps(wanted: float) -> None:
    def cost(steps: int) -> float:
        return 10.0 * steps

    found = closest(cost, wanted)
    assert found >= 1
    assert all(
        abs(cost(found) - wanted) <= abs(cost(n) - wanted) for n in (found + 1, max(found - 1, 1))
    )


def test_a_plan_counts_shared_stages_once(planned: Planned) -> None:
    plan = plan_study(study("steps"), planned, Data(), price=2.0)
    assert len(plan.stages) == 14 and plan.unshared == 18
    shared = [stage for stage in plan.stages if len(stage.cells) > 1]
    assert [stage.kind for stage in shared] == ["pretrain", "pretrain"]
    assert [len(stage.cells) for stage in shared] == [3, 3]
    # There are no data here: what an evaluation measures cannot be counted, and that is said.
    assert plan.unknown and plan.total("operations") is None
    trained = [stage for stage in plan.stages if stage.kind != "evaluate"]
    for stage in trained:
        assert stage.operations and stage.seconds and stage.price is not None
        assert stage.price == pytest.approx(2.0 * stage.seconds / 3600)
    one, other = (s.operations for s in trained if s.kind == "pretrain")
    assert one == other

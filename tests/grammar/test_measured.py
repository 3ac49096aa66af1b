"""What metrics are: which way is better, their unit and their range, as each kind says."""

import pytest

from renaissance.grammar.kinds.data import LOSS, TaskBlock
from renaissance.grammar.kinds.objective import ObjectiveBlock
from renaissance.grammar.kinds.quantity import CORRELATION, PLAIN, SHARE, Quantity, quantity
from renaissance.grammar.kinds.registry import Kinds
from renaissance.grammar.measured import other_question, quantity_of
from renaissance.grammar.schema.jobs import Evaluate
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime.objectives.itc.schema import Itc
from renaissance.runtime.objectives.itm.schema import Itm
from renaissance.runtime.objectives.mlm.schema import Mlm
from renaissance.runtime.tasks.glue.schema import Glue
from renaissance.runtime.tasks.regress.schema import Regress
from renaissance.runtime.tasks.retrieval.schema import Retrieval
from tests.tiny import tiny_experiment

GLUE = ("cola", "mrpc", "stsb")


def learning(*objectives: ObjectiveBlock, batch: int = 16) -> Spec:
    spec = tiny_experiment("nowhere", base={"objectives": objectives})
    held = Evaluate(name="held", of="base", split="validation", batch=batch)
    return spec.model_copy(update={"jobs": {**spec.jobs, "held": held}})


def measuring(task: TaskBlock) -> Spec:
    spec = learning(Mlm())
    job = Evaluate(name="held", of="base", task=task)
    return spec.model_copy(update={"jobs": {**spec.jobs, "held": job}})


def test_every_metric_of_every_kind_is_known() -> None:
    """A number of which nothing is known has no range and no unit: none of ours is one."""
    found: dict[str, Quantity] = {}
    for kind in Kinds(TaskBlock).values():
        block = [Glue(root="", subtask=task) for task in GLUE] if kind is Glue else [kind]
        for one in block:
            for name in (one.metric, *one.metrics, *one.reported):
                found[f"{kind.word()} {name}"] = quantity(name, one.quantities)
    for objective in Kinds(ObjectiveBlock).values():
        for name in (objective.metric, *objective.further_metrics):
            found[f"{objective.word()} {name}"] = quantity(name, objective.quantities)
    assert [name for name, one in found.items() if one == PLAIN] == []
    less = {name.split()[1] for name, one in found.items() if one.less_is_better}
    sides = ("text", "image")
    ranks = {f"{side}_{name}_rank" for side in sides for name in ("mean", "median")}
    assert less == {*ranks, "rmse"}


@pytest.mark.parametrize("metric", [LOSS, "mlm", "itm", "itc"])
def test_of_each_loss_less_is_better(metric: str) -> None:
    spec = learning(Mlm(), Itm(), Itc())
    assert quantity_of(spec, "held", metric).less_is_better
    assert quantity_of(spec, "held", f"{metric}_accuracy") == SHARE


def test_tasks_say_what_they_measure() -> None:
    search = measuring(Retrieval(root="nowhere"))
    for name in ("text_mean_rank", "image_median_rank", "image_mean_rank.1k"):
        assert quantity_of(search, "held", name).less_is_better
    assert quantity_of(search, "held", "text_r@5.1k") == SHARE
    numbers = measuring(Regress(train="a.csv", test="a.csv"))
    assert quantity_of(numbers, "held", "rmse.kind=old").less_is_better
    assert quantity_of(numbers, "held", "pearson") == CORRELATION
    assert quantity_of(numbers, "held", "negative_squared_error").high == 0


def test_without_a_spec_the_name_tells_what_it_can() -> None:
    assert quantity_of(None, "held", LOSS).less_is_better
    assert quantity_of(None, "held", "accuracy.yes/no") == SHARE
    assert quantity_of(None, "held", "mean_rank") == PLAIN


def test_steps_are_those_of_rows() -> None:
    search = measuring(Retrieval(root="nowhere"))
    assert quantity_of(search, "held", "text_r@5").steps(50) == 0.02
    assert quantity_of(search, "held", "text_median_rank").steps(50) == 0.5
    assert quantity_of(search, "held", LOSS).steps(50) == 0
    assert SHARE.steps(None) == 0


@pytest.mark.parametrize(
    ("one", "other", "metric", "reason"),
    [
        (
            learning(Mlm(), Itc()),
            learning(Mlm(), Itm()),
            LOSS,
            "it is measured by `itc` and `mlm`, not by `itm` and `mlm`",
        ),
        (learning(Mlm(), Itc()), learning(Mlm(), Itm()), "mlm_accuracy", ""),
        (learning(Mlm(), Itm()), learning(Itm(), Mlm()), LOSS, ""),
        (
            learning(Mlm(whole_word=False)),
            learning(Mlm()),
            "mlm",
            "`whole_word` of mlm is false, not true",
        ),
        (learning(Mlm(decoder="tied")), learning(Mlm()), "mlm", ""),
        (
            learning(Mlm(weight=0.5), Itm()),
            learning(Mlm(), Itm()),
            LOSS,
            "`weight` of mlm is 0.5, not 1.0",
        ),
        (learning(Mlm(weight=0.5), Itm()), learning(Mlm(), Itm()), "mlm", ""),
        (
            learning(Itc(), batch=64),
            learning(Itc()),
            "itc",
            "it compares the rows of a batch of 64, not of 16",
        ),
        (learning(Mlm(), batch=64), learning(Mlm()), "mlm", ""),
    ],
)
def test_values_are_compared_where_they_answer_one_question(
    one: Spec, other: Spec, metric: str, reason: str
) -> None:
    assert other_question(one, other, "held", metric) == reason
    assert other_question(one, None, "held", metric) == ""

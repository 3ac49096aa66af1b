"""What an evaluation of all pairs is planned to compute, and what a head is said to start from."""

import pytest

from renaissance.compiler import plan
from renaissance.grammar.schema.jobs import Evaluate, Finetune, Pretrain
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime.formats.easy_vqa.schema import EasyVqaPairs
from renaissance.runtime.objectives.itm.schema import Itm
from renaissance.runtime.objectives.mlm.schema import Mlm
from renaissance.runtime.optimizers.adamw.schema import AdamW
from renaissance.runtime.tasks.retrieval.schema import Retrieval
from tests.tiny import tiny_model


def planned(task: Retrieval, *objectives: Itm | Mlm, split: str = "test") -> Spec:
    base = Pretrain(
        name="base",
        on="tiny",
        data=("pairs",),
        objectives=objectives or (Itm(),),
        optimizer=AdamW(lr=1e-3),
        batch=8,
        steps=1,
    )
    learn = Finetune(
        name="learn",
        on="tiny",
        source="base",
        task=task,
        optimizer=AdamW(lr=1e-3),
        batch=8,
        steps=1,
    )
    exam = Evaluate(name="exam", of="learn", split=split, batch=16)
    return Spec(
        models={"tiny": tiny_model()},
        data={"pairs": EasyVqaPairs(root="")},
        jobs={"base": base, "learn": learn, "exam": exam},
    )


def test_towers_count_once_and_the_fusion_once_a_pair() -> None:
    base, _, exam = plan(planned(Retrieval(root="")), tokens=10).jobs
    assert base.search is None and exam.search is not None
    search = exam.search
    assert (search.images, search.texts, search.pairs) == (5000, 25010, 125_050_000)
    one = exam.model.flops_per_sample.forward
    # A pass of the plan has one text, one image and one pair for each sample.
    assert search.plain == pytest.approx(125_050_000 * one, rel=1e-3)
    assert search.encoding + search.joining < search.plain
    pair = search.joining / search.pairs
    assert search.encoding < 30_010 * (one - pair)
    assert exam.run.steps == -(-125_050_000 // 16)


def test_candidates_bound_what_is_scored_in_full() -> None:
    few = plan(planned(Retrieval(root="", best=256)), tokens=10).jobs[2].search
    assert few is not None and few.pairs == 256 * 30_010
    flickr = plan(planned(Retrieval(root="", set="flickr30k")), tokens=10).jobs[2].search
    assert flickr is not None and flickr.pairs == 1000 * 5000
    assert plan(planned(Retrieval(root=""), split="train"), tokens=10).jobs[2].search is None


@pytest.mark.parametrize(
    ("objectives", "sentence"),
    [
        ((Mlm(), Itm()), "starts from output 1 of the head `itm` of job `base`"),
        ((Mlm(),), "starts from random weights"),
    ],
)
def test_the_plan_says_what_the_head_starts_from(
    objectives: tuple[Itm | Mlm, ...], sentence: str
) -> None:
    base, learn, exam = plan(planned(Retrieval(root=""), *objectives), tokens=10).jobs
    assert learn.begins == (
        "`text`, `vision`, `cross` start from the weights of job `base`",
        f"the head `answer` {sentence}",
    )
    assert base.begins == exam.begins == ()

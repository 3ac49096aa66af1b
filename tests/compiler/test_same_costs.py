"""Jobs that cost the same are planned once, and are told apart where they do not."""

from pathlib import Path

import pytest

from renaissance.compiler import plan
from renaissance.compiler.planning import plans
from renaissance.compiler.planning.same_costs import same_costs
from renaissance.files import find_spec
from renaissance.grammar.declaration import Share
from renaissance.grammar.loading import load
from renaissance.grammar.schema.model import Freeze
from renaissance.render.plan import text_of

PRETRAIN = """
pretrain {name} on tiny {{
  data = [shapes]
  objective itc
  optimizer adamw {{ lr = 1e-3 }}
  batch = 8
  micro_batch = 4
  steps = 4
  average = 0.9
  seed = {seed}
}}
evaluate validation_of_{name} of {name} {{ split = validation }}
evaluate search_with_{name} of {name} {{
  split = test
  task = retrieval {{ root = "coco" }}
}}
"""
SPEC = """
model tiny {
  backbone text   = plain_text { layers = 1, width = 32, heads = 2 }
  backbone vision = plain_vision { layers = 1, width = 32, heads = 2, image_size = 32 }
  fusion cross = cross_attention(text, vision) { layers = 1 }
}
data shapes { format = easy_vqa }
"""


@pytest.mark.parametrize(
    ("name", "keys", "length", "same"),
    [
        ("dev", {"split": "test"}, True, True),
        ("dev", {"write": "dev.jsonl"}, True, True),
        ("dev", {"batch": 7}, True, False),
        ("base", {"seed": 7}, True, True),
        ("base", {"epochs": 7}, True, False),
        ("base", {"epochs": 7}, False, True),
        ("base", {"batch": 7}, False, False),
    ],
)
def test_what_costs_the_same(name: str, keys: dict[str, object], length: bool, same: bool) -> None:
    spec = load(find_spec("nlvr"))
    job = spec.jobs[name].model_copy(update=keys)
    other = spec.model_copy(update={"jobs": {**spec.jobs, name: job}})
    assert other != spec
    found = {same_costs(each, name, length=length) for each in (spec, other)}
    assert (len(found) == 1) is same


@pytest.mark.parametrize(
    ("until", "steps", "same"),
    [
        ((None,), (100, 5000), True),
        ((Share(0.5),), (100, 5000), True),
        ((Share(0.5),), (1, 5000), False),  # half of a step is none
        ((1000,), (2000, 5000), True),
        ((1000,), (100, 5000), False),
        ((1000, Share(0.5)), (1500, 5000), False),
        ((1000, Share(0.5)), (4000, 5000), True),
    ],
)
def test_lengths_count_where_they_have_other_stages(
    until: tuple[Share | int | None, ...], steps: tuple[int, ...], same: bool
) -> None:
    spec = load(find_spec("nlvr"))
    freeze = tuple(
        Freeze(selectors=(stream,), until=end)
        for stream, end in zip(("text", "vision"), until, strict=False)
    )
    model = spec.model_of("base").model_copy(update={"freeze": freeze})
    found = set()
    for length in steps:
        job = spec.jobs["base"].model_copy(update={"steps": length, "epochs": None})
        changes = {"jobs": {**spec.jobs, "base": job}, "job_models": {"base": model}}
        found.add(same_costs(spec.model_copy(update=changes), "base", length=False))
    assert (len(found) == 1) is same


def test_a_plan_is_the_same_where_each_job_is_planned_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "main.vl"
    jobs = (PRETRAIN.format(name=name, seed=seed) for seed, name in enumerate(("one", "two")))
    file.write_text(SPEC + "".join(jobs))
    spec = load(file)
    texts = {"one": 100, "validation_of_two": 10}
    shared = plan(spec, texts=texts)
    monkeypatch.setattr(plans, "same_costs", lambda spec, name, *, length: name)
    alone = plan(spec, texts=texts)
    assert shared.to_dict() == alone.to_dict()
    assert text_of(shared) == text_of(alone)
    found = {job.name: job for job in shared.jobs}
    assert list(found) == list(spec.jobs)
    # Rows are compared in the batches of the pretraining's own validations.
    assert found["validation_of_one"].batch == 4
    assert "--texts validation_of_one=N" in found["validation_of_one"].run.missing
    assert found["validation_of_two"].run.steps == 3
    assert "of `two`" in (found["validation_of_two"].average or "")
    # How many pairs there are is known of a published split.
    assert found["search_with_one"].run.steps is not None

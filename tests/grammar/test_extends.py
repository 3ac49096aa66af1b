"""Jobs that copy the keys of other jobs, and that start from their weights."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from renaissance.grammar.canonical import print_spec
from renaissance.grammar.composition.resolution import Resolution, resolve
from renaissance.grammar.schema.jobs import Finetune, Pretrain
from renaissance.grammar.schema.spec import Spec
from renaissance.grammar.source import Source

MODELS = """\
model tiny {
  backbone text   = plain_text { layers = 2, width = 64, heads = 4 }
  backbone vision = plain_vision { layers = 2, width = 64, heads = 4 }
  fusion cross = cross_attention(text, vision)
}
model frozen extends tiny { freeze vision }
data pairs { format = image_caption, table = "pairs.csv" }
"""
BASE = """\
pretrain base on tiny {
  data = [pairs]
  objective mlm { probability = 20% }
  objective itm
  optimizer adamw { lr = 1e-3, weight_decay = 0.1 }
  scale_lr { text = 2, cross = 3 }
  batch = 8
  steps = 100
}
"""


def resolved(text: str) -> Resolution:
    return resolve(Source(name="here.vl", text=MODELS + text))


def spec_of(text: str) -> Spec:
    resolution = resolved(text)
    assert resolution.spec is not None, resolution.diagnostics
    return resolution.spec


def pretraining(spec: Spec, name: str) -> Pretrain:
    job = spec.jobs[name]
    assert isinstance(job, Pretrain)
    return job


def codes(text: str) -> list[str]:
    return [finding.code for finding in resolved(text).diagnostics if finding.severity == "error"]


def test_a_job_runs_on_another_model_with_the_same_keys() -> None:
    spec = spec_of(BASE + "pretrain other extends base on frozen")
    other, base = pretraining(spec, "other"), pretraining(spec, "base")
    assert other.on == "frozen"
    assert other.model_copy(update={"name": "base", "on": "tiny"}) == base


def test_blocks_of_the_same_kind_keep_the_keys_that_are_not_stated() -> None:
    job = pretraining(
        spec_of(
            BASE
            + "pretrain b extends base { optimizer adamw { lr = 2e-3 }, scale_lr { text = 4 } }"
        ),
        "b",
    )
    assert job.optimizer.model_dump(mode="json")["weight_decay"] == 0.1
    assert job.optimizer.lr == 2e-3  # type: ignore[attr-defined]
    assert job.scale_lr == {"text": 4, "cross": 3}


def test_factors_of_the_fusion_go_by_either_name() -> None:
    spec = spec_of(
        BASE
        + "pretrain b extends base { scale_lr { fusion = 7 } }\n"
        + "pretrain c extends b { scale_lr { cross = 9 } }"
    )
    assert pretraining(spec, "b").scale_lr["cross"] == 7
    assert pretraining(spec, "c").scale_lr["cross"] == 9
    twice = BASE.replace("cross = 3", "cross = 3, fusion = 4")
    assert codes(twice + "pretrain b extends base") == ["VL402"]


def test_a_block_of_another_kind_takes_the_place() -> None:
    job = pretraining(spec_of(BASE + "pretrain b extends base { optimizer sgd { lr = 1 } }"), "b")
    assert job.optimizer.word() == "sgd"


def test_objectives_change_by_kind_and_can_be_left_out() -> None:
    text = (
        BASE
        + "pretrain b extends base { objective mlm { whole_word = true }, objective itm = none }"
    )
    [objective] = pretraining(spec_of(text), "b").objectives
    assert (objective.word(), objective.probability, objective.whole_word) == (  # type: ignore[attr-defined]
        "mlm",
        0.2,
        True,
    )


def test_epochs_take_the_place_of_steps() -> None:
    job = pretraining(spec_of(BASE + "pretrain b extends base { epochs = 2 }"), "b")
    assert (job.steps, job.epochs) == (None, 2)


def test_overrides_of_models_add_up() -> None:
    text = BASE + (
        "pretrain b extends base { model { cross.layers = 3 } }\n"
        "pretrain c extends b { model { cross.dropout = 0.5 } }"
    )
    fusion = spec_of(text).model_of("c").fusion.model_dump()
    assert (fusion["layers"], fusion["dropout"]) == (3, 0.5)


def test_keys_of_inherited_blocks_are_set_by_address() -> None:
    text = (
        BASE
        + "pretrain b extends base {\n"
        + "optimizer.lr = 5, objective.mlm.probability = 30%, model.pool = mean }"
    )
    spec = spec_of(text)
    job = pretraining(spec, "b")
    assert job.optimizer.lr == 5  # type: ignore[attr-defined]
    assert job.objectives[0].probability == 0.3  # type: ignore[attr-defined]
    assert spec.model_of("b").pool == "mean"


def test_named_blocks_serve_several_jobs() -> None:
    text = (
        "let fast = adamw { lr = 1e-3, weight_decay = 0.1 }\n"
        "let masked = mlm { probability = 20% }\nlet slow_end = linear { warmup = 5% }\n"
        "pretrain base on tiny {\n  data = [pairs]\n  objective masked\n"
        "  optimizer fast { lr = 2e-3 }\n"
        "  schedule slow_end\n  batch = 8\n  steps = 100\n}\n"
    )
    job = pretraining(spec_of(text), "base")
    assert job.optimizer.model_dump(mode="json")["weight_decay"] == 0.1
    assert job.optimizer.lr == 2e-3  # type: ignore[attr-defined]
    assert job.objectives[0].probability == 0.2  # type: ignore[attr-defined]
    assert job.schedule.warmup == 0.05  # type: ignore[attr-defined]


def test_a_pretraining_starts_from_another_one() -> None:
    text = BASE + "pretrain more extends base from base { steps = 5 }"
    spec = spec_of(text)
    job = pretraining(spec, "more")
    assert (job.source, job.on, job.steps) == ("base", "tiny", 5)
    again = resolve(Source(name="again.vl", text=print_spec(spec)))
    assert again.spec is not None
    assert again.spec.hash == spec.hash
    assert again.spec.jobs == spec.jobs


def test_a_source_is_a_part_of_what_a_pretraining_is() -> None:
    alone = spec_of(BASE + "pretrain more extends base { steps = 5 }")
    following = spec_of(BASE + "pretrain more extends base from base { steps = 5 }")
    assert alone.hash != following.hash
    assert "source" not in alone.job_identity("more")


def test_evaluations_and_fine_tunings_extend_too() -> None:
    text = BASE + (
        'finetune a from base { task = nlvr { root = "." }, optimizer adamw { lr = 1 }\n'
        "batch = 2, steps = 3 }\n"
        "finetune b extends a from base { task.validation = 7% }\n"
        "evaluate dev of a { split = dev, batch = 3 }\nevaluate dev_b extends dev of b\n"
    )
    spec = spec_of(text)
    job = spec.jobs["b"]
    assert isinstance(job, Finetune)
    assert (job.source, job.batch) == ("base", 2)
    assert spec.jobs["dev_b"].model_dump()["batch"] == 3
    assert spec.training_job("dev_b").name == "b"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("pretrain b extends missing", ["VL104"]),
        ("pretrain b extends b", ["VL107"]),
        ("finetune b extends base", ["VL503"]),
        ("pretrain b extends base { objective mim = none }", ["VL108"]),
        ("pretrain b extends base { optimizr.lr = 3 }", ["VL108"]),
        ("pretrain b extends base { model { crss.layers = 3 } }", ["VL108"]),
        ("pretrain b extends base extends base", ["VL410"]),
        ("pretrain b from b { data = [pairs] }", ["VL502"]),
    ],
)
def test_mistakes_are_said_once(text: str, expected: list[str]) -> None:
    found = codes(BASE + text)
    assert found[:1] == expected or expected[0] in found
    assert len(found) == len(set(found))


KEYS = {
    "batch": st.integers(2, 999),
    "seed": st.integers(0, 99),
    "clip": st.floats(0.1, 9).map(lambda number: round(number, 3)),
    "precision": st.sampled_from(["fp32", "bf16"]),
    "steps": st.integers(1, 999),
}


@settings(deadline=None)
@given(st.fixed_dictionaries({}, optional=KEYS))
def test_extending_is_writing_it_out(keys: dict[str, object]) -> None:
    body = "\n".join(f"  {key} = {value}" for key, value in keys.items())
    inherited = spec_of(BASE + f"pretrain b extends base {{\n{body}\n}}")
    kept = [line for line in BASE.splitlines()[1:-1] if line.split()[0] not in keys]
    written = spec_of(BASE + "pretrain b on tiny {\n" + "\n".join(kept) + f"\n{body}\n}}")
    assert inherited.hash == written.hash
    assert inherited.jobs == written.jobs


def test_shipped_specs_do_not_repeat_jobs() -> None:
    for path in sorted(Path("specs").glob("*.vl")):
        bodies = [
            block.partition("{\n")[2]
            for block in path.read_text(encoding="utf-8").split("\n\n")
            if block.startswith(("pretrain", "finetune")) and "{\n" in block
        ]
        assert len(bodies) == len(set(bodies)), path


def test_none_takes_back_what_may_be_absent() -> None:
    text = BASE.replace("batch = 8", "batch = 8, micro_batch = 4, average = 0.9")
    text = text.replace("objective itm", "objective itc { momentum = 0.9, width = 32 }")
    spec = spec_of(
        text
        + "pretrain plain extends base { micro_batch = none, average = none\n"
        + "  objective itc { momentum = none, width = none } }\n"
        + "pretrain passes extends base { steps = none, epochs = 2 }\n"
    )
    said, plain, passes = (pretraining(spec, name) for name in ("base", "plain", "passes"))
    assert (said.micro_batch, said.average, plain.micro_batch, plain.average) == (
        4,
        0.9,
        None,
        None,
    )
    assert {"momentum": None, "width": None}.items() <= plain.objectives[1].model_dump().items()
    assert (passes.steps, passes.epochs) == (None, 2)
    assert "average" not in print_spec(spec).partition("pretrain plain")[2].partition("}")[0]


def test_none_of_what_has_to_be_there_is_no_value() -> None:
    for key, code in (("batch", "VL404"), ("steps", "VL501")):
        found = resolved(f"{BASE}pretrain other extends base {{ {key} = none }}\n").diagnostics
        assert [one.code for one in found if one.severity == "error"] == [code]


def test_what_is_inherited_and_cannot_be_learned_names_the_job_that_inherits_it() -> None:
    apart = "model apart extends tiny { fusion cross = dual_encoder(text, vision) }\n"
    text = f"{apart}{BASE}pretrain other extends base on apart\n"
    [finding] = [found for found in resolved(text).diagnostics if found.code == "VL530"]
    assert "objective itm" in finding.span.text
    assert [label.span.text for label in finding.related] == ["other"]
    assert finding.help[0] == "write `objective itm = none` in `other`"
    alone = resolved(apart + BASE.replace("on tiny", "on apart"))
    [finding] = [found for found in alone.diagnostics if found.code == "VL530"]
    assert not finding.related


@pytest.mark.parametrize(
    ("more", "code", "heirs"),
    [
        ("pretrain more extends base { steps = 20 }", "VL506", ["more"]),
        ("pretrain more extends base { batch = 2 }", "VL508", ["more"]),
        ("pretrain more extends base { model { freeze text } }", "VL506", ["more"]),
        ("pretrain more extends base { validation = 0% }", "VL506", ["more"]),
        (
            "pretrain more extends base { steps = 20 }\npretrain most extends more",
            "VL506",
            ["more", "most"],
        ),
        ("model big extends tiny { text.width = 66 }", "VL303", ["big"]),
        (
            "pretrain more extends base { model { vision.width = 66 } }",
            "VL303",
            ["more"],
        ),
        ("pretrain more extends base { optimizer.lr = 3 }", "VL519", []),
        ("pretrain more extends base { micro_batch = 20 }", "VL508", []),
    ],
)
def test_a_finding_about_what_is_inherited_names_who_inherits(
    more: str, code: str, heirs: list[str]
) -> None:
    base = BASE.replace("steps = 100", "steps = 100\n  validate_every = 50, micro_batch = 4")
    found = [one for one in resolved(base + more).diagnostics if one.code == code]
    assert len(found) == 1
    said = [label for label in found[0].related if label.text.endswith("inherits it")]
    assert [label.span.text for label in said] == heirs


def test_what_is_wrong_where_it_stands_is_said_of_nobody_else() -> None:
    base = BASE.replace("batch = 8", "batch = 2, micro_batch = 4")
    for text in (base + "pretrain more extends base", "pretrain more extends base\n" + base):
        [finding] = [one for one in resolved(text).diagnostics if one.code == "VL508"]
        assert not any(label.text.endswith("inherits it") for label in finding.related)

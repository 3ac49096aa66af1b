"""Studies: grids of variants, each a whole spec, that differ in what their factors say."""

import pytest

from renaissance.grammar.composition.resolution import Resolution, resolve
from renaissance.grammar.formatter import format_source
from renaissance.grammar.source import Source
from renaissance.grammar.study import Study

FILE = """\
let rate = 1e-3

model tiny {
  backbone text   = plain_text { layers = 2, width = 64, heads = 4 }
  backbone vision = plain_vision { layers = 2, width = 64, heads = 4 }
  fusion cross = cross_attention(text, vision) { layers = 2, width = 64, heads = 4 }
}

model deep extends tiny { cross.layers = 4 }

data pairs { format = image_caption, table = "pairs.csv" }

pretrain base on tiny {
  data = [pairs]
  objective mlm
  objective itm
  optimizer adamw { lr = rate }
  batch = 8
  steps = 100
}

finetune truth from base {
  task = nlvr { root = "nlvr" }
  optimizer adamw { lr = 1e-4 }
  batch = 8
  epochs = 3
}

evaluate dev of truth { split = dev }
evaluate kept of base { split = validation }
pretrain alone extends base { seed = 9 }
"""
FREEZE = """\
factor freeze {
  none   { model { freeze nothing } }
  norms  { model { freeze norm } }
  biases { model { freeze bias } }
}
"""

RATES = "factor rate { slow { rate = 1e-4 }, fast { rate = 1e-2 } }"


def resolved(*members: str, file: str = FILE, **settings: str) -> Resolution:
    body = "\n".join(("of = [truth]", *members))
    return resolve(Source(name="a.vl", text=f"{file}\nstudy s {{\n{body}\n}}\n"), settings=settings)


def study(*members: str, **settings: str) -> Study:
    resolution = resolved(*members, **settings)
    assert resolution.studies, resolution.diagnostics
    return resolution.studies["s"]


def found(*members: str) -> list[str]:
    codes = [finding.code for finding in resolved(*members).diagnostics]
    return [code for code in codes if code != "VL110"]


def test_a_study_runs_what_its_jobs_start_from_and_their_evaluations() -> None:
    assert study(FREEZE).jobs == ("base", "truth", "dev")


def test_metrics_are_those_of_the_task_that_an_evaluation_states() -> None:
    named = FILE.replace("objective itm", "objective itm\n  objective itc") + (
        'evaluate found of base { task = retrieval { root = "." } }'
    )
    metrics = '"text_r@1", image_mean_rank, "found.text_r@10", itm_accuracy, itm, itc, loss'
    for report, codes in (
        (f"[{metrics}]", []),
        ("[text_r1]", ["VL525"]),
        ("[accuracy]", ["VL525"]),
    ):
        text = f"{named}\nstudy s {{\nof = [base]\nreport = {report}\nseeds = [0, 1]\n}}\n"
        found = resolve(Source(name="a.vl", text=text))
        assert [one.code for one in found.diagnostics if one.code == "VL525"] == codes


def test_a_checkpoint_of_retrieval_is_selected_by_what_a_row_is_worth() -> None:
    tune = FILE.replace('nlvr { root = "nlvr" }', 'retrieval { root = "." }\n  select = "text_r@1"')
    findings = resolve(Source(name="a.vl", text=tune)).diagnostics
    [one] = [one for one in findings if one.code == "VL525"]
    assert one.message == "`text_r@1` is not measured while task `retrieval` is learned"
    assert "every image with every text" in one.notes[1]


def test_cells_are_a_grid_seed_by_seed() -> None:
    grid = study(
        FREEZE, "factor rate { slow { rate = 1e-4 }, fast { rate = 1e-2 } }\nseeds = [3, 4]"
    )
    names = [cell.name for cell in grid.cells]
    assert len(names) == len(set(names)) == 12
    assert names[:2] == ["freeze=none/rate=slow/seed=3", "freeze=none/rate=fast/seed=3"]
    assert names[6] == "freeze=none/rate=slow/seed=4"
    assert len({cell.spec.hash for cell in grid.cells}) == 12
    assert grid.baseline == {"freeze": "none", "rate": "slow"}


def test_a_cell_is_the_spec_of_the_edited_file() -> None:
    [cell] = [cell for cell in study(FREEZE, "seeds = 5").cells if cell.levels["freeze"] == "norms"]
    edited = (
        FILE.partition("evaluate kept")[0]
        .replace("  steps = 100\n", "  steps = 100\n  seed = 5\n  model { freeze norm }\n")
        .replace("  epochs = 3\n", "  epochs = 3\n  seed = 5\n")
    )
    spec = resolve(Source(name="edited.vl", text=edited)).spec
    assert spec is not None
    assert cell.spec.hash == spec.hash
    assert cell.spec.model_of("truth") == cell.spec.model_of("base")


def test_only_and_except_take_cells_out() -> None:
    grid = study(
        FREEZE, RATES, "only { freeze = [none, norms] }\nexcept { freeze = norms, rate = fast }"
    )
    assert [cell.variant for cell in grid.cells] == [
        "freeze=none/rate=slow",
        "freeze=none/rate=fast",
        "freeze=norms/rate=slow",
    ]


@pytest.mark.parametrize(
    ("level", "other", "job", "key"),
    [
        ("base.batch = 16", "base { batch = 32 }", "base", "batch"),
        ("base.model = tiny", "model = deep", "base", "on"),
        ("truth.task.validation = 10%", "truth.task.validation = 20%", "truth", "task.validation"),
        (
            "base { optimizer sgd { lr = 1 } }",
            "base { optimizer adamw { lr = 1 } }",
            "base",
            "optimizer",
        ),
        ("base { objective itm }", "base { objective itm = none }", "base", "objective.itm"),
        ("tiny.cross.layers = 1", "tiny { fusion cross { layers = 3 } }", "tiny", "cross.layers"),
        ('pairs.caption = "a"', 'pairs { caption = "b" }', "base", ""),
    ],
)
def test_levels_change_jobs_models_data_and_tasks(
    level: str, other: str, job: str, key: str
) -> None:
    two = study(f"factor f {{ one {{ {level} }}, two {{ {other} }} }}")
    difference = two.difference(two.cells[1])
    changed = [change.address for b in difference.blocks if b.name == job for change in b.changes]
    assert difference.blocks
    assert not key or key in changed
    assert two.difference(two.cells[0]).blocks == ()


def test_settings_reach_a_study() -> None:
    assert study(FREEZE, **{"s.seeds": "[7]", "base.batch": "9"}).cells[0].name.endswith("seed=7")
    assert (
        study(FREEZE, **{"base.batch": "9"}).cells[0].spec.jobs["base"].model_dump()["batch"] == 9
    )


@pytest.mark.parametrize(
    ("members", "codes"),
    [
        ("factor f { a { base.batch = 2 }, b { base.batch = 3, base.clip = 2 } }", ["VL601"]),
        ("factor f { a { base.batch = 2 }, b { base.clip = 2 } }", ["VL601"]),
        ("factor f { a { }, b { base.clip = 2 } }", ["VL601"]),
        (
            "factor f { a { base { optimizer adamw { lr = 1e-4 } } }\n"
            "b { base { optimizer adamw { lr = 2e-4, weight_decay = 0 } } } }",
            ["VL601"],
        ),
        ("factor f { a { base.batch = 8 }, b { base { batch = 8 } } }", ["VL602"]),
        (
            "factor f { a { base.batch = 2 }, b { base.batch = 3 } }\n"
            "factor g { a { base.batch = 2 }, b { base.batch = 4 } }",
            ["VL603"],
        ),
        ("factor f { a { base.seed = 2 }, b { base.seed = 3 } }", ["VL604", "VL604"]),
        (
            "factor f { a { truth.batch = 2 }, b { truth.batch = 3 } }\nbudget = steps",
            ["VL604"],
        ),
        ("factor f { a { base.batch = 2 } }", ["VL605"]),
        (FREEZE + "except { freeze = [none, norms, biases] }", ["VL605"]),
        (FREEZE + "baseline = norms\nexcept { freeze = norms }", ["VL605"]),
        ("factor f { a { alone.batch = 2 }, b { alone.batch = 3 } }", ["VL606", "VL606"]),
        (FREEZE + "baseline = nome", ["VL104"]),
        (FREEZE + "baseline = [none, none]", ["VL404"]),
        (FREEZE + "except { freze = none }", ["VL104"]),
        (FREEZE + "only { freeze = nome }", ["VL104"]),
        (FREEZE + "budgt = steps", ["VL401"]),
        (FREEZE + "budget = step", ["VL407"]),
        (FREEZE + FREEZE, ["VL105"]),
        ("factor f { a { bse.batch = 2 }, b { bse.batch = 3 } }", ["VL104", "VL104"]),
        ("factor f { a { freeze vision }, b { freeze text } }", ["VL410", "VL410"]),
        ("model { freeze vision }", ["VL410"]),
    ],
)
def test_mistakes(members: str, codes: list[str]) -> None:
    assert found(members) == codes


def test_a_mistake_of_many_cells_is_said_once_with_the_variant() -> None:
    members = FREEZE.replace("freeze norm", "freeze nrm") + RATES
    [finding] = resolved(members).diagnostics
    assert finding.code == "VL204"
    assert "freeze = norms" in finding.notes[-1]


def test_a_file_that_cannot_be_read_does_not_blame_its_study() -> None:
    assert found(FREEZE + "factor f { a { base.batch = }, b { base.batch = 3 } }") == ["VL006"]


def test_a_study_does_not_change_what_the_file_means() -> None:
    with_study, without = resolved(FREEZE).spec, resolve(Source(name="a.vl", text=FILE)).spec
    assert with_study == without


def test_formatting_keeps_a_study() -> None:
    text = f"{FILE}\nstudy s {{\nof = [truth] # jobs\n{FREEZE}except {{ freeze = norms }}\n}}\n"
    formatted = format_source(Source(name="a.vl", text=text))
    assert format_source(Source(name="a.vl", text=formatted)) == formatted
    assert "  of = [truth]  # jobs\n" in formatted
    assert "    none { model { freeze nothing } }\n" in formatted


PRELIMINARY = """
pretrain first on tiny {
  data = [pairs]
  model { freeze vision }
  objective mlm
  optimizer adamw { lr = 1e-3 }
  batch = 8
  steps = 10
}
"""


def test_a_level_may_start_a_job_from_another_one() -> None:
    levels = "factor start { nothing { base.model = tiny }, first { base.model = first } }"
    file = FILE.replace("data = [pairs]", "data = [pairs]\n  model { freeze nothing }", 1)
    resolution = resolved(levels, "budget = steps", file=file + PRELIMINARY)
    # What the first job keeps random learns where another one starts from it.
    assert "VL205" not in {finding.code for finding in resolution.diagnostics}
    chosen = resolution.studies["s"]
    nothing, first = chosen.cells
    assert [*nothing.spec.jobs] == ["base", "truth", "dev"]
    assert [*first.spec.jobs] == ["first", "base", "truth", "dev"]
    assert first.spec.training_job("base").source == "first"
    assert nothing.spec.training_job("base").source is None
    assert chosen.factors[0].changes == ("base.model",)
    # There it inherits what is frozen, and takes nothing back.
    frozen = resolved(levels, file=FILE + PRELIMINARY)
    assert "VL205" in {finding.code for finding in frozen.diagnostics}


def test_what_is_random_and_frozen_to_the_end_of_a_chain_is_reported() -> None:
    alone = resolved(RATES, file=FILE + PRELIMINARY)
    assert "VL205" in {finding.code for finding in alone.diagnostics}
    frozen = PRELIMINARY + 'finetune second from first {\n  task = nlvr { root = "nlvr" }\n'
    frozen += "  optimizer adamw { lr = 1e-4 }\n  batch = 8\n  epochs = 3\n%s}\n"
    for override, reported in (("", True), ("  model { freeze nothing }\n", False)):
        chain = resolved(RATES, file=FILE + frozen % override)
        assert ("VL205" in {finding.code for finding in chain.diagnostics}) == reported

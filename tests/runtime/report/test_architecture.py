import re

import pytest

from renaissance.grammar.anatomy.parts import named_kind
from renaissance.grammar.schema.jobs import Evaluate
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime.report.architecture import architecture
from renaissance.runtime.report.blueprint import blueprint
from renaissance.runtime.report.models import model_figures


def part(address: str, parameters: int, learning: int | None = None, **more: object) -> dict:
    trainable = parameters if learning is None else learning
    kind = "projection" if ".projection." in address else named_kind(address)
    said = {"address": address, "kind": kind, "input": None, "output": None}
    return {**said, "parameters": parameters, "trainable": trainable, **more}


def model(*components: dict, name: str = "m", fusion: str = "cross") -> dict:
    heads = {
        head: "tokens" if head == "mlm" else "pooled"
        for root, _, head in (entry["address"].partition(".") for entry in components)
        if root == "heads"
    }
    joined = {"streams": ["text", "vision"], "fusion": fusion, "heads": heads}
    return {"name": name, **joined, "components": list(components)}


def two_tower() -> dict:
    return model(
        part("text.embeddings", 100, input=[16], output=[16, 32]),
        *(
            part(f"text.layers[{layer}].{inner}", 50, 0 if layer < 2 else 50)
            for layer in range(5)
            for inner in ("attention", "mlp")
        ),
        part("vision.embeddings", 80, 0, input=[3, 32, 32], output=[17, 32]),
        *(part(f"vision.layers[{layer}]", 40, 10) for layer in range(3)),
        part("cross.projection.text", 7),
        part("cross.projection.vision", 9, 0),
        part("cross.type_embedding", 64),
        *(part(f"cross.layers[{layer}]", 30) for layer in range(2)),
        part("pool.text", 11),
        part("pool.vision", 12),
        part("heads.mlm", 5),
        part("heads.answer", 6),
        name="two_tower",
    )


def test_streams_become_columns_in_order() -> None:
    drawn = architecture(two_tower())
    assert [stream.name for stream in drawn.streams] == ["text", "vision"]
    assert [(block.name, block.repeats) for block in drawn.streams[0].blocks] == [
        ("embeddings", 1),
        ("layers[0:2]", 2),
        ("layers[2:5]", 3),
        ("projection", 1),
    ]
    assert [(block.name, block.repeats) for block in drawn.streams[1].blocks] == [
        ("embeddings", 1),
        ("layers", 3),
        ("projection", 1),
    ]
    assert drawn.streams[1].shape == "3 \N{MULTIPLICATION SIGN} 32 \N{MULTIPLICATION SIGN} 32"


def test_rest_of_the_model_is_in_its_place() -> None:
    drawn = architecture(two_tower())
    assert [(block.name, block.repeats) for block in drawn.fusion] == [
        ("cross.type_embedding", 1),
        ("cross.layers", 2),
    ]
    assert [(block.name, block.parameters) for block in drawn.pool] == [("pool", 23)]
    assert [block.name for block in drawn.token_heads] == ["mlm"]
    assert [block.name for block in drawn.heads] == ["answer"]


def test_order_of_the_plan_does_not_hide_the_fusion() -> None:
    described = two_tower()
    described["components"].sort(key=lambda entry: entry["address"])
    drawn = architecture(described)
    assert [stream.name for stream in drawn.streams] == ["text", "vision"]
    assert [block.name for block in drawn.fusion] == ["cross.layers", "cross.type_embedding"]


def test_no_parameter_is_lost_or_counted_twice() -> None:
    described = two_tower()
    total = sum(entry["parameters"] for entry in described["components"])
    learning = sum(int(entry["trainable"]) for entry in described["components"])
    blocks = architecture(described).blocks
    assert sum(block.parameters for block in blocks) == total
    assert sum(block.learning for block in blocks) == learning


def test_shape_of_a_fusion_is_that_of_each_stream() -> None:
    joined = model(
        part("text.embeddings", 1),
        part("vision.embeddings", 1),
        part("cross.type_embedding", 1, output=[17, 32]),
        part("cross.layers[0].cross", 1, output=[17, 32]),
        part("cross.layers[0].text.mlp", 1, output=[16, 32]),
        part("cross.layers[0].vision.mlp", 1, output=[17, 32]),
    )
    times = "\N{MULTIPLICATION SIGN}"
    shapes = [block.shape for block in architecture(joined).fusion]
    assert shapes == ["", f"16 {times} 32, 17 {times} 32"]


def test_one_tower_has_its_stack_in_the_fusion() -> None:
    one_tower = model(
        part("text.embeddings", 10),
        part("vision.embeddings", 20),
        *(part(f"joint.layers[{layer}].mlp", 30) for layer in range(12)),
        part("joint.norm", 2),
        fusion="joint",
    )
    drawn = architecture(one_tower)
    assert [(block.name, block.repeats) for block in drawn.fusion] == [
        ("joint.layers", 12),
        ("joint.norm", 1),
    ]
    assert "joint.layers \N{MULTIPLICATION SIGN} 12" in blueprint(drawn)


def test_frozen_parts_are_hatched_and_labelled() -> None:
    groups = re.findall(r"<g>.*?</g>", blueprint(architecture(two_tower()), index=3))
    for group in groups:
        assert ("#hatch-3" in group) == ("frozen</text>" in group)
    hatched = {re.search(r"<title>(\S+):", group)[1] for group in groups if "#hatch-3" in group}
    assert hatched == {
        "text.layers[0:2]",
        "vision.embeddings",
        "vision.layers",
        "cross.projection.vision",
    }
    assert len(groups) == 12
    assert sum(">frozen</text>" in group for group in groups) == 3
    assert sum("75\N{NO-BREAK SPACE}% frozen</text>" in group for group in groups) == 1


def test_what_nothing_reads_is_not_called_frozen() -> None:
    parts = [part("text.embeddings", 60), part("cross.layers[0]", 40, 0)]
    job = {"name": "base", "kind": "pretrain", "model": planned(model(*parts)), "unread": ["cross"]}
    [figure] = model_figures({"jobs": [job], "models": []})
    assert (figure.frozen, figure.unread, figure.jobs[0].frozen) == (0.0, 0.4, "none")
    assert "not read</text>" in figure.svg and "frozen" not in figure.svg


def test_model_that_learns_has_no_hatch() -> None:
    learns = model(part("text.embeddings", 10), part("cross.layers[0]", 5))
    svg = blueprint(architecture(learns))
    assert "url(#" not in svg
    assert "frozen" not in svg


def test_hostile_names_are_escaped() -> None:
    hostile = model(part("text.<script>", 10), name='"><script>')
    assert "<script>" not in blueprint(architecture(hostile))


def test_blocks_do_not_overlap_and_stay_inside() -> None:
    svg = blueprint(architecture(two_tower()))
    width, height = map(float, re.search(r'viewBox="0 0 (\S+) (\S+)"', svg).groups())
    boxes = []
    for rect in re.findall(r'<rect [^>]*class="block"[^>]*>|<rect class="block"[^>]*>', svg):
        x, y, w, h = (
            float(re.search(rf' {name}="([\d.]+)"', rect)[1])
            for name in ("x", "y", "width", "height")
        )
        assert x >= 0
        assert y >= 0
        assert x + w <= width
        assert y + h <= height
        boxes.append((x, y, x + w, y + h))
    assert len(boxes) == 12
    for index, (left, top, right, bottom) in enumerate(boxes):
        for other in boxes[:index]:
            apart = right < other[0] or other[2] < left or bottom < other[1] or other[3] < top
            assert apart, (boxes[index], other)


def planned(alone: dict, *heads: dict, frozen: int = 0) -> dict:
    whole = model(*alone["components"], *heads, name=alone["name"])
    total = sum(entry["parameters"] for entry in whole["components"])
    return {
        **whole,
        "parameters": {"total": total, "trainable": total - frozen, "frozen": frozen, "tied": 0},
        "flops_per_sample": {"forward": 61_200_000, "backward": 1, "training": 183_000_000},
        "freeze": [
            {"selectors": ["vision"], "excluded": ["norm"], "until": "30%", "parameters": 1234},
            {"selectors": ["text", "bias"], "excluded": [], "until": 500, "parameters": 5},
            {"selectors": ["pool"], "excluded": [], "until": None, "parameters": 6},
        ],
        "notes": ["positions are resized"],
    }


def body() -> dict:
    return model(part("text.embeddings", 100, 60), part("vision.embeddings", 50))


def test_jobs_of_one_model_share_a_drawing() -> None:
    base = planned(body(), part("heads.mlm", 10), part("heads.itm", 2), frozen=40)
    vqa = planned(body(), part("heads.answer", 20), frozen=40)
    jobs = [
        {"name": "base", "kind": "pretrain", "model": base},
        {"name": "vqa", "kind": "finetune", "model": vqa},
        {"name": "test", "kind": "evaluate", "model": planned(body(), frozen=150)},
    ]
    (figure,) = model_figures({"models": [planned(body())], "jobs": jobs})
    for head in ("mlm", "itm", "answer"):
        assert f">{head}</text>" in figure.svg
    assert [job.name for job in figure.jobs] == ["base", "vqa"]
    assert figure.jobs[0].parameters == "162"
    assert figure.jobs[0].frozen == "24.7\N{NO-BREAK SPACE}%"
    assert figure.jobs[0].training == "183\N{NO-BREAK SPACE}M"
    assert figure.parameters == 182
    assert figure.frozen == pytest.approx(40 / 182)
    assert figure.directives == (
        "vision except norm until 30%: 1,234 parameters",
        "text, bias until step 500: 5 parameters",
        "pool: 6 parameters",
    )
    assert figure.notes == ("positions are resized",)


def test_job_that_overrides_its_model_has_its_own_drawing() -> None:
    other = body()
    other["components"][0]["trainable"] = 0
    jobs = [
        {"name": "base", "kind": "pretrain", "model": planned(body())},
        {"name": "vqa", "kind": "finetune", "model": planned(other)},
    ]
    first, second = model_figures({"models": [planned(body())], "jobs": jobs})
    assert ([job.name for job in first.jobs], [job.name for job in second.jobs]) == (
        ["base"],
        ["vqa"],
    )
    assert "hatch-0" in first.svg
    assert "hatch-1" in second.svg


def test_model_that_no_job_trains_is_drawn_alone() -> None:
    (figure,) = model_figures({"models": [planned(body())], "jobs": []})
    assert [job.name for job in figure.jobs] == ["m"]
    assert figure.jobs[0].frozen == "none"


def test_heads_of_one_name_and_two_sizes_are_both_drawn() -> None:
    jobs = [
        {
            "name": f"job{size}",
            "kind": "finetune",
            "model": planned(body(), part("heads.answer", size)),
        }
        for size in (13, 2)
    ]
    (figure,) = model_figures({"models": [], "jobs": jobs})
    assert figure.svg.count(">answer</text>") == 2
    assert figure.parameters == 165


@pytest.mark.parametrize(
    "plan",
    [
        {},
        {"models": [], "jobs": [{"kind": "finetune"}]},
        {"models": [{"name": "m", "components": []}], "jobs": []},
        {"models": [planned({"name": "m", "components": []})], "jobs": []},
        {"models": [{"name": "m", "components": [{"address": "a.b"}]}], "jobs": []},
    ],
)
def test_what_is_no_plan_is_an_error(plan: dict) -> None:
    with pytest.raises(ValueError, match="the plan"):
        model_figures(plan)


def test_real_plan_is_drawn_whole(spec: Spec) -> None:
    from renaissance.compiler import plan

    described = plan(spec).to_dict()
    (figure,) = model_figures(described)
    counts = {job["name"]: job["model"]["parameters"] for job in described["jobs"]}
    trained = [name for name, job in spec.jobs.items() if not isinstance(job, Evaluate)]
    assert {job.name: job.parameters for job in figure.jobs} == {
        name: f"{counts[name]['total']:,}" for name in trained
    }
    alone = described["models"][0]["parameters"]
    assert figure.parameters == sum(counts[name]["total"] for name in trained) - alone["total"]
    assert figure.frozen == pytest.approx(alone["frozen"] / figure.parameters)
    groups = re.findall(r"<g>.*?</g>", figure.svg)
    hatched = [group for group in groups if "#hatch-0" in group]
    assert len(hatched) >= 2
    assert all("<title>vision." in group and ">frozen</text>" in group for group in hatched)

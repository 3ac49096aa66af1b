import re

import pytest

from renaissance.runtime.report.architecture import architecture, spell_shape
from renaissance.runtime.report.blueprint import blueprint
from renaissance.runtime.report.models import model_figures


def part(address: str, parameters: int, learning: int | bool | None = None, **more: object) -> dict:
    trainable = parameters if learning is None else learning
    return {"address": address, "parameters": parameters, "trainable": trainable, **more}


def two_tower() -> dict:
    return {
        "name": "two_tower",
        "components": [
            part("text.embeddings", 100, input=[16], output=[16, 32]),
            *(
                part(f"text.layers[{layer}].{inner}", 50, 0 if layer < 2 else 50)
                for layer in range(5)
                for inner in ("attention", "mlp")
            ),
            part("vision.embeddings", 80, 0, input=[3, 32, 32], output=[17, 32]),
            *(part(f"vision.layers[{layer}]", 40, 10) for layer in range(3)),
            part("cross.projection.text", 7),
            part("cross.projection.vision", 9, False),
            part("cross.type_embedding", 64),
            *(part(f"cross.layers[{layer}]", 30) for layer in range(2)),
            part("pool.text", 11),
            part("pool.vision", 12),
            part("heads.mlm", 5),
            part("heads.answer", 6),
        ],
    }


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
    model = two_tower()
    model["components"].sort(key=lambda entry: entry["address"])
    drawn = architecture(model)
    assert [stream.name for stream in drawn.streams] == ["text", "vision"]
    assert [block.name for block in drawn.fusion] == ["cross.layers", "cross.type_embedding"]


def test_no_parameter_is_lost_or_counted_twice() -> None:
    model = two_tower()
    total = sum(entry["parameters"] for entry in model["components"])
    learning = sum(int(entry["trainable"]) for entry in model["components"])
    blocks = architecture(model).blocks
    assert sum(block.parameters for block in blocks) == total
    assert sum(block.learning for block in blocks) == learning


def test_component_beside_its_parts_counts_once() -> None:
    model = {
        "name": "m",
        "components": [
            part("text", 30),
            part("text.layers[0]", 30),
            part("text.layers[0].attention", 10),
            part("text.layers[0].mlp", 20),
        ],
    }
    (stream,) = architecture(model).streams
    assert [(block.name, block.parameters) for block in stream.blocks] == [("layers", 30)]


def test_one_tower_has_its_stack_in_the_fusion() -> None:
    model = {
        "name": "one_tower",
        "components": [
            part("text.embeddings", 10),
            part("vision.embeddings", 20),
            *(part(f"joint.layers[{layer}].mlp", 30) for layer in range(12)),
            part("joint.norm", 2),
        ],
    }
    drawn = architecture(model)
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


def test_model_that_learns_has_no_hatch() -> None:
    model = {"name": "m", "components": [part("text.embeddings", 10), part("cross.layers[0]", 5)]}
    svg = blueprint(architecture(model))
    assert "url(#" not in svg
    assert "frozen" not in svg


def test_hostile_names_are_escaped() -> None:
    model = {"name": '"><script>', "components": [part("text.<script>", 10)]}
    assert "<script>" not in blueprint(architecture(model))


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


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        (None, ""),
        ([16, 32], "16 \N{MULTIPLICATION SIGN} 32"),
        ({"text": [16], "vision": [17]}, "16, 17"),
        ([[1, 2], [3]], "1 \N{MULTIPLICATION SIGN} 2, 3"),
        ("tokens", "tokens"),
    ],
)
def test_shapes_are_spelled(shape: object, words: str) -> None:
    assert spell_shape(shape) == words


@pytest.mark.parametrize("components", [[], [{"parameters": 3}]])
def test_plan_without_components_is_an_error(components: list) -> None:
    with pytest.raises(ValueError, match="components"):
        model_figures({"models": [{"name": "m", "components": components}]})


def test_figures_of_a_plan() -> None:
    model = {
        **two_tower(),
        "parameters": {"total": 1000, "trainable": 250, "frozen": 750, "tied": 40},
        "flops_per_sample": {"forward": 61_200_000, "training": 183_000_000},
    }
    first, second = model_figures({"models": [model, model]})
    facts = {name: value.replace("\N{NO-BREAK SPACE}", " ") for name, value in first.facts}
    assert facts == {
        "Parameters": "1,000",
        "Learn": "250 (25.0 %)",
        "Frozen": "750 (75.0 %)",
        "Shared": "40",
        "FLOPs forward": "61.2 M a sample",
        "FLOPs training": "183 M a sample",
    }
    assert first.frozen == 0.75
    assert "hatch-0" in first.svg
    assert "hatch-1" in second.svg

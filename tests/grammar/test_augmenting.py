"""Random changes of images: how they are spelled, compared and refused."""

from typing import Any

import pytest

from renaissance.grammar.canonical import print_spec
from renaissance.grammar.declaration import Share
from renaissance.grammar.diff import diff_specs
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime.augmentations.flip.schema import Flip
from renaissance.runtime.augmentations.randaugment.schema import RandAugment
from renaissance.runtime.augmentations.random_crop.schema import RandomCrop

TEXT = """
model tiny {
  backbone text   = plain_text { layers = 2, width = 64, heads = 4 }
  backbone vision = plain_vision { layers = 2, width = 64, heads = 4 }
  fusion cross = cross_attention(text, vision)
}
data pairs { format = FORMAT }
pretrain base on tiny {
  data = [pairs]
  objective itm
  BASE
  optimizer adamw { lr = 1e-4 }
  batch = 8, steps = 10
}
finetune task from base {
  task = TASK
  LATER
  optimizer adamw { lr = 1e-4 }
  batch = 8, steps = 10
}
evaluate exam of task { MEASURED }
"""


def text(
    base: str = "",
    later: str = "",
    measured: str = "",
    format: str = "easy_vqa",
    task: str = "easy_vqa",
) -> str:
    return (
        TEXT.replace("BASE", base)
        .replace("LATER", later)
        .replace("MEASURED", measured)
        .replace("FORMAT", format)
        .replace("TASK", task)
    )


def spec(workshop: Any, *bodies: str) -> Spec:
    resolution = workshop.resolve(text(*bodies))
    assert resolution.spec is not None
    return resolution.spec


def of_base(workshop: Any, base: str) -> Any:
    return spec(workshop, base).jobs["base"].augment


def test_blocks_follow_one_another(workshop: Any) -> None:
    said = "augment random_crop { scale = 60% }\n augment flip\n augment randaugment"
    found = of_base(workshop, said)
    assert found == (RandomCrop(scale=Share(0.6)), Flip(), RandAugment())
    assert of_base(workshop, "augment randaugment { operations = 1, magnitude = 5 }") == (
        RandAugment(operations=1, magnitude=5),
    )
    assert of_base(workshop, "") == ()


@pytest.mark.parametrize(
    ("value", "blocks"),
    [
        ("none", ""),
        ("randaugment", "augment randaugment"),
        ("flip { probability = 10% }", "augment flip { probability = 10% }"),
        ("[flip, randaugment]", "augment flip\n augment randaugment"),
    ],
)
def test_a_value_says_what_blocks_say(workshop: Any, value: str, blocks: str) -> None:
    assert of_base(workshop, f"augment = {value}") == of_base(workshop, blocks)


def test_a_named_value(workshop: Any) -> None:
    named = text("augment = strong") + "let strong = randaugment\n"
    assert workshop.resolve(named).spec.jobs["base"].augment == (RandAugment(),)


def test_words_of_earlier_versions_are_read_and_named_as_they_were(workshop: Any) -> None:
    plain = spec(workshop)
    assert plain.identity()["jobs"]["base"]["augment"] == "none"
    assert '"augment":"none"' in plain.to_json()
    changed = spec(workshop, "augment randaugment", "augment = randaugment")
    assert changed.identity()["jobs"]["base"]["augment"] == "randaugment"
    word = plain.to_json().replace('"augment":"none"', '"augment":"randaugment"')
    assert Spec.model_validate_json(plain.to_json()) == plain
    assert Spec.model_validate_json(word) == changed
    other = spec(workshop, "augment randaugment { magnitude = 8 }\n augment flip")
    assert Spec.model_validate_json(other.to_json()) == other
    assert other.hash != changed.hash != plain.hash


@pytest.mark.parametrize(
    "base",
    ["", "augment randaugment", "augment flip { probability = 20% }\n augment random_crop"],
)
def test_the_canonical_form_resolves_to_the_same(workshop: Any, base: str) -> None:
    one = spec(workshop, base)
    printed = print_spec(one)
    assert workshop.resolve(printed).spec == one
    assert printed.count("augment ") == 2 if base == "" else printed.count("  augment ") >= 2


def test_order_and_keys_are_changes(workshop: Any) -> None:
    one = spec(workshop, "augment flip\n augment randaugment")
    turned = spec(workshop, "augment randaugment\n augment flip")
    keys = spec(workshop, "augment flip\n augment randaugment { magnitude = 3 }")
    none = spec(workshop)
    for new, address, old, now in (
        (turned, "augment", "flip, randaugment", "randaugment, flip"),
        (keys, "augment.randaugment.magnitude", "9", "3"),
        (none, "augment", "flip, randaugment", "none"),
    ):
        [block] = diff_specs(one, new).blocks
        [change] = block.changes
        assert (change.address, change.old, change.new) == (address, old, now)
        assert change.impact == "training" and one.hash != new.hash


@pytest.mark.parametrize(
    ("where", "says_sides"),
    [
        ({"task": 'vqav2 { root = "r" }'}, True),
        ({"task": 'nlvr2 { root = "r" }'}, True),
        ({"task": 'nlvr { root = "r" }'}, True),
        ({"format": 'nlvr\n root = "r"'}, True),
        ({"task": 'refcoco { root = "r" }'}, True),
        ({"task": 'snli_ve { root = "r" }'}, False),
        ({"task": "easy_vqa"}, False),
    ],
)
def test_texts_that_say_sides_refuse_mirrors(
    workshop: Any, where: dict[str, str], says_sides: bool
) -> None:
    job = "base" if "format" in where else "later"
    refused = text(**{job: "augment flip\n augment randaugment"}, **where)
    found = [f for f in workshop.resolve(refused).diagnostics if f.code == "VL524"]
    assert len(found) == says_sides
    assert all(finding.span.text == "flip" for finding in found)
    others = text(**{job: "augment random_crop\n augment randaugment"}, **where)
    assert "VL524" not in workshop.codes(others)


@pytest.mark.parametrize(
    ("base", "code"),
    [
        ("augment flip\n augment flip", "VL509"),
        ("augment = none\n augment flip", "VL402"),
        ("augment flip\n augment = none", "VL402"),
        ("augment", "VL001"),
        ("augment { probability = 50% }", "VL112"),
        ("augment = 3", "VL404"),
        ("augment flop", "VL408"),
        ("augment = flop", "VL408"),
        ("augment flip = 3", "VL411"),
        ("augment flip { probability = 0% }", "VL405"),
        ("augment flip { probability = 0.5 }", "VL406"),
        ("augment randaugment { magnitude = 31 }", "VL405"),
        ("augment randaugment { operations = 0 }", "VL405"),
        ("augment random_crop { scale = 0% }", "VL405"),
        ("augment random_crop { size = 3 }", "VL401"),
    ],
)
def test_mistakes(workshop: Any, base: str, code: str) -> None:
    assert code in workshop.codes(text(base))


def test_an_evaluation_changes_no_images(workshop: Any) -> None:
    assert "VL410" in workshop.codes(text(measured="augment flip"))
    assert "VL401" in workshop.codes(text(measured="augment = flip"))

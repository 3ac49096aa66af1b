"""Comparisons by name, with what each change does to a trained checkpoint."""

from pathlib import Path

import pytest

from renaissance.grammar.changes import Change
from renaissance.grammar.composition.resolution import resolve
from renaissance.grammar.diff import BlockDiff, SpecDiff, diff_specs
from renaissance.grammar.schema.spec import Spec
from renaissance.grammar.source import Source

BASE = """
model m {
  backbone text   = huggingface("google/electra-small-discriminator") { max_tokens = 50 }
  backbone vision = plain_vision { layers = 2, width = 64, heads = 4 }
  fusion cross = cross_attention(text, vision) { layers = 3 }
  freeze text
}
data d { format = image_caption, table = "a.csv" }
pretrain p on m {
  data = [d]
  objective mlm
  optimizer adamw { lr = 1e-3 }
  batch = 64
  steps = 1k
}
finetune f from p {
  model { freeze nothing }
  task = easy_vqa
  optimizer adamw { lr = 1e-4 }
  batch = 32
  epochs = 2
}
evaluate e of f
"""


def meaning(text: str) -> Spec:
    spec = resolve(Source(name="main.vl", text=text)).spec
    assert spec is not None
    return spec


def compare(*replacements: tuple[str, str]) -> SpecDiff:
    text = BASE
    for old, new in replacements:
        assert old in text
        text = text.replace(old, new)
    return diff_specs(meaning(BASE), meaning(text))


def only(diff: SpecDiff) -> tuple[BlockDiff, Change]:
    (block,) = diff.blocks
    (change,) = block.changes
    return block, change


@pytest.mark.parametrize(
    ("old", "new", "block", "address", "impact"),
    [
        ("layers = 3", "layers = 4", "m", "cross.layers", "weights"),
        ("heads = 4", "heads = 2", "m", "vision.heads", "numerics"),
        ("layers = 3", "layers = 3, dropout = 0.2", "m", "cross.dropout", "numerics"),
        ("freeze text", "pool = mean\nfreeze text", "m", "pool", "numerics"),
        ("freeze text", "pool = first\nfreeze text", "m", "pool", "weights"),
        ("freeze text", "pooler = none\nfreeze text", "m", "pooler", "weights"),
        ("freeze text", 'weights = "lxmert"\nfreeze text', "m", "weights", "training"),
        ("freeze text", "attention = sdpa\nfreeze text", "m", "attention", "cosmetic"),
        ('"a.csv"', '"b.csv"', "d", "table", "training"),
        ("lr = 1e-3", "lr = 2e-3", "p", "optimizer.lr", "training"),
        ("objective mlm", "objective mlm { weight = 2 }", "p", "objective.mlm.weight", "training"),
        ("epochs = 2", "epochs = 2, workers = 4", "f", "workers", "cosmetic"),
        ("of f", "of f { split = validation }", "e", "split", "eval"),
        (
            "freeze nothing",
            "freeze nothing, vision.image_size = 64",
            "f",
            "model.vision.image_size",
            "weights",
        ),
    ],
)
def test_a_changed_key_has_its_impact(
    old: str, new: str, block: str, address: str, impact: str
) -> None:
    diff = compare((old, new))
    found, change = only(diff)
    assert (found.name, change.address, change.impact) == (block, address, impact)
    assert diff.impact == impact
    assert found.unchanged > 0


def test_an_objective_adds_a_head() -> None:
    diff = compare(("objective mlm", "objective mlm\n  objective itm"))
    assert diff.impact == "weights"
    assert {change.address for change in diff.blocks[0].changes} >= {"objective.itm"}


def test_an_address_is_no_key_of_a_shorter_one() -> None:
    shorter = compare(("  freeze text\n", "  freeze text.layers[:2]\n"))
    assert {(change.address, change.old) for change in shorter.blocks[0].changes} == {
        ("freeze text", ""),
        ("freeze text.layers[:2]", None),
    }
    factors = compare(
        ("  batch = 32", "  scale_lr { text = 0.5, text.embeddings = 0.1 }\n  batch = 32")
    )
    assert {change.address for change in factors.blocks[0].changes} == {
        "scale_lr.text",
        "scale_lr.text.embeddings",
    }


def test_the_same_architecture_without_weights_has_the_same_tensors() -> None:
    diff = compare(("huggingface", "random"), ("freeze text", "freeze bias"))
    (block,) = diff.blocks
    assert block.impact == "training"
    assert {change.address for change in block.changes} == {"text", "freeze text", "freeze bias"}


def test_another_architecture_has_other_tensors() -> None:
    diff = compare(("electra-small", "electra-base"))
    _, change = only(diff)
    assert (change.address, change.impact) == ("text", "weights")


def test_order_and_grouping_mean_nothing() -> None:
    head, rest = BASE.split("data d", 1)
    moved = (
        "data d" + rest.split("pretrain", 1)[0] + head + "pretrain" + rest.split("pretrain", 1)[1]
    )
    assert diff_specs(meaning(BASE), meaning(moved)).blocks == ()
    two = BASE.replace("freeze text", "freeze text.norm\n  freeze text.embeddings")
    one = BASE.replace("freeze text", "freeze text.embeddings, text.norm")
    assert diff_specs(meaning(one), meaning(two)).blocks == ()
    assert meaning(one).hash == meaning(two).hash


def test_a_renamed_model_is_the_same_model() -> None:
    diff = compare(("model m", "model renamed"), ("on m", "on renamed"))
    (block,) = diff.blocks
    assert (block.status, block.old_name, block.name) == ("renamed", "m", "renamed")
    assert diff.impact == "cosmetic"
    assert meaning(BASE).hash == meaning(BASE.replace(" m ", " renamed ")).hash


def test_blocks_come_and_go_by_name() -> None:
    diff = compare(("evaluate e of f", "evaluate other of f { split = validation }"))
    assert [(block.status, block.name) for block in diff.blocks] == [
        ("added", "other"),
        ("removed", "e"),
    ]
    assert diff.impact == "eval"


def test_what_a_job_overrides_is_not_blamed_for_its_model() -> None:
    diff = compare(("layers = 3", "layers = 4"))
    assert [block.name for block in diff.blocks] == ["m"]


def test_impact_classes_are_a_ladder() -> None:
    diff = compare(("lr = 1e-3", "lr = 2e-3"))
    assert [diff.reaches(impact) for impact in ("weights", "numerics", "training", "eval")] == [
        False,
        False,
        True,
        True,
    ]


def test_shipped_specs_equal_themselves() -> None:
    folder = Path(__file__).parents[2] / "specs"
    for path in folder.glob("*.vl"):
        text = path.read_text(encoding="utf-8")
        assert diff_specs(meaning(text), meaning(text)).blocks == ()

"""The keys of a cache: what they mean, how they are spelled, where they have no effect."""

import pytest

from renaissance.grammar.canonical import print_spec
from renaissance.grammar.diff import diff_specs
from renaissance.grammar.schema.spec import Spec

MODEL = """
model tiny {
  backbone text   = plain_text { layers = 2, width = 64, heads = 4 }
  backbone vision = plain_vision { layers = 2, width = 64, heads = 4 }
  fusion cross = cross_attention(text, vision)
  FREEZE
}
data pairs { format = easy_vqa }
pretrain base on tiny {
  data = [pairs]
  objective mlm
  optimizer adamw { lr = 1e-4 }
  batch = 8, steps = 10JOB
}
"""

ONE_TOWER = """
model tiny {
  embed text   = wordpiece { max_tokens = 16 }
  embed vision = patches { image_size = 64, patch = 16 }
  fusion joint = single_stream(text, vision) {
    encoder = random { layers = 2, width = 64, heads = 4 }
  }
  FREEZE
}
"""


def text(freeze: str, job: str = "") -> str:
    return MODEL.replace("FREEZE", freeze).replace("JOB", job)


def spec(workshop, freeze: str) -> Spec:
    resolved = workshop.resolve(text(freeze)).spec
    assert resolved is not None
    return resolved


def test_defaults_and_values(workshop) -> None:
    [plain] = spec(workshop, "freeze vision").models["tiny"].freeze
    assert (plain.cache, plain.cache_limit) == ("auto", 20)
    [said] = (
        spec(workshop, "freeze vision { cache = true, cache_limit = 2.5 }").models["tiny"].freeze
    )
    assert (said.cache, said.cache_limit) == (True, 2.5)
    assert spec(workshop, "freeze vision { cache = false }").models["tiny"].freeze[0].cache is False


def test_the_canonical_form_says_it_where_it_means_something(workshop) -> None:
    printed = print_spec(spec(workshop, "freeze vision"))
    assert "freeze vision { cache = auto, cache_limit = 20 }" in printed
    assert "freeze text { cache = true, cache_limit = 20 }" in print_spec(
        spec(workshop, "freeze text { cache = true }")
    )
    assert "freeze text.norm\n" in print_spec(spec(workshop, "freeze text.norm"))


def test_a_cache_changes_neither_hash_nor_checkpoint(workshop) -> None:
    old, new = spec(workshop, "freeze vision"), spec(workshop, "freeze vision { cache = true }")
    assert old != new and old.hash == new.hash
    found = diff_specs(old, new)
    assert found.impact == "cosmetic"
    [block] = found.blocks
    [change] = block.changes
    assert (change.address, change.old, change.new) == ("freeze vision.cache", "auto", "true")


def test_an_added_directive_is_one_change(workshop) -> None:
    found = diff_specs(
        spec(workshop, "freeze text"), spec(workshop, "freeze vision { cache = true }")
    )
    [block] = found.blocks
    assert [change.address for change in block.changes] == ["freeze vision", "freeze text"]
    assert found.impact == "training"


@pytest.mark.parametrize(
    ("freeze", "reason"),
    [
        ("freeze vision.layers[0] { cache = true }", "only the features of a whole tower"),
        ("freeze norm { cache = true }", "only the features of a whole tower"),
        ("freeze text.layers { cache = true }", "only the features of a whole tower"),
        ("freeze vision until 50% { cache = true }", "learns after `until`"),
        ("freeze vision except norm { cache = true }", "`except` leaves out"),
        ("freeze vision { cache = false, cache_limit = 3 }", "nothing is kept"),
    ],
)
def test_no_effect(workshop, freeze: str, reason: str) -> None:
    resolution = workshop.resolve(text(freeze))
    [finding] = [found for found in resolution.diagnostics if found.code == "VL209"]
    assert reason in finding.label and finding.help and finding.severity == "warning"
    assert finding.span.text == ("cache_limit" if "limit" in freeze else "cache")
    assert resolution.spec is not None


@pytest.mark.parametrize("stream", ["text", "vision"])
def test_no_effect_in_a_model_of_one_tower(workshop, stream: str) -> None:
    resolution = workshop.resolve(
        ONE_TOWER.replace("FREEZE", f"freeze {stream} {{ cache = true }}")
    )
    [finding] = [found for found in resolution.diagnostics if found.code == "VL209"]
    assert "less to compute than to read" in finding.label


def test_no_effect_where_images_change_at_random(workshop) -> None:
    augmented = text("freeze vision { cache = true }", ", augment = randaugment")
    [finding] = [f for f in workshop.resolve(augmented).diagnostics if f.code == "VL209"]
    assert "job `base` changes its images at random" in finding.label
    assert "VL209" not in workshop.codes(text("freeze vision", ", augment = randaugment"))


def test_no_effect_where_all_texts_are_masked(workshop) -> None:
    told = "freeze text { cache = true }"
    [finding] = [f for f in workshop.resolve(text(told)).diagnostics if f.code == "VL209"]
    assert "job `base` masks its texts at random" in finding.label
    assert "add `objective itc` or `objective itm`" in finding.help[0]
    matching = text(told).replace("objective mlm", "objective mlm\n  objective itm")
    assert "VL209" not in workshop.codes(matching)
    assert "VL209" not in workshop.codes(text("freeze text"))


def test_a_directive_about_two_towers_has_an_effect_if_one_is_kept(workshop) -> None:
    both = "freeze text, vision { cache = true }"
    assert "VL209" not in workshop.codes(text(both))
    augmented = text(both, ", augment = randaugment")
    [finding] = [f for f in workshop.resolve(augmented).diagnostics if f.code == "VL209"]
    assert "masks its texts at random and changes its images at random" in finding.label
    matching = augmented.replace("objective mlm", "objective itm")
    assert "VL209" not in workshop.codes(matching)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("cache = maybe", "VL407"),
        ("cache = 3", "VL404"),
        ("cache_limit = 0", "VL405"),
        ("cach = true", "VL401"),
        ("freeze text", "VL410"),
    ],
)
def test_mistakes_between_the_braces(workshop, body: str, code: str) -> None:
    codes = workshop.codes(text(f"freeze vision {{ {body} }}"))
    # VL205: the tower of this file has random weights.
    assert [found for found in codes if found != "VL205"] == [code]

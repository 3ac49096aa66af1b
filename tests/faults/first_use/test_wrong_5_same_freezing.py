"""What freezes the same parts for as long is the same, however it is written."""

import pytest

from renaissance.grammar.composition.resolution import resolve
from renaissance.grammar.diff import SpecDiff, diff_specs
from renaissance.grammar.schema.spec import Spec
from renaissance.grammar.source import Source

TEXT = """model m {{
  backbone text   = plain_text {{ layers = 2, width = 8, heads = 2, vocabulary = 64 }}
  backbone vision = {vision}
  fusion cross = cross_attention(text, vision) {{ layers = 1, width = 8, heads = 2 }}
  pool = mean
  {freeze}
}}
data d {{ format = easy_vqa }}
pretrain p on m {{
  data = [d]
  objective mlm
  objective itm
  optimizer adamw {{ lr = 1e-3 }}
  batch = 8
  steps = 10
}}
finetune f from p {{
  task = easy_vqa
  optimizer adamw {{ lr = 1e-3 }}
  batch = 8
  steps = 10
}}
"""
PLAIN = "plain_vision { layers = 2, width = 8, heads = 2, image_size = 16, patch = 8 }"
UNKNOWN = 'timm("someone/unknown") { image_size = 32 }'


def meaning(freeze: str, vision: str = PLAIN) -> Spec:
    text = TEXT.format(freeze=freeze.replace("; ", "\n  "), vision=vision)
    resolution = resolve(Source(name="main.vl", text=text))
    assert resolution.spec is not None, [found.message for found in resolution.diagnostics]
    return resolution.spec


def both(one: str, other: str, vision: str = PLAIN) -> tuple[bool, SpecDiff]:
    old, new = meaning(one, vision), meaning(other, vision)
    return old.hash == new.hash, diff_specs(old, new)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("freeze vision.layers[:2]", "freeze vision.layers[:2]; freeze vision.layers[0]"),
        ("freeze vision.layers[0]", "freeze vision.layers[:1]"),
        ("freeze vision.layers[1]", "freeze vision.layers[-1]"),
        ("freeze vision.layers", "freeze vision.layers[:2]"),
        ("freeze vision.layers", "freeze vision.layers[0], vision.layers[1]"),
        ("freeze text", "freeze text; freeze text.embeddings, text.layers"),
        ("freeze text except norm", "freeze text except norm, text.layers[0].norm"),
        ("freeze text except norm", "freeze text except text.norm"),
        ("freeze text; freeze norm", "freeze text except norm; freeze norm"),
        ("freeze text; freeze vision", "freeze vision, text"),
        ("freeze vision until 50%", "freeze vision until 50%; freeze vision until 30%"),
        ("freeze vision until 5", "freeze vision until 5; freeze vision.norm until 3"),
        ("freeze vision", "freeze vision until 100%"),
        ("freeze norm", "freeze norm; freeze vision until 0%"),
        ("freeze heads.mlm", "freeze heads.mlm; freeze heads.mlm"),
        ("freeze pool", "freeze pool.text, pool.vision"),
        ("freeze text.mlp", "freeze text.mlp; freeze text.layers[1].mlp until 5"),
        ("", "freeze vision until 0"),
    ],
)
def test_the_same_parts(one: str, other: str) -> None:
    same, diff = both(one, other)
    assert same
    assert diff.impact in (None, "cosmetic")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("freeze vision.layers[0]", "freeze vision.layers[1]"),
        ("freeze text", "freeze text except norm"),
        ("freeze text except norm", "freeze text except bias"),
        ("freeze vision until 50%", "freeze vision until 5"),
        ("freeze vision until 5; freeze vision until 50%", "freeze vision until 5"),
        ("freeze vision until 5", "freeze vision until 6"),
        ("freeze vision", "freeze vision until 99.9%"),
        ("freeze heads.mlm", "freeze heads.itm"),
    ],
)
def test_other_parts(one: str, other: str) -> None:
    same, diff = both(one, other)
    assert not same
    assert diff.impact == "training"


def test_of_an_unknown_encoder_only_the_text_is_known() -> None:
    for one, other, same in (
        ("freeze vision", "freeze vision; freeze vision.layers[0]", True),
        ("freeze vision", "freeze vision until 100%; freeze text until 0", True),
        ("freeze vision.blocks[0]", "freeze vision.blocks[1]", False),
    ):
        equal, diff = both(one, other, UNKNOWN)
        assert equal == same
        assert (diff.impact in (None, "cosmetic")) == same

"""A named value that stands for itself is said to, wherever it is used."""

import pytest

from renaissance.grammar.composition.resolution import resolve
from renaissance.grammar.source import Source

CIRCLE = "let a = b\nlet b = a\n"
PLAIN = "plain_text { layers = 1, width = 8, heads = 2, vocabulary = 64 }"
VISION = "plain_vision { layers = 1, width = 8, heads = 2, image_size = 16, patch = 8 }"
TWO = """model m {{
  backbone text   = {text}
  backbone vision = {vision}
  fusion cross = {fusion} {{ layers = {layers}, width = 8, heads = 2 }}
}}
"""
ONE = """model m {{
  embed text   = wordpiece {{ max_tokens = 8 }}
  embed vision = patches {{ image_size = 16, patch = 8 }}
  fusion joint = single_stream(text, vision) {{ encoder = {encoder} }}
}}
model n extends m {{ joint.encoder.layers = 3 }}
"""


def codes(text: str) -> list[str]:
    return [found.code for found in resolve(Source(name="main.vl", text=text)).diagnostics]


@pytest.mark.parametrize("place", ["text", "vision", "layers"])
def test_a_circle(place: str) -> None:
    fusion = "cross_attention(text, vision)"
    keys = {"text": PLAIN, "vision": VISION, "layers": "1", "fusion": fusion, place: "a"}
    assert codes(CIRCLE + TWO.format(**keys)) == ["VL111"]


def test_a_circle_in_the_encoder_of_one_tower() -> None:
    assert codes(CIRCLE + ONE.format(encoder="a")) == ["VL111"]


def test_an_override_reaches_into_a_named_block() -> None:
    text = "let stack = random { layers = 2, width = 8, heads = 2 }\n" + ONE.format(encoder="stack")
    resolution = resolve(Source(name="main.vl", text=text))
    assert resolution.spec is not None, resolution.diagnostics
    assert [m.fusion.encoder.layers for m in resolution.spec.models.values()] == [2, 3]

"""Mistakes of a first use: one finding each, which says what to write."""

import pytest

from renaissance.grammar.composition.resolution import resolve
from renaissance.grammar.source import Source

TEXT = """model m {{
  backbone text   = plain_text {{ layers = 2, width = 8, heads = 2, vocabulary = 64 }}
  backbone vision = plain_vision {{ layers = 2, width = 8, heads = 2, image_size = 16, patch = 8 }}
  fusion cross = cross_attention(text, vision) {{ layers = 1, width = 8, heads = 2 }}
  {freeze}
}}
data q {{ format = easy_vqa }}
pretrain p on {on} {{
  data = {data}
  objective mlm {{ {mlm} }}
  optimizer adamw {{ lr = 1e-3 }}
  batch = {batch}
  clip = {clip}
  steps = 10
}}
"""
FINE = {"freeze": "", "on": "m", "data": "[q]", "mlm": "", "batch": "8", "clip": "1"}


def found(**said: str) -> list[tuple[str, str]]:
    text = TEXT.format(**(FINE | said))
    diagnostics = resolve(Source(name="main.vl", text=text)).diagnostics
    return [(finding.code, " ".join(finding.help)) for finding in diagnostics]


@pytest.mark.parametrize(
    ("key", "value", "help"),
    [
        ("data", "q", "write `[q]`"),
        ("mlm", "whole_word = True", "write `true`"),
        ("mlm", "probability = 15", "write `15%`"),
        ("mlm", "probability = 0.15", "write `15%`"),
        ("clip", "None", "write `none`"),
        ("batch", '"64"', "write `64`"),
        ("freeze", "freeze = [vision]", "`freeze vision`"),
        ("freeze", 'freeze "vision"', "without quotes: `vision`"),
        ("freeze", "freeze vision and text", "`freeze vision, text`"),
        ("freeze", "freeze text.layer[0]", "`text.layers`"),
        ("freeze", "freeze fusin.layers", "`fusion`"),
        ("data", "[p]", ""),
        ("on", "mm", "`m`"),
    ],
)
def test_one_finding_with_the_rewrite(key: str, value: str, help: str) -> None:
    [(_, said)] = found(**{key: value})
    assert help in said


def test_a_reference_to_nothing_blames_nobody_else() -> None:
    assert [code for code, _ in found(on="elsewhere")] == ["VL104"]
    assert [code for code, _ in found(data="[elsewhere]")] == ["VL104"]

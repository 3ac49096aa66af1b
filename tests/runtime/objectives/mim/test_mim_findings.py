"""What is said about a model in which no text helps to see what is hidden, or no image."""

import pytest

from renaissance.grammar.check import check
from renaissance.grammar.source import Source

SPEC = """\
model tiny {
  backbone text   = plain_text { layers = 2, width = 64, heads = 4 }
  backbone vision = VISION { layers = 2, width = 64, heads = 4 }
  fusion joint = FUSION
}
data shapes { format = easy_vqa }
pretrain base on tiny {
  data = [shapes]
  objective WHAT
  optimizer adamw { lr = 1e-3 }
  batch = 64
  epochs = 2
}
"""


REGIONS = 'plain_regions("boxes")'


@pytest.mark.parametrize(
    ("what", "fusion", "help"),
    [
        ("mim", "dual_encoder(text, vision)", "take a fusion that joins them"),
        ("mim", "asymmetric(text, vision)", "write `asymmetric(vision, text)`"),
        ("mrm", "asymmetric(text, vision)", "write `asymmetric(vision, text)`"),
        ("mlm", "asymmetric(vision, text)", "write `asymmetric(text, vision)`"),
        ("mlm", "dual_encoder(text, vision)", ""),
        ("mrm", "dual_encoder(text, vision)", "take a fusion that joins them"),
        ("mlm { random = 0%, keep = 100% }", "cross_attention(text, vision)", "keep fewer"),
        ("mrm { random = 0%, keep = 100% }", "cross_attention(text, vision)", "keep fewer"),
        ("mim", "cross_attention(text, vision)", ""),
        ("mim", "asymmetric(vision, text)", ""),
        ("mrm", "asymmetric(vision, text)", ""),
        ("mlm", "asymmetric(text, vision)", ""),
        ("itm", "asymmetric(text, vision)", ""),
    ],
)
def test_the_other_stream_helps_where_the_fusion_reaches(what: str, fusion: str, help: str) -> None:
    text = SPEC.replace("FUSION", fusion).replace("WHAT", what)
    text = text.replace("VISION", REGIONS if what.startswith("mrm") else "plain_vision")
    found = [f for f in check(Source(name="example.vl", text=text)) if f.code == "VL506"]
    assert [f.severity for f in found] == ["warning"] * bool(help)
    for finding in found:
        assert finding.help[0].startswith(help)
        assert finding.span.text in ("mim", "mlm", "mrm", "100%"), finding.span.text

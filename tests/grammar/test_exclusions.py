"""What data leave out because something is measured on it."""

import pytest

from renaissance.grammar.check import check
from renaissance.grammar.source import Source

SPEC = """
model tiny {
  backbone text   = plain_text { layers = 2, width = 64, heads = 4 }
  backbone vision = plain_vision { layers = 2, width = 64, heads = 4 }
  fusion cross = cross_attention(text, vision)
}
data shapes { format = easy_vqa, exclude = [EXCLUDED] }
pretrain base on tiny {
  data = [shapes]
  objective itm
  optimizer adamw { lr = 1e-3 }
  batch  = 4
  epochs = 1
}
finetune learn from base {
  task = easy_vqa
  optimizer adamw { lr = 1e-3 }
  batch  = 4
  epochs = 1
}
evaluate measured of learn
"""


@pytest.mark.parametrize("excluded", ["measured", "learn", '"learn.test"', "measured, learn"])
def test_what_is_measured_can_be_left_out(excluded: str) -> None:
    source = Source(name="mine.vl", text=SPEC.replace("EXCLUDED", excluded))
    assert check(source) == ()


@pytest.mark.parametrize(
    ("excluded", "code", "said"),
    [
        ("mesured", "VL104", "no job named `mesured`"),
        ("base", "VL503", "`exclude` names evaluations"),
        ('"learn.tests"', "VL504", "`easy_vqa` has no split `tests`"),
    ],
)
def test_what_is_not_measured_is_a_mistake(excluded: str, code: str, said: str) -> None:
    source = Source(name="mine.vl", text=SPEC.replace("EXCLUDED", excluded))
    (finding,) = check(source)
    assert finding.code == code and said in finding.message
    assert finding.span.text == excluded

"""What is said about a model in which no text helps to see what is hidden."""

import pytest

from renaissance.grammar.check import check
from renaissance.grammar.source import Source

SPEC = """\
model tiny {
  backbone text   = plain_text { layers = 2, width = 64, heads = 4 }
  backbone vision = plain_vision { layers = 2, width = 64, heads = 4 }
  fusion joint = FUSION(text, vision)
}
data shapes { format = easy_vqa }
pretrain base on tiny {
  data = [shapes]
  objective mim
  optimizer adamw { lr = 1e-3 }
  batch = 64
  epochs = 2
}
"""


@pytest.mark.parametrize(("fusion", "said"), [("dual_encoder", 1), ("cross_attention", 0)])
def test_a_text_helps_where_the_fusion_joins(fusion: str, said: int) -> None:
    findings = check(Source(name="example.vl", text=SPEC.replace("FUSION", fusion)))
    assert [(f.code, f.severity) for f in findings] == [("VL506", "warning")] * said

"""A table to learn from is needed where something learns, and nowhere else."""

import pytest

from renaissance.grammar.check import check
from renaissance.grammar.source import Source

SPEC = """\
model tiny {
  backbone text   = plain_text { layers = 2, width = 64, heads = 4 }
  backbone vision = plain_vision { layers = 2, width = 64, heads = 4 }
  fusion cross = cross_attention(text, vision)
}
data shapes { format = easy_vqa }
pretrain base on tiny {
  data = [shapes]
  objective itm
  optimizer adamw { lr = 1e-3 }
  batch = 64
  epochs = 2
}
"""
TASK = 'task = classify { test = "t.csv", text = none, classes = 3 }'


@pytest.mark.parametrize(
    ("job", "codes"),
    [
        (f"evaluate zero of base {{ split = test, {TASK} }}", []),
        (f"evaluate zero of base {{ split = train, {TASK} }}", ["VL504"]),
        (
            f"finetune c from base {{ {TASK}, optimizer adamw {{ lr = 1e-3 }}, batch = 8, "
            "epochs = 1 }",
            ["VL403"],
        ),
    ],
)
def test_who_needs_a_table_to_learn_from(job: str, codes: list[str]) -> None:
    findings = check(Source(name="example.vl", text=SPEC + job + "\n"))
    errors = [finding for finding in findings if finding.severity == "error"]
    assert [finding.code for finding in errors] == codes
    for finding in errors:
        assert finding.span.text in ("task", "train")

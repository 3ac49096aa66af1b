"""Shares of words that are replaced and kept, as a file states them."""

import pytest

from renaissance.grammar.check import check
from renaissance.grammar.source import Source

SPEC = """
model tiny {
  backbone text   = plain_text { layers = 2, width = 64, heads = 4 }
  backbone vision = plain_vision { layers = 2, width = 64, heads = 4 }
  fusion cross = cross_attention(text, vision)
}
data shapes { format = easy_vqa }
pretrain base on tiny {
  data = [shapes]
  objective mlm { KEYS }
  optimizer adamw { lr = 1e-3 }
  batch = 64
  epochs = 2
}
"""


@pytest.mark.parametrize(
    "keys",
    ["random = 0%, keep = 0%", "random = 70%, keep = 30%", "random = 33.3%, keep = 66.7%"],
)
def test_all_of_the_words_can_be_shared_out(keys: str) -> None:
    assert check(Source(name="main.vl", text=SPEC.replace("KEYS", keys))) == ()


@pytest.mark.parametrize(
    ("keys", "value", "label"),
    [
        ("random = 60%, keep = 50%", "60%", "60% are replaced and 50% stay"),
        ("keep = 95%", "95%", "10% are replaced and 95% stay"),
        ("random = 91%", "91%", "91% are replaced and 10% stay"),
    ],
)
def test_more_than_all_of_them_cannot(keys: str, value: str, label: str) -> None:
    [found] = check(Source(name="main.vl", text=SPEC.replace("KEYS", keys)))
    assert (found.code, found.severity, found.span.text) == ("VL405", "error", value)
    assert found.message == "`random` and `keep` are more than all of the words"
    assert found.label == label

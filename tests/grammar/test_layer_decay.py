"""What a check says of `decay_lr`, and how it is spelled."""

import pytest

from renaissance.grammar.canonical import print_spec
from renaissance.grammar.check import check
from renaissance.grammar.composition.resolution import resolve
from renaissance.grammar.source import Source

SPEC = """
model tiny {
  backbone text   = plain_text { layers = 2, width = 64, heads = 4 }
  backbone vision = plain_vision { layers = 3, width = 64, heads = 4 }
  fusion cross = cross_attention(text, vision)
  freeze FROZEN
}
finetune vqa on tiny {
  task = easy_vqa
  optimizer adamw { lr = 1e-3 }
  decay_lr { KEYS }
  batch = 64
  epochs = 2
}
"""


def spec(keys: str, frozen: str = "bias") -> Source:
    return Source(name="main.vl", text=SPEC.replace("KEYS", keys).replace("FROZEN", frozen))


@pytest.mark.parametrize("keys", ["text = 0.8, vision = 0.9", "cross = 1", "fusion = 0.5"])
def test_streams_and_the_fusion_decay(keys: str) -> None:
    assert check(spec(keys)) == ()


@pytest.mark.parametrize(
    ("keys", "message", "label"),
    [
        (
            "vison = 0.8",
            "`decay_lr` address `vison` matches nothing in model `tiny`",
            "no component of this name",
        ),
        (
            "heads = 0.8",
            "`decay_lr` takes what has layers, and `heads` has none",
            "nothing of it stands below anything",
        ),
        (
            "text.layers = 0.8",
            "`decay_lr` takes whole streams and the fusion, not `text.layers`",
            "a part of one",
        ),
        (
            "text[1] = 0.8",
            "`decay_lr` takes whole streams and the fusion, not `text[1]`",
            "a part of one",
        ),
    ],
)
def test_what_has_no_layers_is_refused(keys: str, message: str, label: str) -> None:
    [found] = check(spec(keys))
    assert (found.code, found.severity) == ("VL510", "error")
    assert (found.message, found.label) == (message, label)


@pytest.mark.parametrize("keys", ["text = 0", "text = 1.1", "text = -0.5"])
def test_factors_lie_between_nothing_and_one(keys: str) -> None:
    assert [found.code for found in check(spec(keys))] == ["VL405"]


def test_the_fusion_is_named_once() -> None:
    [found] = check(spec("cross = 0.8, fusion = 0.9"))
    assert (found.code, found.message) == ("VL402", "`cross` is set twice")


@pytest.mark.parametrize(
    ("frozen", "label"),
    [
        ("text", "it is frozen throughout"),
        ("text.embeddings, text.layers", "its layers and embeddings are frozen throughout"),
    ],
)
def test_layers_that_never_learn_are_named(frozen: str, label: str) -> None:
    findings = check(spec("text = 0.8, vision = 0.9", frozen))
    [found] = [found for found in findings if found.code != "VL205"]  # random, and frozen
    assert (found.code, found.severity, found.label) == ("VL506", "warning", label)
    assert found.span.text == "text"


def test_is_printed_as_it_is_read() -> None:
    resolution = resolve(spec("fusion = 0.95, text = 0.8"))
    assert resolution.spec is not None
    text = print_spec(resolution.spec)
    assert "decay_lr {" in text and "cross = 0.95" in text
    assert resolve(Source(name="main.vl", text=text)).spec == resolution.spec

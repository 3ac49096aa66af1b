"""`scale_lr` takes slices of layers, and says so where two factors clash."""

import pytest

from renaissance.compiler import build
from renaissance.grammar.composition.resolution import Resolution, resolve
from renaissance.grammar.source import Source
from renaissance.runtime.training.optimization import Optimization

TEXT = """model m {{
  backbone text   = plain_text {{ layers = 3, width = 8, heads = 2, vocabulary = 64 }}
  backbone vision = plain_vision {{ layers = 2, width = 8, heads = 2, image_size = 16, patch = 8 }}
  fusion cross = cross_attention(text, vision) {{ layers = 1, width = 8, heads = 2 }}
  freeze vision.layers[0]
}}
finetune f on m {{
  task = easy_vqa
  optimizer adamw {{ lr = 1e-3 }}
  scale_lr {{ {} }}
  batch = 8
  steps = 10
}}
"""


def resolved(scales: str) -> Resolution:
    return resolve(Source(name="main.vl", text=TEXT.format(scales)))


def rates(scales: str) -> dict[str, float]:
    """Return the factor of each weight by its name, as training takes it."""
    spec = resolved(scales).spec
    assert spec is not None
    job = spec.jobs["f"]
    model = build(spec, job="f")
    optimization = Optimization(model, job.optimizer, job.scale_lr)
    optimization.set_rate(1.0)
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    return {
        names[id(parameter)]: group["lr"]
        for group in optimization.torch.param_groups
        for parameter in group["params"]
    }


@pytest.mark.parametrize(
    ("scales", "codes"),
    [
        ("text.layers[0:2] = 2", []),
        ("text.layers[:-1] = 2", []),
        ("text = 1, text.layers[:2] = 2", []),
        ("text.layers[:2] = 2, text.layers[2:] = 3", []),
        ("text.layers[:2] = 2, text.layers[1:] = 2", []),
        ("text.layers[:2] = 2, text.layers[1:] = 3", ["VL517"]),
        ("text.norm = 2, text.layers = 3", ["VL517"]),
        ("text.layers[:9] = 2", ["VL210"]),
        ("text.layers[5:] = 2", ["VL510"]),
        ("heads.mlm = 2", ["VL510"]),
        ("heads.answer = 2", []),
        ("vision.layers[0] = 2", ["VL506"]),
        ("text.layer[0] = 2", ["VL510"]),
        ("text = -1", ["VL405"]),
    ],
)
def test_what_check_says(scales: str, codes: list[str]) -> None:
    assert [finding.code for finding in resolved(scales).diagnostics] == codes


def test_the_narrower_address_counts() -> None:
    for scales in ("text = 5, text.layers[:2] = 2", "text.layers[:2] = 2, text = 5"):
        found = rates(scales)
        assert found["streams.text.stack.layers.1.mlp.inner.weight"] == 2
        assert found["streams.text.stack.layers.2.mlp.inner.weight"] == 5
        assert found["pool.dense.text.weight"] == 1

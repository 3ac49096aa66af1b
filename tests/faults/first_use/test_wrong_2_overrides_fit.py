"""What `check` accepts of overrides in a fine-tuning, the weights of its source fit."""

from types import SimpleNamespace

import pytest

from renaissance.compiler.assembly import assemble
from renaissance.grammar.composition.resolution import Resolution, resolve
from renaissance.grammar.source import Source
from renaissance.runtime.errors import CheckpointError
from renaissance.runtime.training.transfer import start_from
from renaissance.runtime.weights import model_tensors

TWO = """
  backbone text   = plain_text { layers = 2, width = 8, heads = 2, max_tokens = 8, vocabulary = 64 }
  backbone vision = random("deit_tiny_patch16_224") {
    layers = 2, width = 8, heads = 2, image_size = 32
  }
  fusion cross = cross_attention(text, vision) { layers = 1, width = 8, heads = 2 }
"""
RELATIVE = TWO.replace("deit_tiny_patch16_224", "microsoft/beit-base-patch16-224") + (
    "  pool = mean\n"
)
ONE = """
  embed text   = wordpiece { max_tokens = 8, vocabulary = 64, width = 8 }
  embed vision = patches { image_size = 16, patch = 8 }
  fusion joint = single_stream(text, vision) {
    encoder = random { layers = 2, width = 16, heads = 2 }
  }
"""
JOBS = """
data d {{ format = easy_vqa }}
pretrain p on m {{
  {first}
  data = [d]
  objective mlm
  objective itm
  optimizer adamw {{ lr = 1e-3 }}
  batch = 8
  steps = 10
}}
finetune f from p {{
  {then}
  task = easy_vqa
  optimizer adamw {{ lr = 1e-3 }}
  batch = 8
  steps = 10
}}
finetune g from f {{
  {last}
  task = easy_vqa
  optimizer adamw {{ lr = 1e-3 }}
  batch = 8
  steps = 10
}}
"""
FITS, DOUBTFUL, UNFIT = (), ("VL516",), ("VL515",)

OVERRIDES = [
    (TWO, "text.layers = 1", UNFIT),
    (TWO, "text.width = 16", UNFIT),
    (TWO, "text.mlp_ratio = 2", UNFIT),
    (TWO, "text.vocabulary = 128", UNFIT),
    (TWO, "text.max_tokens = 12", FITS),
    (TWO, "text.max_tokens = 4", FITS),
    (TWO, "text.dropout = 0.5", FITS),
    (TWO, "text.activation = relu", DOUBTFUL),
    (TWO, "vision.image_size = 64", FITS),
    (TWO, "vision.image_size = 16", FITS),
    (TWO, "vision.resize = squash", FITS),
    (TWO, "vision.layers = 3", UNFIT),
    (TWO, "vision.heads = 4", DOUBTFUL),
    (TWO, "cross.layers = 2", UNFIT),
    (TWO, "fusion.width = 16", UNFIT),
    (TWO, "cross.heads = 4", DOUBTFUL),
    (TWO, "cross.activation = silu", DOUBTFUL),
    (TWO, "cross.dropout = 0", FITS),
    (TWO, "pool = first", UNFIT),
    (TWO, "pool = mean", DOUBTFUL),
    (TWO, "attention = eager", FITS),
    (TWO, "freeze vision", FITS),
    (TWO, "text.layers = 2, pool = cls", FITS),
    (RELATIVE, "vision.image_size = 48", FITS),
    (RELATIVE, "vision.heads = 4", UNFIT),
    (ONE, "text.max_tokens = 12", FITS),
    (ONE, "text.width = 4", UNFIT),
    (ONE, "vision.width = 8", UNFIT),
    (ONE, "vision.image_size = 32", FITS),
    (ONE, "vision.patch = 4", UNFIT),
    (ONE, "vision.stem = convolutional", UNFIT),
    (ONE, "joint.encoder.layers = 1", UNFIT),
    (ONE, "joint.encoder.heads = 4", DOUBTFUL),
    (ONE, "joint.encoder = random { layers = 1, width = 16, heads = 2 }", UNFIT),
    (ONE, "pool = first", UNFIT),
]


def resolved(model: str, **overrides: str) -> Resolution:
    blocks = {
        job: f"model {{ {said} }}" if said else ""
        for job, said in ({"first": "", "then": "", "last": ""} | overrides).items()
    }
    return resolve(Source(name="main.vl", text=f"model m {{{model}}}\n{JOBS.format(**blocks)}"))


def codes(resolution: Resolution) -> tuple[str, ...]:
    return tuple(found.code for found in resolution.diagnostics)


def load(resolution: Resolution, job: str, source: str) -> None:
    """Start one job from the weights that another one has at its beginning."""
    spec = resolution.spec
    assert spec is not None
    given = assemble(spec.model_of(source), spec.training_job(source), weights=False)
    tensors, _ = model_tensors(given)
    state = SimpleNamespace(job=source, referenced=(), references={})
    model = {name: tensor.detach() for name, tensor in tensors.items()}
    needing = assemble(spec.model_of(job), spec.training_job(job), weights=False)
    checkpoint = SimpleNamespace(state=state, model=model, measured=model, average={})
    start_from(needing, checkpoint, {})


@pytest.mark.parametrize(("model", "override", "expected"), OVERRIDES)
def test_what_check_accepts_is_loaded(model: str, override: str, expected: tuple[str, ...]) -> None:
    resolution = resolved(model, then=override)
    assert codes(resolution) == expected
    if expected != UNFIT:
        load(resolution, "f", "p")
        return
    # Made for the source too, the override is fine; the weights of the plain source do not fit it.
    other = resolved(model, first=override)
    assert codes(other) == FITS
    plain = resolved(model)
    mixed = plain.spec.model_copy(update={"job_models": {"f": other.spec.model_of("f")}})
    with pytest.raises(CheckpointError, match="do not fit"):
        load(SimpleNamespace(spec=mixed), "f", "p")


def test_places_of_the_override_and_of_the_source() -> None:
    [finding] = resolved(TWO, then="cross.width = 16").diagnostics
    assert finding.span.text == "16"
    assert [label.span.text for label in finding.related] == ["8"]
    [finding] = resolved(TWO, then="pool = first").diagnostics
    assert finding.span.text == "first"
    assert [label.span.text for label in finding.related] == ["p"]


def test_a_chain_is_compared_link_by_link() -> None:
    assert codes(resolved(TWO, then="cross.heads = 4", last="cross.heads = 4")) == DOUBTFUL
    assert codes(resolved(TWO, first="text.layers = 1", last="text.layers = 1")) == FITS
    [finding] = resolved(TWO, first="text.layers = 1", last="text.layers = 2").diagnostics
    assert finding.code == "VL515"
    assert [label.span.text for label in finding.related] == ["1"]
    load(resolved(TWO, then="vision.image_size = 64", last="vision.image_size = 32"), "g", "f")


def test_another_revision_of_weights_that_a_job_gives() -> None:
    model = TWO.replace(
        "plain_text { layers = 2, width = 8, heads = 2, max_tokens = 8, vocabulary = 64 }",
        'huggingface("bert-base-uncased") { max_tokens = 8 }',
    )
    assert codes(resolved(model, then='text.revision = "v2"')) == UNFIT
    assert codes(resolved(model, first='text.revision = "v2"')) == FITS


def test_a_fine_tuning_on_a_model_starts_from_nothing() -> None:
    text = (
        f"model m {{{TWO}}}\n"
        + """finetune f on m {
  model { text.layers = 1, cross.width = 16, pool = first }
  task = easy_vqa
  optimizer adamw { lr = 1e-3 }
  batch = 8
  steps = 10
}
"""
    )
    assert codes(resolve(Source(name="main.vl", text=text))) == FITS


@pytest.mark.parametrize(
    ("encoder", "expected"),
    [
        ('huggingface("bert-base-cased")', UNFIT),
        ('random("bert-base-uncased") { layers = 2 }', UNFIT),
        ("random { layers = 2, width = 16, heads = 2 }", UNFIT),
        ('huggingface("bert-base-uncased")', FITS),
    ],
)
def test_another_encoder_in_the_place_of_one(encoder: str, expected: tuple[str, ...]) -> None:
    one = ONE.replace(", width = 8", "").replace(
        "random { layers = 2, width = 16, heads = 2 }", 'huggingface("bert-base-uncased")'
    )
    assert codes(resolved(one, then=f"joint.encoder = {encoder}")) == expected
    assert codes(resolved(one, first=f"joint.encoder = {encoder}")) == FITS

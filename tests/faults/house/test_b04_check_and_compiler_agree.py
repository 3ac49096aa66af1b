"""What `check` accepts is compiled, and what it refuses could not be: selectors of `freeze`."""

from contextlib import suppress
from functools import cache

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from renaissance.compiler.assembly import assemble
from renaissance.compiler.errors import FreezeError
from renaissance.compiler.freeze import resolve as resolve_freeze
from renaissance.compiler.model import VisionLanguageModel
from renaissance.grammar.composition.resolution import Resolution, resolve
from renaissance.grammar.schema.jobs import Finetune, Pretrain
from renaissance.grammar.schema.model import Freeze
from renaissance.grammar.source import Source

TOWERS = """
  backbone text   = {}
  backbone vision = {}
  fusion cross = cross_attention(text, vision) {{ layers = 2, width = 8, heads = 2 }}
"""
TEXT = "plain_text { layers = 2, width = 8, heads = 2, vocabulary = 64 }"
VISION = "plain_vision { layers = 3, width = 8, heads = 2, image_size = 16, patch = 8 }"
ELECTRA = 'random("google/electra-small-discriminator") { layers = 2, width = 8, heads = 2 }'
SWIN = 'random("swin_tiny_patch4_window7_224")'
BEIT = 'random("microsoft/beit-base-patch16-224") { layers = 2, width = 8, heads = 2 }'
ONE_TOWER = """
  embed text   = wordpiece {{ max_tokens = 8, vocabulary = 64{} }}
  embed vision = patches {{ image_size = 16, patch = 8 }}
  fusion cross = single_stream(text, vision) {{ encoder = {} }}
"""
STACK = "random { layers = 2, width = 16, heads = 2 }"
DEIT = 'random("deit_tiny_patch16_224") { layers = 2, width = 16, heads = 2 }'
MODELS = {
    "plain": TOWERS.format(TEXT, VISION),
    "first": TOWERS.format(TEXT, VISION) + "  pool = first\n",
    "swin": TOWERS.format(ELECTRA, SWIN) + "  pool = mean\n",
    "beit": TOWERS.format(TEXT, BEIT) + "  pool = mean\n",
    "joint": ONE_TOWER.format("", STACK),
    "projected": ONE_TOWER.format(", width = 8", DEIT),
}
JOBS = """
data d {{ format = easy_vqa }}
pretrain p on m {{
  data = [d]
  {}
  optimizer adamw {{ lr = 1e-3 }}
  batch = 8
  steps = 10
}}
"""
OBJECTIVES = {"both": "objective mlm\n  objective itm", "mlm": "objective mlm"}
FINETUNE = """
finetune f from p {
  task = easy_vqa
  optimizer adamw { lr = 1e-3 }
  batch = 8
  steps = 10
}
"""

ROOTS = st.sampled_from(["text", "vision", "cross", "fusion", "pool", "heads", "vison"])
PARTS = st.sampled_from(
    [
        "embeddings",
        "layers",
        "layers[0]",
        "layers[1]",
        "layers[2]",
        "layers[-1]",
        "layers[-3]",
        "layers[:2]",
        "layers[1:]",
        "layers[5:]",
        "layer[0]",
        "downsample",
        "attention",
        "mlp",
        "cross",
        "norm",
        "bias",
        "position",
        "projection",
        "type_embedding",
        "text",
        "vision",
        "mlm",
        "itm",
        "answer",
    ]
)
SELECTORS = st.builds(
    lambda root, parts: ".".join([root, *parts]), ROOTS, st.lists(PARTS, max_size=3)
) | st.sampled_from(["norm", "bias", "attention", "mlp", "embeddings", "position"])


def resolved(model: str, directive: str, objectives: str, finetuned: bool) -> Resolution:
    text = f"model m {{{MODELS[model]}  {directive}\n}}\n{JOBS.format(OBJECTIVES[objectives])}"
    return resolve(Source(name="main.vl", text=text + (FINETUNE if finetuned else "")))


@cache
def built(model: str, objectives: str | None, finetuned: bool) -> VisionLanguageModel:
    """Return a model bare, with the heads of the pretraining, or with that of the fine-tuning."""
    spec = resolved(model, "", objectives or "both", True).spec
    assert spec is not None
    job = spec.jobs["f" if finetuned else "p"] if objectives else None
    assert job is None or isinstance(job, Pretrain | Finetune)
    with torch.device("meta"):
        return assemble(spec.models["m"], job, weights=False)


def compiles(model: str, directive: str, objectives: str, finetuned: bool) -> bool:
    """Tell whether the compiler resolves a directive in the model and in each of its jobs."""
    # Read as a model without jobs, whose heads any job could bring.
    text = f"model m {{{MODELS[model]}  {directive}\n}}\n"
    spec = resolve(Source(name="main.vl", text=text)).spec
    if spec is None:
        return False
    jobs = [(None, False), (objectives, False), *([(objectives, True)] if finetuned else [])]
    try:
        for heads, later in jobs:
            resolve_freeze(built(model, heads, later), spec.models["m"].freeze)
    except FreezeError:
        return False
    return True


@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from(sorted(MODELS)),
    SELECTORS,
    st.none() | SELECTORS,
    st.sampled_from(sorted(OBJECTIVES)),
    st.booleans(),
)
def test_what_check_accepts_is_compiled(
    model: str, selector: str, excluded: str | None, objectives: str, finetuned: bool
) -> None:
    directive = f"freeze {selector}" + (f" except {excluded}" if excluded else "")
    if resolved(model, directive, objectives, finetuned).spec is not None:
        assert compiles(model, directive, objectives, finetuned)


def means_nothing(model: VisionLanguageModel, directive: Freeze) -> None:
    """Refused, or nothing is frozen but what no head reads."""
    held = resolve_freeze(model, ()).frozen(0, 1)
    with suppress(FreezeError):
        assert resolve_freeze(model, (directive,)).frozen(0, 1) == held


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(sorted(MODELS)), SELECTORS)
def test_what_check_does_not_know_is_not_there(model: str, selector: str) -> None:
    codes = {
        found.code for found in resolved(model, f"freeze {selector}", "both", True).diagnostics
    }
    if "VL204" in codes:
        spec = resolved(model, "freeze bias", "both", True).spec
        assert spec is not None
        own = selector.replace("fusion", "cross") if selector.startswith("fusion") else selector
        [directive] = spec.models["m"].freeze
        directive = directive.model_copy(update={"selectors": (own,)})
        for objectives, finetuned in (("both", False), ("both", True)):
            if own.startswith("heads."):  # a head of another job may have it
                means_nothing(built(model, objectives, finetuned), directive)
            else:
                with pytest.raises(FreezeError):
                    resolve_freeze(built(model, objectives, finetuned), (directive,))


@pytest.mark.parametrize(
    ("model", "directive", "accepted"),
    [
        ("plain", "freeze heads.answer", True),
        ("plain", "freeze heads", True),
        ("first", "freeze pool.vision", False),
        ("first", "freeze pool.text", True),
        ("joint", "freeze joint.projection", False),
        ("joint", "freeze cross.projection", False),
        ("projected", "freeze cross.projection.text", True),
        ("projected", "freeze cross.projection.vision", False),
        ("swin", "freeze vision.layers[1].downsample", True),
        ("swin", "freeze vision.layers[2].downsample", False),
        ("swin", "freeze text.norm", True),
        ("beit", "freeze vision.norm", True),
        ("beit", "freeze vision.embeddings.position", False),
    ],
)
def test_both_give_the_same_answer(model: str, directive: str, accepted: bool) -> None:
    assert (resolved(model, directive, "both", True).spec is not None) == accepted
    assert compiles(model, directive, "both", True) == accepted


def test_a_head_that_no_job_has_is_an_error() -> None:
    found = resolved("plain", "freeze heads.answer", "both", False).diagnostics
    assert [finding.code for finding in found] == ["VL204"]
    assert "no job" in found[0].label

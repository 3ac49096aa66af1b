"""What keeping features costs and saves, and what `auto` makes of it."""

from typing import Any

import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from renaissance.compiler.amounts import GIBIBYTE
from renaissance.compiler.assembly import assemble
from renaissance.compiler.fusions.cross_attention.schema import CrossAttention
from renaissance.compiler.planning.benefit import Caching
from renaissance.compiler.planning.caching import caching
from renaissance.compiler.sources.plain_text.schema import PlainText
from renaissance.compiler.sources.plain_vision.schema import PlainVision
from renaissance.grammar.schema.jobs import Pretrain
from renaissance.grammar.schema.model import Freeze, Model
from renaissance.runtime.objectives.itm.schema import Itm
from renaissance.runtime.objectives.mlm.schema import Mlm
from renaissance.runtime.optimizers.adamw.schema import AdamW

SIZES: dict[str, Any] = {"layers": 2, "width": 32, "heads": 2}


def declared(*directives: Freeze) -> Model:
    return Model(
        name="tiny",
        streams={
            "text": PlainText(**SIZES, max_tokens=12, vocabulary=64),
            "vision": PlainVision(**SIZES, image_size=32, patch=8),
        },
        fusion_name="cross",
        fusion=CrossAttention(inputs=("text", "vision"), layers=1, width=16, heads=2),
        freeze=directives,
    )


def job(**changes: Any) -> Pretrain:
    base: dict[str, Any] = {
        "name": "base",
        "on": "tiny",
        "data": ("pairs",),
        "objectives": (Mlm(), Itm()),
        "optimizer": AdamW(lr=1e-3),
        "batch": 4,
        "steps": 1,
    }
    return Pretrain(**{**base, **changes})


def predicted(
    *directives: Freeze, job: Pretrain | None = None, tokens: int | None = None
) -> dict[str, Caching]:
    model = declared(*directives)
    with torch.device("meta"):
        built = assemble(model, None, weights=False)
    found = caching(built, model, job=job, training=job, tokens=tokens)
    assert len({one.stream for one in found}) == len(found)
    return {one.stream: one for one in found}


WHOLE = Freeze(selectors=("text", "vision"))


@pytest.mark.parametrize("stream", ["text", "vision"])
def test_the_figures_are_those_of_the_tower(stream: str) -> None:
    found = predicted(WHOLE, tokens=9)[stream]
    tower = assemble(declared(), None, weights=False).streams[stream].eval()
    inputs: Any = torch.randn(1, 3, 32, 32)
    if stream == "text":
        inputs = {"input_ids": torch.ones(1, 9, dtype=torch.long)}
    # The counter does not know the fused attention of CPUs.
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        tokens = tower(inputs).tokens
    assert found.flops == counter.get_total_flops()
    assert found.entry_bytes == tokens.numel() * 4
    half = predicted(WHOLE, job=job(precision="bf16"), tokens=9)[stream]
    assert half.entry_bytes == tokens.numel() * 2


def test_a_text_has_as_many_tokens_as_the_tower_takes() -> None:
    assert predicted(WHOLE)["text"].tokens == 12


def test_the_first_directive_about_a_tower_counts() -> None:
    text = Freeze(selectors=("text",), cache=True)
    found = predicted(text, Freeze(selectors=("vision", "text"), cache=False))
    assert {name: one.mode for name, one in found.items()} == {"text": True, "vision": False}


@pytest.mark.parametrize(
    "directive",
    [
        Freeze(selectors=("text.layers", "bias")),
        Freeze(selectors=("vision.layers[0]",)),
        Freeze(selectors=("vision",), until=3),
        Freeze(selectors=("vision",), excluded=("norm",)),
    ],
)
def test_nothing_is_constant(directive: Freeze) -> None:
    assert predicted(directive) == {}


def test_obstacles_of_a_job() -> None:
    told = Freeze(selectors=("vision", "text"), cache=True)
    augmented = predicted(told, job=job(augment="randaugment"))
    assert "changes its images at random" in str(augmented["vision"].refusal("cpu"))
    assert augmented["text"].refusal("cpu") is None
    masked = predicted(told, job=job(objectives=(Mlm(),)))
    assert "masks its texts at random" in str(masked["text"].refusal("cpu"))
    assert masked["vision"].refusal("cpu") is None
    refused = predicted(Freeze(selectors=("vision",), cache=False))["vision"]
    assert "cache = false" in str(refused.refusal("cpu"))
    kept = predicted(told, job=job())
    assert all(one.refusal("cpu", inputs=10**12, views=1) is None for one in kept.values())


def figures(**changes: Any) -> Caching:
    base: dict[str, Any] = {
        "stream": "vision",
        "modality": "vision",
        "mode": "auto",
        "limit": GIBIBYTE,
        "tokens": 197,
        "width": 192,
        "value_bytes": 4,
        "flops": 2_500_000_000,
        "obstacle": None,
    }
    return Caching(**{**base, **changes})


def test_auto_weighs_reading_against_computing() -> None:
    assert figures().refusal("cpu", inputs=1000, views=5) is None
    assert "as long as computing" in str(figures(flops=1_000_000).refusal("cpu"))
    small_text = figures(modality="text", tokens=12, flops=10**8)
    assert "as long as computing" in str(small_text.refusal("cuda"))
    # ViT-B in bf16; also where few processes decode, which reading spares.
    base = figures(width=768, value_bytes=2, flops=35_200_000_000)
    assert all(base.refusal("cuda", workers=count) is None for count in (None, 0, 2, 32))
    assert base.gain("cuda", 1) < base.gain("cuda", 32)
    assert "once" in str(figures().refusal("cpu", inputs=1000, views=1.2))
    fits = GIBIBYTE // figures().entry_bytes
    assert figures().refusal("cpu", inputs=fits, views=5) is None
    assert "cache_limit = 1`" in str(figures().refusal("cpu", inputs=fits + 1, views=5))


def test_sentences_speak_of_texts() -> None:
    texts = figures(stream="text", modality="text", tokens=12, flops=300_000_000)
    assert texts.refusal("cpu", inputs=1000, views=5) is None
    assert texts.refusal("cpu", inputs=1000, views=1) == "the job sees most texts once"
    assert "200,000 texts take 1.7 GiB" in str(texts.refusal("cpu", inputs=200_000, views=5))

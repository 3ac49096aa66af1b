"""What keeping features costs and saves, and what `auto` makes of it."""

from typing import Any

import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from renaissance.compiler.assembly import assemble
from renaissance.compiler.planning.caching import GIBIBYTE, Caching, caching
from renaissance.grammar.schema.model import CrossAttention, Freeze, Model
from renaissance.grammar.schema.streams import PlainText, PlainVision

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


def predicted(*directives: Freeze, **settings: Any) -> Caching | None:
    model = declared(*directives)
    with torch.device("meta"):
        built = assemble(model, None, weights=False)
    return caching(built, model, **settings)


WHOLE = Freeze(selectors=("text", "vision"))


def test_the_figures_are_those_of_the_tower() -> None:
    found = predicted(WHOLE)
    assert found is not None and found.stream == "vision"
    tower = assemble(declared(), None, weights=False).streams["vision"].eval()
    # The counter does not know the fused attention of CPUs.
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        tokens = tower(torch.randn(1, 3, 32, 32)).tokens
    assert found.flops == counter.get_total_flops()
    assert found.bytes_per_image == tokens.numel() * 4
    half = predicted(WHOLE, precision="bf16")
    assert half is not None and half.bytes_per_image == tokens.numel() * 2


@pytest.mark.parametrize(
    "directive",
    [
        Freeze(selectors=("text",)),
        Freeze(selectors=("vision.layers[0]",)),
        Freeze(selectors=("vision",), until=3),
        Freeze(selectors=("vision",), excluded=("norm",)),
    ],
)
def test_nothing_is_constant(directive: Freeze) -> None:
    assert predicted(directive) is None


def test_obstacles_of_a_job() -> None:
    told = Freeze(selectors=("vision",), cache=True)
    augmented = predicted(told, augmented=True)
    assert augmented is not None and "at random" in str(augmented.refusal("cpu"))
    refused = predicted(Freeze(selectors=("vision",), cache=False))
    assert refused is not None and "cache = false" in str(refused.refusal("cpu"))
    kept = predicted(told)
    assert kept is not None and kept.refusal("cpu", images=10**12, views=1) is None


def figures(**changes: Any) -> Caching:
    base: dict[str, Any] = {
        "stream": "vision",
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
    assert figures().refusal("cpu", images=1000, views=5) is None
    assert "as long as computing" in str(figures(flops=1_000_000).refusal("cpu"))
    assert "as long as computing" in str(figures().refusal("cuda"))
    assert figures(flops=10**12).refusal("cuda") is None
    assert "once" in str(figures().refusal("cpu", images=1000, views=1.2))
    fits = GIBIBYTE // figures().bytes_per_image
    assert figures().refusal("cpu", images=fits, views=5) is None
    assert "cache_limit = 1`" in str(figures().refusal("cpu", images=fits + 1, views=5))

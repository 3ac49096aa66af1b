"""Building a tower leaves timm's own switch of fused attention as the user set it."""

from collections.abc import Iterator

import pytest
from timm.layers.config import set_fused_attn, use_fused_attn

from renaissance.compiler.backbones.sources import build_tower
from tests.compiler.declarations import DEIT


@pytest.fixture(autouse=True)
def switch() -> Iterator[None]:
    before = use_fused_attn(), use_fused_attn(experimental=True)
    yield
    set_fused_attn(*before)


@pytest.mark.parametrize("fused", [(False, False), (True, False), (True, True)])
@pytest.mark.parametrize("attention", ["auto", "eager"])
def test_the_switch_stays(fused: tuple[bool, bool], attention: str) -> None:
    set_fused_attn(*fused)
    tower = build_tower(DEIT, "vision", attention=attention, weights=True)
    assert (use_fused_attn(), use_fused_attn(experimental=True)) == fused
    assert tower.facts.attention is not None
    wanted = "sdpa" if fused[0] and attention == "auto" else "eager"
    assert tower.facts.attention.library == wanted

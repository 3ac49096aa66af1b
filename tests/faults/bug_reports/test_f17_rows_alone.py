"""Families whose padding leaks into other texts are found, and their features are not kept."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from renaissance.compiler import build
from renaissance.compiler.assembly import assemble
from renaissance.compiler.backbones.huggingface import _MIXING
from renaissance.compiler.planning.caching import caching
from renaissance.grammar import load

LEAKS = {"convbert": True, "fnet": True, "nystromformer": True, "yoso": True}
ALONE = {"bert": False, "mobilebert": False, "albert": False}


@pytest.mark.parametrize(("family", "mixes"), [*LEAKS.items(), *ALONE.items()])
def test_rows_are_compared_with_each_alone(
    family: str,
    mixes: bool,
    saved: Callable[..., str],
    experiment: Callable[..., str],
    tmp_path: Path,
) -> None:
    settings = {"vocab_size": 40, "max_position_embeddings": 64}
    if family == "nystromformer":
        settings |= {"segment_means_seq_len": 16, "num_landmarks": 16}
    folder = saved(family, **settings)
    (tmp_path / "two.vl").write_text(
        experiment(
            text=f'huggingface("{folder}") {{ max_tokens = 16 }}',
            more="freeze text { cache = true }",
        )
    )
    spec = load(tmp_path / "two.vl")
    model = build(spec, job="base")
    facts = model.towers["text"].facts
    assert facts.mixes is mixes
    assert any("depend a little on the texts" in note for note in facts.notes) is mixes
    assert (family in _MIXING) is mixes
    with torch.device("meta"):
        planned = assemble(spec.models["m"], None, weights=False)
    (kept,) = caching(planned, spec.models["m"])
    assert (kept.obstacle is not None) is mixes

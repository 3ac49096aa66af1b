"""Families that plan could not follow, and those that fail at short texts or mix images."""

from collections.abc import Callable
from pathlib import Path

import pytest

import renaissance as rn
from renaissance.compiler.errors import CompileError
from renaissance.compiler.planning.models import drafted
from renaissance.grammar.schema.spec import Spec

TEXT = {"vocab_size": 64, "max_position_embeddings": 40, "pad_token_id": 0}


@pytest.fixture
def spec_of(tmp_path: Path, experiment: Callable[..., str]) -> Callable[..., Spec]:
    """A function that writes and loads a spec with an encoder of a folder."""

    def load(*, text: str = "", vision: str = "") -> Spec:
        towers: dict[str, str] = {}
        if text:
            towers["text"] = f'huggingface("{text}") {{ max_tokens = 16 }}'
        if vision:
            towers["vision"] = f'huggingface("{vision}") {{ image_size = 64 }}'
        file = tmp_path / "experiment.vl"
        file.write_text(experiment(**towers, more="pool = mean"))
        return rn.load(file)

    return load


@pytest.mark.parametrize(
    ("family", "more"),
    [
        ("llama", {"num_key_value_heads": 2, "head_dim": 16}),
        ("opt", {"ffn_dim": 64, "word_embed_proj_dim": 32}),
        ("longformer", {"attention_window": [4]}),
    ],
)
def test_plan_says_what_training_runs(
    family: str,
    more: dict[str, object],
    saved: Callable[..., str],
    spec_of: Callable[..., Spec],
) -> None:
    spec = spec_of(text=saved(family, **TEXT | more))
    rn.plan(spec)
    planned = drafted(spec.model_of("base"), None)[0].towers["text"].facts
    built = rn.build(spec, "m").towers["text"].facts
    assert planned.attention == built.attention
    assert not built.packs


def test_a_tower_that_cannot_encode_short_texts_is_refused(
    saved: Callable[..., str], spec_of: Callable[..., Spec]
) -> None:
    spec = spec_of(text=saved("canine", **TEXT))
    with pytest.raises(CompileError, match="`text` cannot encode a text of 3 tokens"):
        rn.plan(spec)


def test_a_tower_that_puts_images_into_one_row_is_refused(
    saved: Callable[..., str], spec_of: Callable[..., Spec]
) -> None:
    folder = saved("pixtral", image_size=64, patch_size=8, head_dim=16)
    with pytest.raises(rn.SpecError, match="puts the patches of all images into one row"):
        spec_of(vision=folder)


def test_positions_in_rows_and_columns_are_refused(
    saved: Callable[..., str], spec_of: Callable[..., Spec]
) -> None:
    folder = saved("sam_vision_model", image_size=32, patch_size=8, output_channels=32)
    with pytest.raises(rn.SpecError, match="it gives maps in which objects are outlined"):
        spec_of(vision=folder)

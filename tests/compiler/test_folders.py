"""Local folders that no encoder can be made of are refused by a sentence."""

import json
from pathlib import Path
from typing import Any

import pytest
from transformers import AutoConfig

from renaissance.compiler import plan
from renaissance.compiler.errors import CompileError
from renaissance.grammar.composition.resolution import Resolution, resolve
from renaissance.grammar.source import Source


def checked(folder: Path) -> Resolution:
    text = f"""model m {{
      backbone text = random("{folder}") {{ max_tokens = 8 }}
      backbone vision = plain_vision {{ layers = 1, width = 16, heads = 2, image_size = 32 }}
      fusion cross = cross_attention(text, vision) {{ layers = 1, width = 16, heads = 2 }}
    }}
    """
    return resolve(Source(name="main.vl", text=text))


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("num_hidden_layers", 0),
        ("num_hidden_layers", -1),
        ("num_hidden_layers", "2"),
        ("num_hidden_layers", True),
        ("hidden_size", 0),
        ("num_attention_heads", 0),
        ("intermediate_size", 0),
        ("vocab_size", 2.5),
    ],
)
def test_sizes_are_whole_numbers_from_one(setting: str, value: Any, tmp_path: Path) -> None:
    config = AutoConfig.for_model("bert").to_dict() | {setting: value}
    (tmp_path / "config.json").write_text(json.dumps(config))
    (found,) = (one for one in checked(tmp_path).diagnostics if one.severity == "error")
    assert found.code == "VL304"
    assert f"says that `{setting}` is {json.dumps(value)}, where whole numbers" in found.message


@pytest.mark.parametrize(
    ("model_type", "sentence"),
    [
        ("xlm", "can be no tower: transformers keeps attention, norms"),
        ("flaubert", "can be no tower: transformers keeps attention, norms"),
        ("canine", "states no vocabulary of word pieces"),
    ],
)
def test_what_is_missing_is_said(model_type: str, sentence: str, tmp_path: Path) -> None:
    AutoConfig.for_model(model_type).save_pretrained(tmp_path)
    (found,) = (one for one in checked(tmp_path).diagnostics if one.severity == "error")
    assert found.code == "VL304"
    assert f"of type `{model_type}` {sentence}" in found.message


def test_an_encoder_that_looks_at_its_numbers_is_not_planned(tmp_path: Path) -> None:
    AutoConfig.for_model("ibert", num_hidden_layers=1, hidden_size=48).save_pretrained(tmp_path)
    spec = checked(tmp_path).spec
    assert spec is not None
    with pytest.raises(CompileError, match="`m` cannot be planned: what it computes depends on"):
        plan(spec)

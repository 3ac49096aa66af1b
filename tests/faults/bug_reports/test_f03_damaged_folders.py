"""Folders whose parts are missing, damaged or do not belong together: one sentence says which."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from renaissance.compiler.backbones.huggingface import huggingface_tower
from renaissance.compiler.backbones.timm import timm_tower
from renaissance.compiler.errors import BackboneError
from renaissance.compiler.sources.huggingface.schema import HuggingFace
from renaissance.compiler.sources.timm.schema import Timm
from renaissance.grammar.encoder_folder import FolderError, read_folder
from renaissance.runtime.data.errors import DataError
from renaissance.runtime.data.tokenizer import Tokenizer


@pytest.fixture
def folder(saved: Callable[..., str]) -> Path:
    return Path(saved("bert", vocab_size=64, max_position_embeddings=40))


def build(folder: Path) -> None:
    stream = HuggingFace(id=str(folder), max_tokens=16)
    huggingface_tower(stream, "text", attention="auto", weights=True)


def change(folder: Path, **settings: Any) -> None:
    file = folder / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | settings))


SETTINGS: dict[str, tuple[dict[str, Any], str]] = {
    "another width": ({"hidden_size": 48}, r"have other shapes .*: \[32\] instead of \[48\]"),
    "more tokens": ({"vocab_size": 99}, r"\[64, 32\] instead of \[99, 32\]"),
    "an unknown activation": ({"hidden_act": "nope"}, "cannot make .*nope"),
    "an unknown family": ({"model_type": "nope"}, "does not know this type of model"),
    "a text for a number": ({"layer_norm_eps": "a"}, "config.json`: Validation error"),
    "a package that is missing": (
        {"quantization_config": {"quant_method": "bitsandbytes", "load_in_8bit": True}},
        "cannot be read",
    ),
}


@pytest.mark.parametrize("case", SETTINGS)
def test_settings_that_do_not_belong_to_the_weights(folder: Path, case: str) -> None:
    settings, said = SETTINGS[case]
    change(folder, **settings)
    with pytest.raises(BackboneError, match=said) as error:
        build(folder)
    assert "\n" not in str(error.value) and "`text`" in str(error.value)


def test_attention_that_a_folder_asks_for_is_not_needed(folder: Path) -> None:
    change(folder, attn_implementation="flash_attention_2")
    build(folder)


@pytest.mark.parametrize("length", [0, 4, 3000])
def test_cut_weights(folder: Path, length: int) -> None:
    with (folder / "model.safetensors").open("r+b") as file:
        file.truncate(length)
    with pytest.raises(BackboneError, match="cannot be read: "):
        build(folder)


def test_weights_that_are_no_numbers(folder: Path) -> None:
    file = folder / "model.safetensors"
    weights = load_file(file)
    weights["embeddings.word_embeddings.weight"][:] = torch.nan
    save_file(weights, file, metadata={"format": "pt"})
    with pytest.raises(BackboneError, match="not finite"):
        build(folder)


@pytest.mark.parametrize("length", [0, 5000])
def test_cut_weights_of_timm(saved_timm: Callable[..., str], length: int) -> None:
    name = saved_timm("deit_tiny_patch16_224", embed_dim=32, depth=1, num_heads=2)
    with (Path(name) / "model.safetensors").open("r+b") as file:
        file.truncate(length)
    with pytest.raises(BackboneError, match="cannot be read: "):
        timm_tower(Timm(name=name, image_size=32), "vision", attention="auto", weights=True)


CONFIGS: dict[str, dict[str, Any]] = {
    "a list of arguments": {"architecture": "deit_tiny_patch16_224", "model_args": [1]},
    "a text of settings": {"architecture": "deit_tiny_patch16_224", "pretrained_cfg": "a"},
    "a size that is a number": {"architecture": "x", "pretrained_cfg": {"input_size": 3}},
    "no list of stages": {"model_type": "swin", "embed_dim": 8, "depths": 3, "patch_size": 4},
    "a width in words": {"model_type": "bert", "hidden_size": "a", "intermediate_size": 4},
    "a dropout in words": {"model_type": "bert", "hidden_size": 8, "hidden_dropout_prob": "a"},
    "no list of sizes": {"model_type": "vit", "hidden_size": 8, "image_size": []},
}


@pytest.mark.parametrize("case", CONFIGS)
def test_settings_of_another_kind(tmp_path: Path, case: str) -> None:
    (tmp_path / "config.json").write_text(json.dumps(CONFIGS[case]))
    with pytest.raises(FolderError, match="of another kind"):
        read_folder(tmp_path)


@pytest.mark.parametrize("family", ["bert", "roberta", "xlm-roberta", "albert", "mpnet"])
def test_a_folder_without_its_tokenizer(tmp_path: Path, family: str) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": family}))
    with pytest.raises(DataError, match="its files are missing"):
        Tokenizer.pretrained(str(tmp_path))


def test_a_tokenizer_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "bert"}))
    (tmp_path / "tokenizer_config.json").write_text("[]")
    with pytest.raises(DataError, match="cannot be loaded"):
        Tokenizer.pretrained(str(tmp_path))

"""Folders of encoders that no library could build: said where they are named, with what helps."""

import json
from pathlib import Path
from typing import Any

import pytest

from renaissance.compiler.sources.random.schema import RandomArchitecture
from renaissance.grammar.anatomy.architecture import (
    problem_of,
    problem_of_name,
    vocabulary_named,
)
from renaissance.grammar.catalogue import find, names
from renaissance.grammar.check import check
from renaissance.grammar.encoder_flaws import flaw_of_settings
from renaissance.grammar.source import Source

BERT: dict[str, Any] = {
    "model_type": "bert",
    "hidden_size": 32,
    "num_attention_heads": 2,
    "num_hidden_layers": 2,
    "intermediate_size": 64,
    "max_position_embeddings": 16,
    "vocab_size": 64,
}
VIT: dict[str, Any] = {
    "model_type": "vit",
    "hidden_size": 32,
    "num_attention_heads": 2,
    "num_hidden_layers": 2,
    "image_size": 32,
    "patch_size": 8,
}
CONVNEXT: dict[str, Any] = {
    "model_type": "convnext",
    "hidden_sizes": [8, 16],
    "depths": [1, 1],
    "num_stages": 2,
    "image_size": 32,
    "patch_size": 4,
}
SWIN: dict[str, Any] = {
    "model_type": "swin",
    "embed_dim": 16,
    "depths": [1, 1],
    "num_heads": [2, 4],
    "image_size": 32,
    "patch_size": 4,
}


def write_weights(
    folder: Path, shapes: dict[str, list[int]], *, left_out: int = 0, dtype: str = "F32"
) -> None:
    """Write a file of safetensors whose tensors are one byte each, the last ones left out."""
    header = {
        name: {"dtype": dtype, "shape": shape, "data_offsets": [place, place + 1]}
        for place, (name, shape) in enumerate(shapes.items())
    }
    text = json.dumps({"__metadata__": {"format": "pt"}, **header}).encode()
    bytes_there = bytes(len(shapes) - left_out)
    (folder / "model.safetensors").write_bytes(len(text).to_bytes(8, "little") + text + bytes_there)


SHAPES = {
    "embeddings.word_embeddings.weight": [64, 32],
    "embeddings.patch_embeddings.projection.weight": [32, 3, 8, 8],
    "encoder.layer.0.attention.output.dense.weight": [32, 32],
    "encoder.layer.1.attention.output.dense.weight": [32, 32],
}


def problem(folder: Path, config: dict[str, Any], *, weights: bool = False) -> str:
    """Return what is wrong with a folder of these settings; empty if nothing is."""
    (folder / "config.json").write_text(json.dumps(config))
    found = problem_of_name(str(folder), weights=weights)
    assert found is None or found.help  # whoever is refused hears what helps
    return "" if found is None else found.message


@pytest.mark.parametrize("config", [BERT, VIT, CONVNEXT, SWIN])
def test_what_goes_together_is_no_flaw(config: dict[str, Any], tmp_path: Path) -> None:
    write_weights(tmp_path, SHAPES if config in (BERT, VIT) else {})
    assert problem(tmp_path, config, weights=True) == ""


FOCAL: dict[str, Any] = SWIN | {"model_type": "focalnet", "use_conv_embed": True}


@pytest.mark.parametrize(
    ("config", "shapes"),
    [
        (
            BERT | {"model_type": "rembert", "input_embedding_size": 16},
            {"embeddings.word_embeddings.weight": [64, 16]},
        ),
        (FOCAL, {"embeddings.patch_embeddings.projection.weight": [16, 3, 7, 7]}),
        (VIT | {"model_type": "vitdet", "window_size": 0}, {}),
        (CONVNEXT | {"model_type": "textnet", "hidden_sizes": [8, 8, 16]}, {}),
        (
            CONVNEXT | {"model_type": "levit", "num_attention_heads": [3, 5], "key_dim": [4, 4]},
            {},
        ),
        (BERT | {"vision_config": None}, SHAPES),
    ],
)
def test_what_is_unusual_in_a_family_is_no_flaw(
    config: dict[str, Any], shapes: dict[str, list[int]], tmp_path: Path
) -> None:
    write_weights(tmp_path, shapes)
    assert problem(tmp_path, config, weights=True) == ""


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (BERT | {"num_attention_heads": 3}, "has 3 heads, which do not divide a width of 32"),
        (BERT | {"hidden_act": "gelo"}, "asks for the activation `gelo`"),
        (BERT | {"model_type": "xlm"}, "no module is a layer"),
        (BERT | {"vocab_size": 0}, "`vocab_size` is 0"),
        (VIT | {"image_size": [32, 24]}, "32 × 24 pixels, which cannot be resized to a square"),
        (VIT | {"num_channels": 1}, "reads images of 1 channels"),
        (CONVNEXT | {"hidden_sizes": [8, 8, 16, 16]}, "2 stages by `depths` and 4 by `hidden_si"),
        (CONVNEXT | {"depths": []}, "there is no stage"),
        (
            {name: said for name, said in CONVNEXT.items() if name != "num_stages"},
            "has 2 stages by `depths` and 4 where `num_stages` is absent",
        ),
        (SWIN | {"num_heads": [2]}, "2 stages by `depths` and 1 by `num_heads`"),
        (SWIN | {"num_heads": [2, 3]}, "has 3 heads, which do not divide a width of 32"),
        (SWIN | {"window_size": 0}, "`window_size` is 0"),
    ],
)
def test_settings_that_do_not_go_together(
    config: dict[str, Any], said: str, tmp_path: Path
) -> None:
    write_weights(tmp_path, {})
    assert said in problem(tmp_path, config, weights=True)


def test_dimensions_that_a_spec_may_choose_are_no_flaw(tmp_path: Path) -> None:
    assert problem(tmp_path, BERT | {"num_attention_heads": 3}) == ""
    assert problem(tmp_path, VIT | {"image_size": [32, 24]}) == ""
    assert "do not divide" in problem(tmp_path, SWIN | {"num_heads": [2, 3]})


@pytest.mark.parametrize(
    ("config", "shapes", "said"),
    [
        (BERT | {"vocab_size": 50}, SHAPES, "is [64, 32] there, and [50, 32] by the settings"),
        (BERT | {"num_hidden_layers": 3}, SHAPES, "says 3 layers, and there are weights for 2"),
        (VIT | {"patch_size": 16}, SHAPES, "[32, 3, 8, 8] there, and [32, 3, 16, 16]"),
    ],
)
def test_weights_of_other_settings(
    config: dict[str, Any], shapes: dict[str, list[int]], said: str, tmp_path: Path
) -> None:
    write_weights(tmp_path, shapes)
    assert said in problem(tmp_path, config, weights=True)
    assert problem(tmp_path, config) == ""  # an architecture needs no weights


@pytest.mark.parametrize("dtype", ["U8", "I8", "F8_E4M3"])
def test_quantised_weights_are_told(dtype: str, tmp_path: Path) -> None:
    write_weights(tmp_path, SHAPES, dtype=dtype)
    assert f"as `{dtype}`, as quantised weights are" in problem(tmp_path, BERT, weights=True)


def test_weights_that_are_not_whole(tmp_path: Path) -> None:
    assert "holds no weights" in problem(tmp_path, BERT, weights=True)
    write_weights(tmp_path, SHAPES, left_out=1)
    assert "is cut off: " in problem(tmp_path, BERT, weights=True)
    file = tmp_path / "model.safetensors"
    for content, said in (
        (b"", "is cut off, or no file of safetensors"),
        (b"x" * 100, "is cut off, or no file of safetensors"),
        (b"version https://git-lfs.github.com/spec/v1\n", "is a pointer of Git LFS"),
        ((2).to_bytes(8, "little") + b"[]", "has a header that cannot be read"),
    ):
        file.write_bytes(content)
        assert said in problem(tmp_path, BERT, weights=True)
    file.rename(tmp_path / "model.fp16.safetensors")  # no library reads this one unasked
    write_weights(tmp_path, SHAPES)
    assert problem(tmp_path, BERT, weights=True) == ""
    file.rename(tmp_path / "model-00001-of-00002.safetensors")
    parts = {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}
    index = tmp_path / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": parts}))
    assert "lacks 1 of 2 files of weights" in problem(tmp_path, BERT, weights=True)
    (tmp_path / parts["b"]).write_bytes(b"x" * 100)
    assert f"{parts['b']}` is cut off" in problem(tmp_path, BERT, weights=True)


def test_known_encoders_have_no_flaw() -> None:
    checked = 0
    for name in names():
        for known in (find(name, "vision"), find(name, "text")):
            if known is not None and known.library == "transformers":
                assert flaw_of_settings(name, known.config, known, weights=True) is None
                checked += 1
    assert checked > 100


WORDS = {f"w{number}": number for number in range(70)}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("tokenizer.json", json.dumps({"model": {"vocab": WORDS}})),
        ("tokenizer.json", json.dumps({"model": {"vocab": [[word, 0.0] for word in WORDS]}})),
        ("tokenizer.json", json.dumps({"model": {"vocab": {}}, "added_tokens": [{"id": 69}]})),
        ("vocab.txt", "\n".join(WORDS) + "\n"),
    ],
)
def test_a_tokenizer_of_more_tokens_than_rows(name: str, content: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(content)
    stream = RandomArchitecture(id=str(tmp_path), max_tokens=8)
    (tmp_path / "config.json").write_text(json.dumps(BERT | {"vocab_size": 70}))
    assert problem_of(stream, reads=True) is None
    (tmp_path / "config.json").write_text(json.dumps(BERT | {"vocab_size": 69}))
    found = problem_of(stream, reads=True)
    assert found is not None
    assert f"`{tmp_path / name}` has 70 tokens, and the word embedding 69 rows" in found.message
    assert problem_of(stream, reads=False) is None  # a stack reads no words


VILT = BERT | {"model_type": "vilt", "image_size": 32, "patch_size": 8}
CLIP = {"model_type": "clip", "text_config": {"vocab_size": 70}, "vision_config": {}}


@pytest.mark.parametrize(
    ("config", "tokens", "said"),
    [
        (VILT | {"vocab_size": 70}, True, ""),
        (CLIP, True, ""),
        (None, True, ""),
        (VIT, True, ""),
        (None, False, "VL304: the folder `{}` holds neither the config.json of an encoder of"),
        (BERT | {"vocab_size": 69}, True, "VL304: `{}/tokenizer.json` has 70 tokens, and the wo"),
    ],
)
def test_words_need_a_tokenizer_that_tells_its_tokens(
    config: dict[str, Any] | None, tokens: bool, said: str, tmp_path: Path
) -> None:
    if config is not None:
        (tmp_path / "config.json").write_text(json.dumps(config))
    if tokens:
        (tmp_path / "tokenizer.json").write_text(json.dumps({"model": {"vocab": WORDS}}))
        assert vocabulary_named(str(tmp_path)) in (69, 70)
    text = f"""
model m {{
  embed text   = wordpiece("{tmp_path}")
  embed vision = patches {{ image_size = 32, patch = 8 }}
  fusion joint = single_stream(text, vision) {{
    encoder = random {{ layers = 1, width = 32, heads = 2 }}
  }}
}}
"""
    found = [f"{one.code}: {one.message}" for one in check(Source(name="main.vl", text=text))]
    assert len(found) == bool(said)
    assert all(one.startswith(said.format(tmp_path)) for one in found)


def test_a_finding_stands_at_the_name_and_helps(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(CONVNEXT | {"num_stages": 4}))
    text = f"""
model m {{
  backbone text   = plain_text {{ layers = 1, width = 32, heads = 2 }}
  backbone vision = huggingface("{tmp_path}") {{ image_size = 32 }}
  fusion cross = cross_attention(text, vision) {{ layers = 1, width = 32, heads = 2 }}
}}
"""
    [found] = check(Source(name="main.vl", text=text))
    assert (found.code, found.span.text) == ("VL304", f'"{tmp_path}"')
    assert found.help == ("write `num_stages`: 2",)


def read_by_a_job(folder: Path) -> list[tuple[str, str]]:
    """Return findings about a model of a folder's texts that a job trains."""
    text = f"""
model m {{
  backbone text   = random("{folder}") {{ max_tokens = 8 }}
  backbone vision = plain_vision {{ layers = 1, width = 32, heads = 2, image_size = 32 }}
  fusion cross = cross_attention(text, vision) {{ layers = 1, width = 32, heads = 2 }}
}}
finetune job on m {{ task = easy_vqa, optimizer adamw {{ lr = 1e-3 }}, batch = 8, epochs = 1 }}
"""
    return [(one.message, one.help[0]) for one in check(Source(name="main.vl", text=text))]


def test_texts_of_a_job_need_a_tokenizer(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(BERT))
    [(message, help)] = read_by_a_job(tmp_path)
    assert message == f"the folder `{tmp_path}` holds no tokenizer"
    assert "tokenizer.save_pretrained(folder)" in help
    (tmp_path / "tokenizer.json").write_text(json.dumps({"model": {"vocab": {"a": 0}}}))
    assert read_by_a_job(tmp_path) == []
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (tmp_path / name).write_text("[1")
        [(message, _)] = read_by_a_job(tmp_path)
        assert message == f"`{tmp_path / name}` is not readable as a JSON object"
        (tmp_path / name).unlink()
        (tmp_path / "vocab.txt").write_text("a\n")
        assert read_by_a_job(tmp_path) == []
    assert problem(tmp_path, BERT) == ""  # a model that nobody trains reads no texts

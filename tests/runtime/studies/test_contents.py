"""Folders that models name: what they hold is part of a stage, where they lie is not."""

import json
import os
import shutil
from pathlib import Path

import pytest

from renaissance.grammar.loading import load_studies
from renaissance.runtime.checkpoint import Reference
from renaissance.runtime.studies.stages import stages_of

SPEC = """
model shapes {
  backbone text = huggingface("FOLDER") { max_tokens = 8 }
  backbone vision = plain_vision { layers = 1, width = 16, heads = 2, image_size = 16, patch = 8 }
  fusion cross = cross_attention(text, vision) { layers = 1, width = 16, heads = 2 }
}
finetune vqa on shapes {
  task = easy_vqa { root = "vqa" }
  optimizer adamw { lr = 1e-3 }
  batch = 4
  steps = 2
}
evaluate exam of vqa { split = test }
study freezing {
  of = [vqa]
  factor freeze {
    none { vqa { model { freeze nothing } } }
    text { vqa { model { freeze text } } }
  }
}
"""
CONFIG = {
    "model_type": "bert",
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "vocab_size": 64,
    "max_position_embeddings": 16,
}


def no_tensors(said: str) -> bytes:
    """Return a file of safetensors that holds no tensors: a header behind its length."""
    header = json.dumps({"__metadata__": {"said": said}}).encode()
    return len(header).to_bytes(8, "little") + header


@pytest.fixture
def encoder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "encoder"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(CONFIG))
    (folder / "model.safetensors").write_bytes(no_tensors("one"))
    for path in folder.iterdir():
        os.utime(path, (10**9, 10**9))  # long enough ago to be remembered
    return folder


def ids(folder: Path, spec: str = SPEC) -> list[str]:
    path = Path("a.vl")
    path.write_text(spec.replace("FOLDER", str(folder)))
    [study] = load_studies(path).values()
    return list(stages_of(study.cells).distinct)


def test_a_folder_may_move_and_its_content_may_not_change(encoder: Path) -> None:
    before = ids(encoder)
    assert len(before) == 4
    copied = Path(shutil.copytree(encoder, encoder.with_name("copy")))
    (copied / "README.md").write_text("what nobody reads decides nothing")
    assert ids(copied) == before
    assert ids(encoder) == before  # from memory
    (encoder / "model.safetensors").write_bytes(no_tensors("other"))
    assert set(ids(encoder)).isdisjoint(before)
    (copied / "config.json").write_text(json.dumps({**CONFIG, "layer_norm_eps": 1e-6}))
    assert set(ids(copied)).isdisjoint(before)


def test_a_file_is_read_once(encoder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = ids(encoder)
    opened: list[str] = []
    monkeypatch.setattr(
        "renaissance.runtime.feature_cache.content.regular_file",
        lambda path, largest: opened.append(path),
    )
    assert ids(encoder) == before and opened == []


def test_detected_regions_may_move_and_may_not_change(encoder: Path) -> None:
    text = "backbone text = plain_text { layers = 1, width = 16, heads = 2, max_tokens = 8 }"
    spec = SPEC.replace('backbone text = huggingface("FOLDER") { max_tokens = 8 }', text)
    start, end = spec.index("backbone vision"), spec.index("  fusion")
    regions = 'plain_regions("FOLDER") { layers = 1, width = 16, heads = 2, channels = 8 }'
    spec = f"{spec[:start]}pool = mean\n  backbone vision = {regions}\n{spec[end:]}"
    file = encoder / "train" / "1.npz"
    file.parent.mkdir()
    file.write_bytes(bytes(100))
    before = ids(encoder, spec)
    moved = encoder.rename(encoder.with_name("moved"))
    assert ids(moved, spec) == before
    (moved / "train" / "1.npz").write_bytes(bytes(99) + b"1")
    assert set(ids(moved, spec)).isdisjoint(before)


def test_a_home_that_cannot_be_written_to_costs_only_time(
    encoder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = ids(encoder)
    monkeypatch.setenv("XDG_CACHE_HOME", "/dev/null")
    assert ids(encoder) == before


def test_weights_are_the_same_wherever_they_came_from() -> None:
    here, there = (Reference(id=id, revision=None, content="c") for id in ("a", "b"))
    assert here == there and {"text": here} == {"text": there}
    assert here != Reference(id="a", revision=None, content="d")

"""Weights are the same at every image size: what was frozen is fine-tuned at another one."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import BertTokenizerFast

from renaissance.compiler import build
from renaissance.grammar import Spec, load
from renaissance.runtime import run_jobs
from renaissance.runtime.errors import CheckpointError


def loaded(text: str, folder: Path) -> Spec:
    (folder / "two.vl").write_text(text)
    return load(folder / "two.vl")


def test_content_of_timm_weights_is_that_of_the_published_shape(
    deit: str, experiment: Callable[..., str], tmp_path: Path
) -> None:
    spec = loaded(
        experiment(vision=f'timm("{deit}") {{ image_size = 32 }}', change="vision.image_size = 48"),
        tmp_path,
    )
    small, large = build(spec, job="base"), build(spec, job="truth")
    assert small.references() == large.references()
    shapes = [
        model.state_dict()["streams.vision.encoder.pos_embed"].shape[1] for model in (small, large)
    ]
    assert shapes == [5, 10]


@pytest.mark.parametrize("frozen", ["vision", "text"])
def test_frozen_at_one_size_and_fine_tuned_at_another(
    frozen: str,
    deit: str,
    saved: Callable[..., str],
    experiment: Callable[..., str],
    tmp_path: Path,
) -> None:
    text = {}
    if frozen == "text":
        folder = saved("bert", vocab_size=64)
        word_pieces(Path(folder))
        text["text"] = f'huggingface("{folder}") {{ max_tokens = 16 }}'
    spec = loaded(
        experiment(
            **text,
            vision=f'timm("{deit}") {{ image_size = 32 }}',
            more=f"freeze {frozen}",
            change="vision.image_size = 48, freeze nothing",
        ),
        tmp_path,
    )
    run = run_jobs(spec, tmp_path / "run", device="cpu")
    assert [result.job for result in run.results] == ["base", "truth"]


def word_pieces(folder: Path) -> None:
    """Put a tokenizer beside an encoder of text."""
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghijklmnopqrstuvwxyz0123456789"]
    (folder / "vocab.txt").write_text("\n".join(pieces))
    BertTokenizerFast(str(folder / "vocab.txt")).save_pretrained(folder)


def test_other_weights_are_still_refused(
    deit: str, experiment: Callable[..., str], tmp_path: Path
) -> None:
    spec = loaded(
        experiment(vision=f'timm("{deit}") {{ image_size = 32 }}', more="freeze vision"), tmp_path
    )
    run_jobs(spec, tmp_path / "run", only=("base",), device="cpu")
    file = Path(deit) / "model.safetensors"
    before = file.read_bytes()
    try:
        tensors = load_file(file)
        tensors["pos_embed"] = tensors["pos_embed"] + torch.ones(1)
        save_file(tensors, file)
        with pytest.raises(CheckpointError, match="other pretrained weights than the model has"):
            run_jobs(spec, tmp_path / "run", only=("truth",), device="cpu")
    finally:
        file.write_bytes(before)

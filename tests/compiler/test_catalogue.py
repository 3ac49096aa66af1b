"""The catalogue against published counts and against the libraries."""

import json
from pathlib import Path

import pytest
import timm
import torch
from transformers import AutoConfig

from renaissance.compiler.backbones.sources import build_tower
from renaissance.compiler.sources.random.schema import RandomArchitecture
from renaissance.grammar.catalogue import find, names
from renaissance.grammar.encoder_folder import FolderError, read_folder

# Published parameter counts of the encoder without classifiers; pooler included where marked.
COUNTS = {
    "google/electra-small-discriminator": 13_483_008,
    "google/electra-base-discriminator": 108_891_648,
    "google/vit-base-patch16-224": 85_798_656,
    "facebook/deit-tiny-patch16-224": 5_524_416,
    "facebook/deit-small-patch16-224": 21_665_664,
    "facebook/dino-vits16": 21_665_664,
    "distilbert-base-uncased": 66_362_880,
    "microsoft/swin-tiny-patch4-window7-224": 27_519_354,
    "microsoft/swin-small-patch4-window7-224": 48_837_258,
    "swin_tiny_patch4_window7_224": 27_519_354,
    "deit_tiny_patch16_224": 5_524_416,
    "vit_base_patch16_224": 85_798_656,
    "vit_base_patch32_384": 87_528_192,
}
WITH_POOLER = {
    "bert-base-uncased": 109_482_240,
    "roberta-base": 124_645_632,
    "prajjwal1/bert-tiny": 4_385_920,
    "sentence-transformers/all-MiniLM-L6-v2": 22_713_216,
    "microsoft/MiniLM-L12-H384-uncased": 33_360_000,
    "huawei-noah/TinyBERT_General_4L_312D": 14_350_248,
}


def _tower(id: str):
    known = find(id)
    assert known is not None
    spec = RandomArchitecture(id=id, max_tokens=known.max_tokens, image_size=known.image_size)
    with torch.device("meta"):
        return known, build_tower(spec, "x", attention="auto", weights=False)


@pytest.mark.parametrize("id", [*COUNTS, *WITH_POOLER])
def test_counts_are_the_published_ones(id: str) -> None:
    known, tower = _tower(id)
    count = sum(parameter.numel() for parameter in tower.parameters())
    if id in WITH_POOLER:
        count += known.width**2 + known.width
    assert count == (COUNTS | WITH_POOLER)[id]


@pytest.mark.parametrize("id", sorted({find(id).id for id in names()}))
def test_facts_agree_with_the_library(id: str) -> None:
    known, tower = _tower(id)
    facts = tower.facts
    assert (facts.modality, facts.width) == (known.modality, known.width)
    assert len(facts.layers) == known.layers
    assert facts.vocabulary == known.vocabulary
    if known.modality == "text":
        ids = {"input_ids": torch.zeros(1, known.max_tokens, dtype=torch.long, device="meta")}
        assert tower(ids).tokens.shape == (1, known.max_tokens, known.width)
        return
    assert facts.prefix_tokens == known.prefix_tokens
    size = known.image_size
    tokens = tower(torch.empty(1, 3, size, size, device="meta")).tokens
    grid = size // known.patch if known.sequence else 7
    assert tokens.shape == (1, known.prefix_tokens + grid**2, known.width)


@pytest.mark.parametrize("id", [id for id in names() if find(id).library == "timm"])
def test_pixel_statistics_agree_with_timm(id: str) -> None:
    published = timm.get_pretrained_cfg(id)
    assert find(id).statistics == (tuple(published.mean), tuple(published.std))


def test_an_id_is_found_by_all_of_its_names() -> None:
    for id in ("timm/deit_tiny_patch16_224.fb_in1k", "hf-hub:timm/deit_tiny_patch16_224.fb_in1k"):
        assert find(id) is find("deit_tiny_patch16_224")
    assert find("google-bert/bert-base-uncased").config == find("bert-base-uncased").config
    assert find("nobody/nothing") is None


@pytest.mark.parametrize("id", ["roberta-base", "microsoft/swin-tiny-patch4-window7-224"])
def test_a_folder_of_transformers_says_the_same(id: str, tmp_path: Path) -> None:
    known = find(id)
    values = {key: value for key, value in known.config.items() if key != "model_type"}
    AutoConfig.for_model(known.model_type, **values).save_pretrained(tmp_path)
    if known.statistics:
        mean, std = known.statistics
        text = json.dumps({"image_mean": mean, "image_std": std})
        (tmp_path / "preprocessor_config.json").write_text(text)
    read = read_folder(tmp_path)
    for fact in ("layers", "width", "heads", "mlp_ratio", "vocabulary", "max_tokens", "sequence"):
        assert getattr(read, fact) == getattr(known, fact), fact
    for fact in ("position_offset", "tokenizer", "image_size", "patch", "statistics"):
        assert getattr(read, fact) == getattr(known, fact), fact


def test_a_folder_of_timm(tmp_path: Path) -> None:
    config = {
        "architecture": "deit_tiny_patch16_224",
        "pretrained_cfg": {"mean": [0.1] * 3, "std": [0.2] * 3, "input_size": [3, 96, 96]},
    }
    (tmp_path / "config.json").write_text(json.dumps(config))
    read = read_folder(tmp_path)
    assert (read.library, read.width, read.image_size) == ("timm", 192, 96)
    assert read.statistics == ((0.1,) * 3, (0.2,) * 3)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "holds no config.json"),
        ("{", "is not readable as JSON"),
        ("[]", "is not a JSON object"),
        ("{}", "names neither a model_type nor an architecture"),
        ('{"model_type": "bert"}', "states no hidden size"),
    ],
)
def test_a_folder_that_is_no_model(content: str | None, sentence: str, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "config.json").write_text(content)
    with pytest.raises(FolderError, match=sentence):
        read_folder(tmp_path)
    with pytest.raises(FolderError, match="there is no folder"):
        read_folder(tmp_path / "missing")

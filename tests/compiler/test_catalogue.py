"""The catalogue against published counts and against the libraries."""

import json
from functools import cache
from hashlib import sha256
from pathlib import Path

import pytest
import timm
import torch
import transformers
from timm.models._registry import _deprecated_models
from transformers import AutoConfig
from transformers.activations import ACT2FN
from transformers.models.auto.configuration_auto import CONFIG_MAPPING

from renaissance.compiler.backbones.sources import build_tower
from renaissance.compiler.model_types_table import differences as differences_of_types
from renaissance.compiler.sources.random.schema import RandomArchitecture
from renaissance.compiler.timm_table import differences, former_names
from renaissance.grammar.catalogue import find, named_as_timm_does, names
from renaissance.grammar.catalogue.lookup import ENTRIES
from renaissance.grammar.catalogue.timm_models import (
    FORMER,
    line_of,
    parsed,
    timm_model,
    timm_names,
    timm_version,
)
from renaissance.grammar.encoder_flaws import ACTIVATIONS
from renaissance.grammar.encoder_folder import FolderError, read_folder
from renaissance.grammar.model_types import TABLE, model_types
from renaissance.grammar.model_types import line_of as line_of_type
from renaissance.grammar.model_types import model_type as type_named

# Published parameter counts of the encoder without classifiers; pooler included where marked.
COUNTS = {
    "google/electra-small-discriminator": 13_483_008,
    "google/electra-base-discriminator": 108_891_648,
    "microsoft/deberta-v3-xsmall": 70_682_112,
    "microsoft/deberta-v3-small": 141_304_320,
    "microsoft/deberta-v3-base": 183_831_552,
    "microsoft/deberta-v3-large": 434_012_160,
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
# Of both encoders with what maps the text's to the space that they share.
PAIRS = {
    "google/siglip-base-patch16-224": 203_155_970,
    "google/siglip-large-patch16-256": 652_150_786,
    "google/siglip-so400m-patch14-384": 877_960_498,
    "google/siglip2-base-patch32-256": 376_856_066,
    "google/siglip2-so400m-patch14-224": 1_135_463_602,
}

# Millions of parameters that papers and model cards state, of one encoder without what pools.
MILLIONS = {
    ("FacebookAI/xlm-roberta-base", "vision"): 277,
    ("facebook/convnext-tiny-224", "vision"): 28,
    ("facebook/convnextv2-large-22k-224", "vision"): 196,
    ("facebook/dinov2-base", "vision"): 87,
    ("facebook/dinov2-with-registers-giant", "vision"): 1136,
    ("facebook/dinov3-convnext-base-pretrain-lvd1689m", "vision"): 88,
    ("facebook/dinov3-vit7b16-pretrain-lvd1689m", "vision"): 6716,
    ("facebook/dinov3-vith16plus-pretrain-lvd1689m", "vision"): 841,
    ("facebook/dinov3-vits16plus-pretrain-lvd1689m", "vision"): 29,
    ("microsoft/swin-large-patch4-window7-224", "vision"): 195,
    ("answerdotai/ModernBERT-base", "vision"): 149,
    ("answerdotai/ModernBERT-large", "vision"): 395,
    ("openai/clip-vit-large-patch14", "vision"): 303,
    ("openai/clip-vit-large-patch14", "text"): 123,
    ("openai/clip-vit-base-patch32", "text"): 63,
}


@cache
def _tower(id: str, half: str = "vision", layers: int | None = None):
    """Return what is known of an encoder, and the encoder on torch's meta device.

    Args:
        id: hub id or timm name.
        half: which one is meant where there are two.
        layers: how many are built; all by default.
    """
    known = find(id, half)
    assert known is not None
    spec = RandomArchitecture(
        id=id, half=half, layers=layers, max_tokens=known.max_tokens, image_size=known.image_size
    )
    with torch.device("meta"):
        return known, build_tower(spec, "x", attention="auto", weights=False)


def _count(id: str, half: str = "vision") -> int:
    """Return how many parameters a tower has; all layers of a stack are like the second one."""
    known = find(id, half)
    first, *others = (
        sum(parameter.numel() for parameter in _tower(id, half, layers)[1].parameters())
        for layers in ((1, 2) if known.sequence else (None,))
    )
    return first + sum((known.layers - 1) * (second - first) for second in others)


@pytest.mark.skipif(
    # Its first line says which version it was made from: `# transformers VERSION: …`.
    not TABLE.read_text("utf-8").startswith(f"# transformers {transformers.__version__}:"),
    reason="made from another transformers",
)
def test_the_table_of_types_is_that_of_the_installed_transformers() -> None:
    """Some of each kind; `python -m renaissance.compiler.model_types_table --check` takes all."""
    names = ("bert", "blip", "clap", "clip", "git", "hgnet_v2", "idefics3", "pixtral", "resnet")
    names += ("siglip_vision_model", "t5", "timm_wrapper", "videomae", "vit", "wav2vec2")
    assert not differences_of_types({name: CONFIG_MAPPING[name] for name in names})


def test_every_half_in_the_table_of_types_is_a_type_of_its_own() -> None:
    for name in model_types():
        known = type_named(name)
        assert known is not None and line_of_type(known).partition("\t")[0] == name
        assert bool(known.refused) is (known.reads == "nothing")
        for half in filter(None, (known.vision, known.text)):
            part = type_named(half)
            assert (part is not None and part.reads != "pair") or half == "t5gemma2_encoder"


@pytest.mark.parametrize("id", [*COUNTS, *WITH_POOLER])
def test_counts_are_the_published_ones(id: str) -> None:
    width = find(id).width
    pooler = width**2 + width if id in WITH_POOLER else 0
    assert _count(id) + pooler == (COUNTS | WITH_POOLER)[id]


@pytest.mark.parametrize("id", PAIRS)
def test_counts_of_pairs_are_the_published_ones(id: str) -> None:
    width, scale_and_bias = find(id).width, 2
    both = _count(id, "vision") + _count(id, "text")
    assert both + width**2 + width + scale_and_bias == PAIRS[id]


@pytest.mark.parametrize(("id", "half"), MILLIONS)
def test_counts_are_about_the_stated_ones(id: str, half: str) -> None:
    assert round(_count(id, half) / 1e6) == MILLIONS[id, half]


def _each() -> list[tuple[str, str]]:
    """Return one encoder of each configuration, but for the size of images."""
    found = {}
    for id in names():
        for half in ("vision", "text"):
            known = find(id, half)
            if not known.refused:
                sizes = {**known.config, "image_size": None, "model": known.model_type}
                found[json.dumps(sizes, sort_keys=True)] = (id, half)
    return sorted(found.values())


@pytest.mark.parametrize(("id", "half"), _each())
def test_facts_agree_with_the_library(id: str, half: str) -> None:
    layers = 2 if find(id, half).sequence else None
    known, tower = _tower(id, half, layers)
    facts = tower.facts
    assert (facts.modality, facts.width) == (known.modality, known.width)
    assert len(facts.layers) == (layers or known.layers)
    assert facts.vocabulary == known.vocabulary
    if known.modality == "text":
        length = min(known.max_tokens, 512)
        ids = {"input_ids": torch.zeros(1, length, dtype=torch.long, device="meta")}
        assert tower(ids).tokens.shape == (1, length, known.width)
        return
    assert facts.prefix_tokens == known.prefix_tokens
    size = known.image_size
    tokens = tower(torch.empty(1, 3, size, size, device="meta")).tokens
    grid = size // known.patch if known.sequence else size // 32
    assert tokens.shape == (1, known.prefix_tokens + grid**2, known.width)


def test_every_entry_has_a_source_and_names_of_its_own() -> None:
    assert all(entry.source.startswith("https://") for entry in ENTRIES)
    assert len({id for entry in ENTRIES for id in entry.ids}) == sum(len(e.ids) for e in ENTRIES)


def test_the_table_of_timm_is_read_as_it_was_written() -> None:
    models = [timm_model(name) for name in timm_names()]
    assert len(models) > 1300
    for model in models:
        assert parsed(line_of(model)) == model


def _sample() -> list[str]:
    by_hash = sorted(timm_names(), key=lambda name: sha256(name.encode()).digest())
    return [name for name in by_hash if timm_model(name).parameters < 2e7][:8]


@pytest.mark.skipif(timm.__version__ != timm_version(), reason="made from another timm")
def test_every_name_that_timm_takes_is_one_of_timm() -> None:
    assert FORMER.read_text("utf-8") == former_names()
    hub = ("hf-hub:a/b", "hf_hub:a/b", "hf-hub:a", "timm/resnet18", "local-dir:a")
    taken = [*timm.list_models(), *timm.list_models(pretrained=True), *_deprecated_models, *hub]
    assert [name for name in taken if not named_as_timm_does(name)] == []
    known = find("vit_base_patch16_224_in21k")
    assert known == find("hf_hub:timm/vit_base_patch16_224.augreg_in21k") is not None
    assert not named_as_timm_does("vit_base_patch16_244")


@pytest.mark.skipif(timm.__version__ != timm_version(), reason="made from another timm")
@pytest.mark.parametrize("name", _sample())
def test_the_table_of_timm_agrees_with_timm(name: str) -> None:
    assert differences([name]) == []


@pytest.mark.parametrize("id", [id for id in names() if find(id).library == "timm"])
def test_pixel_statistics_agree_with_timm(id: str) -> None:
    published = timm.get_pretrained_cfg(id)
    assert find(id).statistics == (tuple(published.mean), tuple(published.std))


def test_an_id_is_found_by_all_of_its_names() -> None:
    for id in ("timm/deit_tiny_patch16_224.fb_in1k", "hf-hub:timm/deit_tiny_patch16_224.fb_in1k"):
        assert find(id) is find("deit_tiny_patch16_224")
    assert find("google-bert/bert-base-uncased").config == find("bert-base-uncased").config
    assert find("nobody/nothing") is None
    by_tag = find("vit_base_patch16_224.augreg_in21k")
    assert (by_tag.width, by_tag.image_size) == (768, 224)
    assert find("timm/eva02_base_patch14_448.mim_in22k_ft_in1k").image_size == 448
    assert find("vit_base_patch16_224.nobody") is None
    assert find("google/siglip2-base-patch16-naflex").refused


def test_every_activation_of_transformers_is_known() -> None:
    assert ACT2FN.keys() <= ACTIVATIONS


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

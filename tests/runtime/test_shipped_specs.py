"""Every job of every spec that ships starts, learns two steps and ends, in its own precision.

Towers are random ones of the published families, saved to folders; sizes, steps and data are tiny.
"""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from PIL import Image
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import (
    BertConfig,
    BertModel,
    BlipConfig,
    BlipForImageTextRetrieval,
    CLIPConfig,
    CLIPModel,
    ElectraConfig,
    ElectraModel,
    LxmertConfig,
    LxmertForPreTraining,
    PreTrainedModel,
    PreTrainedTokenizerFast,
    ViltConfig,
    ViltForMaskedLM,
    VisualBertConfig,
    VisualBertForPreTraining,
    ViTConfig,
    ViTModel,
)

from renaissance.compiler import plan
from renaissance.compiler.assembly import build
from renaissance.grammar import load
from renaissance.grammar.anatomy.model import starts_random
from renaissance.grammar.canonical import print_spec
from renaissance.grammar.schema.jobs import Evaluate
from renaissance.grammar.shipped import shipped_path, shipped_specs
from renaissance.runtime.checkpoint import read_checkpoint
from tests.published import write_karpathy, write_nlvr2, write_snli_ve, write_vqav2
from tests.published_glue import write_glue
from tests.published_referring import write_refcoco
from tests.runs import events, train
from tests.tiny import write_easy_vqa, write_nlvr

FAMILIES = {
    "google/electra-small-discriminator": "electra",
    "google/electra-base-discriminator": "electra",
    "bert-base-uncased": "bert",
    "huawei-noah/TinyBERT_General_4L_312D": "bert",
    "google/vit-base-patch16-224": "vit",
    "facebook/dino-vits16": "vit",
    "deit_tiny_patch16_224": "deit",
    "deit_small_patch16_224": "deit",
    "vit_base_patch32_384": "deit",
    "google/vit-base-patch32-384": "vit",
    "openai/clip-vit-base-patch16": "clip",
    "deit_base_patch16_224": "deit",
    "roberta-base": "bert",
    "sentence-transformers/all-MiniLM-L6-v2": "bert",
}
"""Which saved tower stands for a published one."""

SCALES = {
    "layers": "1",
    "width": "32",
    "heads": "2",
    "image_size": "32",
    "patch": "16",
    "warmup": "10%",
    "channels": "8",
    "shorter": "32",
    "longer": "64",
    "max_tokens": "12",
    "batch": "4",
    "micro_batch": "2",
    "steps": "",
    "epochs": "",
    "workers": "0",
    "revision": "",
    "checkpoint_every": "100%",
}
"""What a key of the canonical text becomes; a key without a value is left out."""

WORDS = ["a", "photo", "of", "the", "red", "green", "blue", "gray", "thing", "on", "paper"]


def write_tokenizer(folder: Path) -> None:
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    backend = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    backend.normalizer = normalizers.BertNormalizer(lowercase=True)
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    backend.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    special = {
        f"{name}_token": f"[{name.upper()}]" for name in ("unk", "pad", "cls", "sep", "mask")
    }
    PreTrainedTokenizerFast(tokenizer_object=backend, **special).save_pretrained(folder)


def write_pairs(folder: Path) -> list[dict[str, str]]:
    """Write eight images and return a row about each."""
    folder.mkdir(parents=True)
    draw = np.random.default_rng(0)
    for number in range(8):
        pixels = draw.integers(0, 256, (40, 32, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    return [
        {
            "image": f"{number}.png",
            "caption": f"a photo of the {WORDS[4 + number % 4]} thing {number}",
        }
        for number in range(8)
    ]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Saved towers, and data where the specs look for them."""
    home = tmp_path_factory.mktemp("home")
    torch.manual_seed(0)
    size = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    words = {"vocab_size": 5 + len(WORDS), "max_position_embeddings": 16, "intermediate_size": 64}
    ElectraModel(ElectraConfig(embedding_size=16, **size, **words)).save_pretrained(
        home / "electra"
    )
    bert = BertConfig(**size, **words | {"intermediate_size": 128})
    BertModel(bert).save_pretrained(home / "bert")
    for name in ("electra", "bert"):
        write_tokenizer(home / name)
    patches = {"image_size": 32, "patch_size": 16, "intermediate_size": 64}
    ViTModel(ViTConfig(**size, **patches)).save_pretrained(home / "vit")
    sides = {"text_config": {**size, **words}, "vision_config": {**size, **patches}}
    CLIPModel(CLIPConfig(**sides, projection_dim=16)).save_pretrained(home / "clip")
    write_tokenizer(home / "clip")
    options = {"embed_dim": 32, "depth": 1, "num_heads": 2, "img_size": 32}
    deit = timm.create_model("deit_tiny_patch16_224", **options)
    timm.models.save_for_hf(deit, home / "deit", safe_serialization=True, model_args=options)
    for name in ("coco", "vg"):
        rows = write_pairs(home / "data" / name)
        text = "\n".join(json.dumps(row) for row in rows)
        (home / f"data/{name}.jsonl").write_text(text)
    (home / "data/regions").mkdir()
    for number in range(8):
        regions = {"features": np.ones((5, 8), np.float32), "boxes": np.array([[0, 0, 9, 9]] * 5)}
        np.savez(home / f"data/regions/{number}.npz", width=40, height=32, **regions)
    rows = write_pairs(home / "pairs")
    lines = ["image,caption", *(f"pairs/{row['image']},{row['caption']}" for row in rows)]
    (home / "pairs.csv").write_text("\n".join(lines))
    write_nlvr(home / "data/nlvr", {"train": 12, "dev": 12, "test": 3, "hidden": 3})
    write_nlvr2(home / "data/nlvr2")
    write_vqav2(home / "data/vqav2")
    write_karpathy(home / "data/coco")
    write_snli_ve(home / "data/snli_ve")
    write_refcoco(home / "data/refcoco")
    write_glue(home / "data/glue")
    write_easy_vqa(home / "evqa", shapes=True)
    return home


def scaled(text: str, home: Path) -> str:
    """Make a canonical text small, with saved towers in place of published ones."""

    def change(line: re.Match[str]) -> str:
        value = SCALES[line["key"]]
        return f"{line['start']}{value}\n" if value else ""

    keys = "|".join(SCALES)
    text = re.sub(rf"(?m)(?P<start>^ +(?P<key>{keys}) += )\S+\n", change, text)
    text = re.sub(r"(?m)^ +validate_every .*\n", "  validate_every = 100%\n  steps = 2\n", text)
    for published, name in FAMILIES.items():
        text = text.replace(f'"{published}"', f'"{home / name}"')
    text = re.sub(r"(texts_per_image += )64\n", r"\g<1>4\n", text)
    root = f'root = "{home / "evqa"}"\n'
    text = re.sub(r"(format += easy_vqa\n)", rf"\1  {root}", text)
    return text.replace("task = easy_vqa {\n", "task = easy_vqa {\n" + root)


def test_every_published_tower_has_a_saved_one() -> None:
    declared = re.compile(r'(?:huggingface|timm|random|wordpiece)\("([^"]+)"\)')
    named = {
        name
        for spec in shipped_specs()
        for name in declared.findall(print_spec(load(shipped_path(spec) or "")))
    }
    assert named == set(FAMILIES)


@pytest.mark.parametrize("name", shipped_specs())
def test_every_job_runs(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(home)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    shipped = load(shipped_path(name) or "")
    file = tmp_path / "small.vl"
    file.write_text(scaled(print_spec(shipped), home))
    spec = load(file)
    assert [*spec.jobs] == [*shipped.jobs]
    run = train(spec, tmp_path / "run")
    assert [result.job for result in run.results] == [*spec.jobs]
    for job in spec.jobs:
        if isinstance(spec.jobs[job], Evaluate):
            continue
        assert spec.training_job(job).precision == shipped.training_job(job).precision
        losses = [event["loss"] for event in events(tmp_path / "run", job, "step")]
        assert losses and np.isfinite(losses).all()
        state = read_checkpoint(tmp_path / f"run/{job}/checkpoints/step-00000002").state
        model = spec.model_of(job)
        published = not all(map(starts_random, model.streams.values()))
        assert bool(state.referenced) == (bool(model.freeze) and published)


@pytest.mark.parametrize("name", ["studies/basing", "studies/basing_nlvr"])
def test_every_model_that_a_study_compares_is_built(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Those of its levels; what the jobs are on as they are declared has learned above."""
    monkeypatch.chdir(home)
    path = shipped_path(name) or ""
    file = tmp_path / "small.vl"
    file.write_text(scaled(print_spec(load(path)), home))
    levels = dict.fromkeys(re.findall(r"base\.model = (\w+)", Path(path).read_text()))
    assert len(levels) > 2
    for level in levels.keys() - {load(path).jobs["base"].on}:
        spec = load(file, set={"base.model": level})
        assert any(part.requires_grad for part in build(spec, job="base").parameters()), level


SIZE = {"hidden_size": 32, "num_attention_heads": 2}
ONE = {**SIZE, "num_hidden_layers": 1}
OF_WORDS = {"vocab_size": 5 + len(WORDS), "max_position_embeddings": 16}
OF_PATCHES = {"image_size": 32, "patch_size": 16}


def published(name: str) -> PreTrainedModel:
    """Draw a published model of the form that a shipped one has, in the sizes of `scaled`."""
    torch.manual_seed(0)
    wide, narrow = {"intermediate_size": 128}, {"intermediate_size": 64}
    if name == "lxmert":
        layers = dict.fromkeys(("l_layers", "r_layers", "x_layers"), 1)
        config = LxmertConfig(**SIZE, **wide, **OF_WORDS, **layers, visual_feat_dim=8)
        return LxmertForPreTraining(config)
    if name == "visual_bert":
        config = VisualBertConfig(**ONE, **wide, **OF_WORDS, visual_embedding_dim=8)
        return VisualBertForPreTraining(config)
    if name == "vilt":
        return ViltForMaskedLM(ViltConfig(**ONE, **narrow, **OF_WORDS, **OF_PATCHES))
    if name == "albef":
        text, vision = {**ONE, **wide, **OF_WORDS}, {**ONE, **wide, **OF_PATCHES}
        return BlipForImageTextRetrieval(
            BlipConfig(image_text_hidden_size=32, text_config=text, vision_config=vision)
        )
    inner = wide if name == "clip" else narrow
    text, vision = {**ONE, **inner, **OF_WORDS}, {**ONE, **inner, **OF_PATCHES}
    return CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=32))


FRESH = {
    "albef": ("streams.text.", "heads."),
    "clip": (),
    "lxmert": (),
    "meter": ("streams.text.", "fusion.", "pool.", "heads."),
    "vilt": ("heads.itm.", "heads.mlm.decoder."),
    "visual_bert": ("heads.itm.",),
}
"""How the names of what starts at random begin, where a shipped model starts from another's."""


@pytest.mark.parametrize("name", FRESH)
def test_a_shipped_model_starts_from_a_published_one(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(home)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    published(name).save_pretrained(tmp_path / "published")
    file = tmp_path / "small.vl"
    file.write_text(scaled(print_spec(load(shipped_path(f"models/{name}") or "")), home))
    spec = load(file, set={f"{name}.weights": str(tmp_path / "published")})
    train(spec, tmp_path / "run", "base")
    lines = (tmp_path / "run/base/weights.tsv").read_text().splitlines()[1:]
    rows = [line.split("\t") for line in lines]
    taken = [own for theirs, own in rows if "-" not in (theirs, own)]
    assert any(own.startswith(("streams.", "fusion.")) for own in taken)
    fresh = [own for theirs, own in rows if theirs == "-"]
    assert all(own.startswith(FRESH[name]) for own in fresh), fresh
    [planned] = plan(spec).jobs
    assert any("tensors start from" in note for note in planned.model.notes)

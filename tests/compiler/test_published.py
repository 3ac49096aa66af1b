"""Models that start from folders of published ones give what transformers' classes give."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import WhitespaceSplit
from torch import Tensor, nn
from transformers import (
    BlipConfig,
    BlipForImageTextRetrieval,
    CLIPConfig,
    CLIPModel,
    LxmertConfig,
    LxmertForPreTraining,
    LxmertModel,
    PreTrainedModel,
    SiglipConfig,
    SiglipModel,
    ViltConfig,
    ViltForMaskedLM,
    ViltModel,
    VisualBertConfig,
    VisualBertForPreTraining,
    VisualBertModel,
)

from renaissance.compiler import build, plan
from renaissance.compiler.batch import Batch, Items, PatchPlaces, RegionRows, TextRows, Texts, Truth
from renaissance.compiler.comparing import Rows
from renaissance.compiler.errors import CompileError
from renaissance.compiler.model import VisionLanguageModel
from renaissance.compiler.step import Objectives
from renaissance.grammar.composition.resolution import resolve
from renaissance.grammar.loading import load
from renaissance.grammar.published_models import USUAL, published_model
from renaissance.grammar.published_text import text_of
from renaissance.grammar.schema.spec import Spec
from renaissance.grammar.source import Source, read_source
from renaissance.runtime.data.streams import text_needs
from renaissance.runtime.data.tokenizer import Tokenizer as Words
from renaissance.runtime.objectives.itc.loss import loss as contrast

SIZES: dict[str, Any] = {
    "hidden_size": 16,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "vocab_size": 30522,
    "hidden_dropout_prob": 0.0,
    "attention_probs_dropout_prob": 0.0,
}
SIDE = {
    "hidden_size": 16,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "hidden_act": "gelu",
}
END = 49407
CONFIGS: dict[str, Any] = {
    "lxmert": LxmertConfig(**SIZES, l_layers=2, r_layers=1, x_layers=2, visual_feat_dim=5),
    "visual_bert": VisualBertConfig(**SIZES, num_hidden_layers=2, visual_embedding_dim=5),
    "vilt": ViltConfig(**SIZES, num_hidden_layers=2, image_size=16, patch_size=8),
    "clip": CLIPConfig(
        text_config=SIDE | {"vocab_size": 49408, "eos_token_id": END},
        vision_config=SIDE | {"image_size": 16, "patch_size": 8, "num_attention_heads": 4},
        projection_dim=12,
    ),
    "siglip": SiglipConfig(
        text_config=SIDE | {"vocab_size": 64, "max_position_embeddings": 7, "projection_size": 16},
        vision_config=SIDE | {"image_size": 16, "patch_size": 8},
    ),
    "blip": BlipConfig(
        text_config=SIDE | {"vocab_size": 30522, "attention_probs_dropout_prob": 0.0},
        vision_config=SIDE | {"image_size": 16, "patch_size": 8},
        image_text_hidden_size=12,
    ),
}
CLASSES: dict[str, tuple[Callable[[Any], PreTrainedModel], ...]] = {
    "lxmert": (LxmertModel, LxmertForPreTraining),
    "visual_bert": (VisualBertModel, VisualBertForPreTraining),
    "vilt": (ViltModel, ViltForMaskedLM),
    "clip": (CLIPModel,),
    "blip": (BlipForImageTextRetrieval,),
    "siglip": (SiglipModel,),
}
MODELS = {
    "lxmert": """
  backbone text = random("bert-base-uncased") {
    layers = 2, width = 16, heads = 2, dropout = 0.0, max_tokens = 12
  }
  backbone vision = plain_regions("features") {
    channels = 5, regions = 4, layers = 1, width = 16, heads = 2, dropout = 0.0
  }
  fusion cross = cross_attention(text, vision) {
    layers = 2, width = 16, heads = 2, projection = needed, type_embedding = false, dropout = 0.0
  }
""",
    "visual_bert": """
  embed text = wordpiece("bert-base-uncased") { max_tokens = 12, eps = 1e-12 }
  embed vision = regions("features") { channels = 5, regions = 4, boxes = false }
  fusion joint = single_stream(text, vision) {
    encoder = random("bert-base-uncased") { layers = 2, width = 16, heads = 2, dropout = 0.0 }
    type_embedding = false
  }
""",
    "vilt": """
  embed text = wordpiece("bert-base-uncased") { max_tokens = 12, eps = 1e-12, token_types = 2 }
  embed vision = patches { image_size = 16, patch = 8 }
  fusion joint = single_stream(text, vision) {
    encoder = random("google/vit-base-patch16-224") {
      layers = 2, width = 16, heads = 2, dropout = 0.0
    }
  }
""",
    "vilt on plain layers": """
  embed text = wordpiece("bert-base-uncased") { max_tokens = 12, eps = 1e-12 }
  embed vision = patches { image_size = 16, patch = 8 }
  fusion joint = single_stream(text, vision) {
    encoder = random { layers = 2, width = 16, heads = 2, dropout = 0.0, eps = 1e-12 }
  }
""",
}
JOB = """
data pairs {
  format = easy_vqa
  root   = "pictures"
}
pretrain base on tiny {
  data = [pairs]
  objective mlm { decoder = tied }
  optimizer adamw { lr = 1e-3 }
  batch = 8
  steps = 1
}
"""
every_model = pytest.mark.parametrize("form", MODELS)


def family(form: str) -> str:
    return form.partition(" ")[0]


def saved(form: str, folder: Path, of: int = 0) -> PreTrainedModel:
    """Draw a model of transformers, and save it."""
    torch.manual_seed(0)
    model = CLASSES[family(form)][of](CONFIGS[family(form)])
    with torch.no_grad():
        for parameter in model.parameters():
            # Of few digits, so that sums of them are exact in float32 too.
            parameter.copy_(nn.init.normal_(parameter, std=0.3).mul(256).round() / 256)
    model.save_pretrained(folder)
    return model.double().eval()


def spec_of(form: str, folder: Path, *, extra: str = "", job: str = "") -> Spec:
    path = folder.parent / "tiny.vl"
    path.write_text(
        f'model tiny {{{MODELS[form]}  pool = first\n  weights = "{folder}"\n{extra}}}\n{job}'
    )
    return load(path)


def inputs(form: str) -> tuple[dict[str, Tensor], Any]:
    torch.manual_seed(1)
    text = {"input_ids": torch.randint(5, 60, (3, 7)), "attention_mask": torch.ones(3, 7).long()}
    text["attention_mask"][1, 4:] = 0
    text["input_ids"][1, 4:] = 0
    if family(form) == "vilt":
        return text, torch.randn(3, 3, 16, 16, dtype=torch.float64)
    mask = torch.tensor([[True] * 4, [True, True, False, False], [True] * 4])
    return text, {
        "features": torch.randn(3, 4, 5, dtype=torch.float64),
        "boxes": torch.rand(3, 4, 4, dtype=torch.float64),
        "mask": mask,
    }


def theirs(form: str, model: PreTrainedModel) -> tuple[Tensor, Tensor]:
    """Return the tokens of the text and the pooled vector that transformers gives."""
    text, vision = inputs(form)
    if family(form) == "vilt":
        found = model(**text, pixel_values=vision, pixel_mask=torch.ones(3, 16, 16).long())
        return found.last_hidden_state[:, :7], found.pooler_output
    if family(form) == "lxmert":
        found = model(
            **text,
            visual_feats=vision["features"],
            visual_pos=vision["boxes"],
            visual_attention_mask=vision["mask"].double(),
        )
        return found.language_output, found.pooled_output
    found = model(
        **text, visual_embeds=vision["features"], visual_attention_mask=vision["mask"].long()
    )
    return found.last_hidden_state[:, :7], found.pooler_output


def ours(form: str, spec: Spec) -> tuple[Tensor, Tensor, VisionLanguageModel]:
    model = build(spec).double().eval()
    text, vision = inputs(form)
    found = model(text=text, vision=vision)
    return found.streams["text"], found.pooled, model


@every_model
def test_outputs_are_those_of_transformers(form: str, tmp_path: Path) -> None:
    published = saved(form, tmp_path / "published")
    text, pooled, model = ours(form, spec_of(form, tmp_path / "published"))
    wanted, vector = theirs(form, published)
    there = inputs(form)[0]["attention_mask"].bool()
    torch.testing.assert_close(text[there], wanted[there], rtol=0, atol=1e-10)
    torch.testing.assert_close(pooled, vector, rtol=0, atol=1e-10)
    assert not model.started.fresh


@every_model
def test_words_are_scored_as_transformers_does(form: str, tmp_path: Path) -> None:
    published = saved(form, tmp_path / "published", of=1)
    model = build(spec_of(form, tmp_path / "published", job=JOB), job="base").double().eval()
    text, vision = inputs(form)
    found = model.heads["mlm"](model(text=text, vision=vision).streams["text"])
    if family(form) == "vilt":
        mask = torch.ones(3, 16, 16).long()
        wanted = published(**text, pixel_values=vision, pixel_mask=mask).logits
    elif family(form) == "lxmert":
        wanted = published(
            **text,
            visual_feats=vision["features"],
            visual_pos=vision["boxes"],
            visual_attention_mask=vision["mask"].double(),
        ).prediction_logits
    else:
        wanted = published(
            **text,
            visual_embeds=vision["features"],
            visual_attention_mask=vision["mask"].long(),
        ).prediction_logits[:, :7]
    there = text["attention_mask"].bool()
    torch.testing.assert_close(found[there], wanted[there], rtol=0, atol=1e-10)


@every_model
def test_what_is_taken_and_left_is_said(form: str, tmp_path: Path) -> None:
    saved(form, tmp_path / "published", of=1)
    spec = spec_of(form, tmp_path / "published", job=JOB)
    model = build(spec, job="base")
    started = model.started
    names = {name for name in model.state_dict() if "decoder" not in name}
    assert set(started.taken) | set(started.fresh) == names
    assert not started.fresh and all("mlm" not in name for name in started.fresh)
    rows = {theirs for theirs, _ in started.table}
    assert {*started.left} <= rows
    [planned] = plan(spec).jobs
    assert set(started.sentences) <= set(planned.model.notes)


@every_model
def test_frozen_parts_refer_to_the_folder(form: str, tmp_path: Path) -> None:
    saved(form, tmp_path / "published")
    extra = "  freeze text\n  freeze vision\n"
    model = build(spec_of(form, tmp_path / "published", extra=extra))
    references = model.references()
    assert {"text", "vision"} <= set(references)
    assert {one.id for one in references.values()} == {str(tmp_path / "published")}
    again = build(spec_of(form, tmp_path / "published", extra=extra)).references()
    assert again == references


CLIP = """
model tiny {{
  backbone text = random("{folder}") {{ half = text, max_tokens = 12 }}
  backbone vision = random("{folder}")
  fusion space = dual_encoder(text, vision) {{ width = 12 }}
  pool    = last
  pooler  = none
  weights = "{folder}"
}}
data pairs {{ format = easy_vqa, root = "pictures" }}
pretrain base on tiny {{
  data = [pairs]
  objective itc
  optimizer adamw {{ lr = 1e-3 }}
  batch = 8
  steps = 1
}}
"""


def test_clip_compares_as_transformers_does(tmp_path: Path) -> None:
    published = saved("clip", tmp_path / "published")
    (tmp_path / "clip.vl").write_text(CLIP.format(folder=tmp_path / "published"))
    spec = load(tmp_path / "clip.vl")
    model = build(spec, job="base")
    assert not model.started.fresh and not model.started.left
    model = model.double().eval()
    text, _ = inputs("clip")
    text["input_ids"][0, -1] = text["input_ids"][1, 3] = text["input_ids"][2, -1] = END
    pixels = torch.randn(3, 3, 16, 16, dtype=torch.float64)
    wanted = published(**text, pixel_values=pixels)
    encoded = {"text": model.encode("text", text), "vision": model.encode("vision", pixels)}
    found = model.vectors(encoded)
    torch.testing.assert_close(found["text"], wanted.text_embeds, rtol=0, atol=1e-10)
    torch.testing.assert_close(found["vision"], wanted.image_embeds, rtol=0, atol=1e-10)
    scale = model.heads["itc"].logit_scale
    torch.testing.assert_close(scale, published.logit_scale[None], rtol=0, atol=1e-10)
    [planned] = plan(spec).jobs
    assert set(model.started.sentences) <= set(planned.model.notes)


SIGLIP = """
model tiny {{
  backbone text = random("{folder}") {{ half = text, padding = attended }}
  backbone vision = random("{folder}") {{ pooling = attention }}
  fusion space = dual_encoder(text, vision) {{ width = 16, projection = text, bias = true }}
  pool    = last
  pooler  = none
  weights = "{folder}"
}}
data pairs {{ format = easy_vqa, root = "pictures" }}
pretrain base on tiny {{
  data = [pairs]
  objective itc {{ loss = sigmoid }}
  optimizer adamw {{ lr = 1e-3 }}
  batch = 8
  steps = 1
}}
"""


def test_siglip_compares_as_transformers_does(tmp_path: Path) -> None:
    published = saved("siglip", tmp_path / "published")
    (tmp_path / "siglip.vl").write_text(SIGLIP.format(folder=tmp_path / "published"))
    spec = load(tmp_path / "siglip.vl")
    model = build(spec, job="base")
    assert not model.started.fresh and not model.started.left
    model = model.double().eval()
    # There texts are filled up to the longest one, and all of it is attended to.
    backend = Tokenizer(WordLevel({f"w{number}": number for number in range(64)}, "w1"))
    backend.pre_tokenizer = WhitespaceSplit()
    needs = text_needs(spec.models["tiny"])
    tokens = Words(backend, pad_id=1, mask_id=None).encode(
        ["w5 w9 w8", "w7", "w2 w3 w4 w5 w6 w7 w8 w9 w10"], needs.max_tokens, fill=needs.fill
    )
    rows = tokens.padded(np.arange(3), 1)
    assert rows.present.all() and rows.ids[:2].tolist() == [[5, 9, 8, 1, 1, 1, 1], [7, *[1] * 6]]
    text = {"input_ids": torch.from_numpy(rows.ids)}
    pixels = torch.randn(3, 3, 16, 16, dtype=torch.float64)
    wanted = published(**text, pixel_values=pixels, return_loss=True)
    encoded = {"text": model.encode("text", text), "vision": model.encode("vision", pixels)}
    found = model.vectors(encoded)
    torch.testing.assert_close(found["text"], wanted.text_embeds, rtol=0, atol=1e-10)
    torch.testing.assert_close(found["vision"], wanted.image_embeds, rtol=0, atol=1e-10)
    pooled = model(text=text, vision=pixels).pooled
    for own, their in zip(pooled.chunk(2, -1), found.values(), strict=True):
        unit = nn.functional.normalize(own, dim=-1)
        torch.testing.assert_close(unit, their, rtol=0, atol=1e-10)
    head = model.heads["itc"]
    logits = head(found["text"], found["vision"])
    torch.testing.assert_close(logits, wanted.logits_per_text, rtol=0, atol=1e-5)
    # The bias is learned as theirs is, by the same loss.
    number = torch.arange(3)
    truth = Truth(text=number, image=number, pairs=number[:0], contents=3)
    compared = Rows(text=found["text"], image=found["vision"], truth=truth)
    [itc] = spec.jobs["base"].objectives
    scored = contrast(itc, head, compared, compared, 0)
    torch.testing.assert_close(scored.loss.double() / 3, wanted.loss, rtol=1e-5, atol=0)
    (scored.loss / 3).backward()
    wanted.loss.backward()
    for own, their in (
        (head.bias, published.logit_bias),
        (head.logit_scale, published.logit_scale),
    ):
        assert own.grad.abs() > 0
        torch.testing.assert_close(own.grad, their.grad, rtol=1e-4, atol=1e-6)


BLIP = """
model tiny {{
  embed text = wordpiece("bert-base-uncased") {{ max_tokens = 12, eps = 1e-12 }}
  backbone vision = {vision}
  fusion grounded = asymmetric(text, vision) {{
    layers = 2, width = 16, heads = 2, dropout = 0.0, unimodal = true
  }}
  pool    = first
  pooler  = none
  weights = "{folder}"
}}
data pairs {{ format = easy_vqa, root = "pictures" }}
pretrain base on tiny {{
  data = [pairs]
  objective itm
  objective itc {{ width = 12, bias = true }}
  optimizer adamw {{ lr = 1e-3 }}
  batch = 8
  steps = 1
}}
"""
TOWERS = {
    "plain": """plain_vision {
    image_size = 16, patch = 8, layers = 2, width = 16, heads = 2, dropout = 0.0
  }""",
    "timm": """random("vit_base_patch16_224") {
    image_size = 32, layers = 2, width = 16, heads = 2, dropout = 0.0
  }""",
}


@pytest.mark.parametrize("tower", TOWERS)
def test_blip_matches_as_transformers_does(
    tower: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = 16 if tower == "plain" else 32
    vision = SIDE | {"image_size": size, "patch_size": size // 2}
    if tower == "timm":
        vision |= {"layer_norm_eps": 1e-6}
    text = CONFIGS["blip"].text_config.to_dict() | {"layer_norm_eps": 1e-12}
    config = BlipConfig(text_config=text, vision_config=vision, image_text_hidden_size=12)
    monkeypatch.setitem(CONFIGS, "blip", config)
    published = saved("blip", tmp_path / "published")
    (tmp_path / "blip.vl").write_text(
        BLIP.format(folder=tmp_path / "published", vision=TOWERS[tower])
    )
    model = build(load(tmp_path / "blip.vl"), job="base")
    assert model.started.fresh == ("heads.itc.logit_scale",) and not model.started.left
    model = model.double().eval()
    # Cosines are in float32; here nothing is rounded.
    monkeypatch.setattr(torch.Tensor, "float", torch.Tensor.double)
    text, _ = inputs("blip")
    pixels = torch.randn(3, 3, size, size, dtype=torch.float64)
    encoded = {"text": model.encode("text", text), "vision": model.encode("vision", pixels)}
    head: Any = model.heads["itc"]
    vector = {name: head.vectors(name, one) for name, one in model.vectors(encoded).items()}
    found = (
        model.heads["itm"](model.fuse(encoded).pooled),
        vector["vision"] @ vector["text"].T,
    )
    wanted = [
        published(**text, pixel_values=pixels, use_itm_head=matching).itm_score
        for matching in (True, False)
    ]
    torch.testing.assert_close(found, tuple(wanted), rtol=0, atol=1e-10)
    for one in (found, wanted):
        sum(scores.sin().sum() for scores in one).backward()
    theirs = dict(published.named_parameters())
    compared = 0
    for name, own in model.named_parameters():
        other = theirs.get(model.started.taken.get(name, ("",))[0])
        if other is not None:
            torch.testing.assert_close(own.grad, other.grad[: len(own)], rtol=0, atol=1e-9)
            compared += 1
    assert compared > 70


@pytest.mark.parametrize("form", CLASSES)
def test_the_written_model_computes_what_transformers_does(form: str, tmp_path: Path) -> None:
    """What `specs --from` prints needs nothing added; nothing is found in it, nothing is random."""
    folder = tmp_path / "published"
    published = saved(form, folder)
    (tmp_path / "m.vl").write_text(text_of(published_model(str(folder))))
    assert not resolve(read_source(str(tmp_path / "m.vl"))).diagnostics
    spec = load(tmp_path / "m.vl")
    if form in MODELS:
        text, pooled, model = ours(form, spec)
        there = inputs(form)[0]["attention_mask"].bool()
        found, wanted = (text[there], pooled), theirs(form, published)
        wanted = wanted[0][there], wanted[1]
    else:
        model = build(spec).double().eval()
        text, _ = inputs(form)
        text["attention_mask"][:] = 1
        text["input_ids"][:, -1] = END if form == "clip" else 5
        pixels = torch.randn(3, 3, 16, 16, dtype=torch.float64)
        encoded = {"text": model.encode("text", text), "vision": model.encode("vision", pixels)}
        other = published(**text, pixel_values=pixels)
        if form == "blip":
            found = (published.itm_head(model.fuse(encoded).pooled),)
            wanted = (other.itm_score,)
        else:
            vectors = model.vectors(encoded)
            found = vectors["text"], vectors["vision"]
            wanted = other.text_embeds, other.image_embeds
    torch.testing.assert_close(tuple(found), tuple(wanted), rtol=0, atol=1e-10)
    assert model.started is not None and not model.started.fresh and not model.started.cut
    # What is usual in transformers is taken where a configuration leaves it out.
    config = type(published.config)()
    for part in (form, f"{form}_text", f"{form}_vision"):
        of = getattr(config, f"{part.rpartition('_')[2]}_config", config)
        known = USUAL.get(part, {})
        assert known == {key: getattr(of, key, known[key]) for key in known}


KEYS = {
    "clip": (
        "  backbone text = random(FOLDER) { half = text, width = 32 }",
        "  backbone vision = random(FOLDER)",
        "  fusion space = dual_encoder(text, vision)",
    ),
    "lxmert": (
        "  backbone text = random(FOLDER)",
        '  backbone vision = plain_regions("x") {',
        "    layers = 1, width = 16, heads = 2, channels = 6 }",
        "  fusion cross = cross_attention(text, vision) { layers = 2, width = 16, heads = 2 }",
    ),
    "vilt": (
        "  embed text = wordpiece { max_tokens = 41, eps = 1e-12 }",
        "  embed vision = patches { image_size = 16, patch = 4 }",
        "  fusion joint = single_stream(text, vision) {",
        "    encoder = random { layers = 1, width = 16, heads = 4, mlp_ratio = 2 } }",
    ),
}
SAID = {
    "clip": {"text.width", "space.width", "pool", "pooler"},
    "lxmert": {"vision.channels", "cross.projection", "cross.type_embedding", "pool"},
    "vilt": {
        "text.max_tokens",
        "vision.patch",
        "joint.encoder.heads",
        "joint.encoder.mlp_ratio",
        "joint.encoder.eps",
        "pool",
    },
}


@pytest.mark.parametrize("form", KEYS)
def test_what_does_not_fit_a_folder_is_found_without_its_weights(form: str, tmp_path: Path) -> None:
    CONFIGS[form].save_pretrained(tmp_path)
    body = "\n".join((*KEYS[form], "  weights = FOLDER")).replace("FOLDER", f'"{tmp_path}"')
    found = resolve(Source(name="m.vl", text=f"model m {{\n{body}\n}}\n")).diagnostics
    said = {name for one in found for name in re.findall(r"`([\w.]+) = ", one.help[0])}
    assert said == SAID[form]
    codes = {"error": {"VL305", "VL309"}, "warning": {"VL516"}}
    assert all(one.code in codes[one.severity] for one in found)
    assert any(one.message.startswith("`text` has word embeddings for") for one in found) == (
        form == "vilt"
    )


def test_a_model_without_fusion_hears_of_the_published_one(tmp_path: Path) -> None:
    CONFIGS["clip"].save_pretrained(tmp_path)
    found = resolve(Source(name="m.vl", text=f'model m {{ weights = "{tmp_path}" }}')).diagnostics
    [fusion] = (one for one in found if "no fusion" in one.message)
    assert fusion.help[0].startswith("add `fusion space = dual_encoder(text, vision)")


def test_lxmert_matches_as_transformers_does(tmp_path: Path) -> None:
    published = saved("lxmert", tmp_path / "published", of=1)
    job = JOB.replace("mlm { decoder = tied }", "itm")
    model = build(spec_of("lxmert", tmp_path / "published", job=job), job="base").double().eval()
    text, vision = inputs("lxmert")
    wanted = published(
        **text,
        visual_feats=vision["features"],
        visual_pos=vision["boxes"],
        visual_attention_mask=vision["mask"].double(),
    ).cross_relationship_score
    found = model.heads["itm"](model(text=text, vision=vision).pooled)
    torch.testing.assert_close(found, wanted, rtol=0, atol=1e-10)


def test_lxmert_predicts_regions_as_transformers_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both visual losses, of features and of classes, and what is learned from them."""
    published = saved("lxmert", tmp_path / "published", of=1)
    job = JOB.replace("mlm { decoder = tied }", "mrm { classes = 1600 }")
    spec = spec_of("lxmert", tmp_path / "published", job=job)
    of = Objectives(build(spec, job="base"), spec.models["tiny"], spec.jobs["base"])
    started = of.model.started
    assert started is not None and not [n for n in started.fresh if n.startswith("heads.")]
    of = of.double().eval()
    # Losses are in float32; here nothing is rounded.
    monkeypatch.setattr(torch.Tensor, "float", torch.Tensor.double)
    text, vision = inputs("lxmert")
    features, boxes = vision["features"], vision["boxes"]
    hidden = torch.tensor([[True, False, True, False], [False] * 3 + [True], [True] * 4])
    shown = features.masked_fill(hidden[..., None], 0.0)
    label, sure = torch.randint(1600, (3, 4)), torch.rand(3, 4, dtype=torch.float64)
    wanted = published(
        **text,
        visual_feats=shown,
        visual_pos=boxes,
        obj_labels={
            "obj": (label, hidden * sure),
            "attr": (label % 400, torch.zeros(3, 4)),
            "feat": (features, hidden.double()),
        },
    ).loss
    classes = sure[..., None] * nn.functional.one_hot(label, 1600)
    pair, region = hidden.nonzero(as_tuple=True)
    lengths = text["attention_mask"].sum(1)
    ids = text["input_ids"][text["attention_mask"].bool()]
    cumulative = torch.tensor([0, *lengths.cumsum(0)], dtype=torch.int32)
    items = Items(
        text=torch.arange(3),
        image=torch.arange(3),
        tokens=len(ids),
        patches=PatchPlaces(pair=pair, patch=region, hidden=pair * 4 + region),
        target=torch.cat((features, classes), 2)[hidden],
        known=len(pair),
    )
    batch = Batch(
        images=RegionRows(features=shown[:0], boxes=boxes[:0], mask=None),
        texts=Texts(encoded=TextRows(input_ids=ids, cumulative=cumulative, longest=7)),
        items={"mrm": items},
        rows=3,
        hidden=RegionRows(features=shown, boxes=boxes, mask=None),
    )
    found = of(batch)["mrm"].loss * published.config.visual_loss_normalizer / hidden.numel()
    # There the sum of losses is rounded to float32.
    torch.testing.assert_close(found, wanted.double(), rtol=1e-6, atol=0)
    found.backward()
    wanted.backward()
    theirs = dict(published.named_parameters())
    for name, own in of.model.named_parameters():
        [their] = started.taken.get(name, ("",))
        if not their or "position" in their or "token_type" in their:
            continue  # there the first row of these two never learns
        other = theirs.get(f"lxmert.{their}", theirs.get(their))
        assert other is not None
        gradients = [
            torch.zeros_like(one) if one.grad is None else one.grad for one in (own, other)
        ]
        torch.testing.assert_close(*gradients, rtol=0, atol=1e-9, msg=name)
    assert of.model.heads["mrm"].classes.weight.grad.any()


def test_positions_of_a_larger_image_are_not_cut(tmp_path: Path) -> None:
    saved("clip", tmp_path / "published")
    (tmp_path / "clip.vl").write_text(CLIP.format(folder=tmp_path / "published"))
    spec = load(tmp_path / "clip.vl")
    model = spec.models["tiny"]
    vision = model.streams["vision"].model_copy(update={"image_size": 8})
    small = model.model_copy(update={"streams": {**model.streams, "vision": vision}})
    with pytest.raises(CompileError, match=r"`.*position_embedding.weight` \[2, 16\] and"):
        build(spec.model_copy(update={"models": {"tiny": small}}), job="base")


def test_other_shapes_are_one_error(tmp_path: Path) -> None:
    saved("vilt", tmp_path / "published")
    spec = spec_of("vilt", tmp_path / "published")
    model = spec.models["tiny"]
    vision = model.streams["vision"].model_copy(update={"image_size": 32})
    wide = model.model_copy(update={"streams": {**model.streams, "vision": vision}})
    with pytest.raises(CompileError, match=r"`.*position` \[17, 16\] and .*\[5, 16"):
        build(spec.model_copy(update={"models": {"tiny": wide}}))


def test_other_heads_are_an_error(tmp_path: Path) -> None:
    saved("lxmert", tmp_path / "published")
    spec = spec_of("lxmert", tmp_path / "published")
    model = spec.models["tiny"]
    fusion = model.fusion.model_copy(update={"heads": 4})
    changed = model.model_copy(update={"fusion": fusion})
    with pytest.raises(CompileError, match=r"heads of 4 channels, and .* has 2 of 8"):
        build(spec.model_copy(update={"models": {"tiny": changed}}))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda folder: (folder / "config.json").unlink(), "it has no `config.json`"),
        (lambda folder: (folder / "config.json").write_text("{"), "cannot be read as JSON"),
        (lambda folder: (folder / "config.json").write_text("[]"), "no object of JSON"),
        (lambda folder: (folder / "model.safetensors").unlink(), "has no `model.safetensors`"),
        (lambda folder: (folder / "model.safetensors").write_bytes(b"12"), "cannot be read"),
        (
            lambda folder: (folder / "config.json").write_text(json.dumps({"model_type": "gpt2"})),
            "of type `gpt2`; known are `blip`, `clip`, `lxmert`",
        ),
        (
            lambda folder: (folder / "config.json").write_text(json.dumps({"model_type": "vilt"})),
            r"config.json` says None of `num_hidden_layers`, and no number of layers",
        ),
        (
            lambda folder: (folder / "config.json").write_text(json.dumps({"model_type": "clip"})),
            r"config.json` has no `text_config`",
        ),
        (
            lambda folder: (folder / "model.safetensors.index.json").write_text("{}"),
            "says in no `weight_map` which files there are",
        ),
    ],
)
def test_other_folders_are_refused_in_a_sentence(
    change: Callable[[Path], object], said: str, tmp_path: Path
) -> None:
    saved("vilt", tmp_path / "published")
    spec = spec_of("vilt", tmp_path / "published")
    change(tmp_path / "published")
    with pytest.raises(CompileError, match=said):
        build(spec)


def without(name: str) -> Callable[[dict[str, Tensor]], object]:
    return lambda tensors: tensors.pop(name)


def changed(name: str, change: Callable[[Tensor], Tensor]) -> Callable[[dict[str, Tensor]], object]:
    return lambda tensors: tensors.update({name: change(tensors[name]).contiguous()})


QUERY = "encoder.layer.1.attention.self.query.weight"
TYPES = "embeddings.visual_token_type_embeddings.weight"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (without(QUERY), f"is not whole: it lacks `{QUERY}`, which other layers have"),
        (changed(QUERY, lambda tensor: tensor.to(torch.int8)), "stored as int8, as quantised"),
        (changed(QUERY, lambda tensor: tensor / 0), "holds numbers that are not finite"),
        (changed(QUERY, lambda tensor: tensor[:3]), r"has other shapes.*\[16, 16\].*\[3, 16\]"),
        (changed(TYPES, lambda tensor: tensor[:1]), rf"has other shapes.*`{TYPES}\[1\]` of"),
        (
            lambda tensors: tensors.update({name: one.half() for name, one in tensors.items()}),
            None,
        ),
    ],
)
def test_tensors_that_are_missing_or_no_weights_are_told(
    change: Callable[[dict[str, Tensor]], object], said: str | None, tmp_path: Path
) -> None:
    folder = tmp_path / "published"
    saved("visual_bert", folder)
    tensors = load_file(folder / "model.safetensors")
    change(tensors)
    save_file(tensors, folder / "model.safetensors")
    spec = spec_of("visual_bert", folder)
    if said is None:
        assert {one.dtype for one in build(spec).parameters()} == {torch.float32}
        return
    with pytest.raises(CompileError, match=said):
        build(spec)

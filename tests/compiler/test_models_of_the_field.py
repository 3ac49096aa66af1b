"""Shipped models of the field equal transformers' classes: outputs and gradients, in float64.

Each is built as `specs/models/` writes it, only smaller, and given the weights of the other class.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from transformers import (
    BertConfig,
    BertModel,
    BlipTextConfig,
    CLIPConfig,
    CLIPModel,
    LxmertConfig,
    LxmertModel,
    ViltConfig,
    ViltModel,
    VisualBertConfig,
    VisualBertModel,
)
from transformers.models.blip.modeling_blip_text import BlipTextModel
from transformers.models.bridgetower.configuration_bridgetower import BridgeTowerTextConfig
from transformers.models.bridgetower.modeling_bridgetower import BridgeTowerBertCrossLayer

from renaissance.compiler import VisionLanguageModel, build
from renaissance.compiler.model.features import Features
from renaissance.compiler.sources.random.schema import RandomArchitecture
from renaissance.grammar.kinds.source import SourceBlock
from renaissance.grammar.loading import load
from renaissance.grammar.schema.model import Model
from renaissance.grammar.schema.spec import Spec
from renaissance.grammar.shipped import shipped_path

ROWS, WORDS, WIDTH, HEADS, VOCABULARY = 2, 5, 24, 3, 30522
SIZES = {"layers": 2, "width": WIDTH, "heads": HEADS}
LIBRARY = {
    "hidden_size": WIDTH,
    "num_hidden_layers": 2,
    "num_attention_heads": HEADS,
    "intermediate_size": 4 * WIDTH,
    "hidden_dropout_prob": 0.0,
    "attention_probs_dropout_prob": 0.0,
}
SIZES_OF_CLIP = {name: size for name, size in LIBRARY.items() if not name.endswith("prob")}
MASK = torch.tensor([[True] * WORDS, [True, True, True, False, False]])

Pairs = list[tuple[Tensor, Tensor]]
"""Parameters of the other class, and ours, or views of them."""


def shrunk(name: str, *, lower: str) -> VisionLanguageModel:
    """Build a shipped model with small sizes and no dropout; all its other choices stay."""
    [declared] = load(shipped_path(f"models/{name}")).models.values()
    streams = {name: smaller(stream) for name, stream in declared.streams.items()}
    fusion = declared.fusion.model_copy(
        update={
            key: value
            for key, value in {**SIZES, "dropout": 0.0, "weights": None}.items()
            if key in type(declared.fusion).model_fields
        }
    )
    if fusion.stack is not None:
        fusion = fusion.with_stack(smaller(fusion.stack))
    small = declared.model_copy(update={"streams": streams, "fusion": fusion, "lower": lower})
    return build_alone(Model.model_validate(small))


def smaller(block: SourceBlock) -> SourceBlock:
    """Return a source with small sizes; a published architecture becomes a random one."""
    sizes = {**SIZES, "image_size": 32, "patch": 8, "max_tokens": 12, "dropout": 0.0}
    sizes |= {"channels": 10, "regions": 4, "weights": None}
    if block.loads_weights:
        wanted = {name: getattr(block, name, None) for name in ("max_tokens", "image_size")}
        small = {name: sizes[name] for name, value in wanted.items() if value is not None}
        return RandomArchitecture(id=block.identifier, **SIZES, dropout=0.0, **small)
    known = {name: value for name, value in sizes.items() if getattr(block, name, None) is not None}
    return block.model_copy(update=known)


def build_alone(model: Model) -> VisionLanguageModel:
    """Build a model without a job, in float64."""
    return build(Spec(models={model.name: model}, jobs={})).double().eval()


def drawn(module: nn.Module) -> nn.Module:
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in module.double().parameters():
            parameter.normal_(std=0.2)
    return module.eval()


def ids() -> Tensor:
    return torch.randint(5, 999, (ROWS, WORDS), generator=torch.Generator().manual_seed(1))


def noise(*shape: int) -> Tensor:
    generator = torch.Generator().manual_seed(2)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def renamed(ours: nn.Module, theirs: nn.Module, table: Mapping[str, str]) -> Pairs:
    """Pair the parameters whose names the table turns into each other; it covers all of ours."""
    named, found = dict(theirs.named_parameters()), []
    for name, parameter in ours.named_parameters():
        for pattern, other in table.items():
            translated, count = re.subn(f"^{pattern}", other, name)
            if count:
                found.append((named[translated], parameter))
                break
        else:
            raise AssertionError(f"nothing stands for {name}")
    return found


def copied(pairs: Pairs) -> None:
    with torch.no_grad():
        for theirs, ours in pairs:
            ours.copy_(theirs.reshape(ours.shape))


def assert_same(found: Tensor, wanted: Tensor) -> None:
    torch.testing.assert_close(found, wanted, rtol=0, atol=1e-10)


def assert_same_gradients(pairs: Pairs, found: Iterable[Tensor], wanted: Iterable[Tensor]) -> None:
    for side, outputs in ((0, wanted), (1, found)):
        for pair in pairs:
            pair[side].grad = None
        sum(output.sin().sum() for output in outputs).backward()
    for theirs, ours in pairs:
        assert theirs.grad is not None and ours.grad is not None
        assert_same(ours.grad, theirs.grad.reshape(ours.shape))


BERT_LAYER = {
    r"attention\.attention\.(query|key|value)\.": r"attention.self.\1.",
    r"attention\.attention\.output\.": r"attention.output.dense.",
    r"attention\.residual\.norm\.": r"attention.output.LayerNorm.",
    r"mlp\.mlp\.inner\.": r"intermediate.dense.",
    r"mlp\.mlp\.outer\.": r"output.dense.",
    r"mlp\.residual\.norm\.": r"output.LayerNorm.",
}
CROSS = {
    r"cross\.attention\.(query|key|value)\.": r"crossattention.self.\1.",
    r"cross\.attention\.output\.": r"crossattention.output.dense.",
    r"cross\.residual\.norm\.": r"crossattention.output.LayerNorm.",
}
VIT_LAYER = {
    r"attention\.q_proj\.": "attention.attention.query.",
    r"attention\.k_proj\.": "attention.attention.key.",
    r"attention\.v_proj\.": "attention.attention.value.",
    r"attention\.o_proj\.": "attention.output.dense.",
    r"layernorm_": "layernorm_",
    r"mlp\.fc1\.": "intermediate.dense.",
    r"mlp\.fc2\.": "output.dense.",
}


def below(ours: str, theirs: str, table: Mapping[str, str]) -> dict[str, str]:
    """Return a table for names that stand below others."""
    return {ours + pattern: theirs + _shifted(other, ours) for pattern, other in table.items()}


def _shifted(template: str, prefix: str) -> str:
    """Count groups of a template behind those of a prefix."""
    groups = re.compile(prefix).groups
    return re.sub(r"\\(\d)", lambda match: rf"\{int(match[1]) + groups}", template)


# Plain, a ViT of transformers has its softmax in float32.
def test_vilt(monkeypatch: pytest.MonkeyPatch) -> None:
    # transformers shuffles patches, which makes no difference to anything but their order.
    monkeypatch.setattr(torch, "multinomial", lambda weights, count: torch.arange(count))
    ours = shrunk("vilt", lower="auto")
    config = ViltConfig(
        **LIBRARY,
        vocab_size=VOCABULARY,
        max_position_embeddings=12,
        image_size=32,
        patch_size=8,
        max_image_length=-1,
    )
    theirs = drawn(ViltModel(config))
    text, vision = ours.towers["text"].embeddings, ours.towers["vision"].embeddings
    embeddings = theirs.embeddings
    of_text = embeddings.text_embeddings
    types = embeddings.token_type_embeddings.weight
    vectors = ours.fusion.type_embedding.vectors
    pairs = [
        (of_text.word_embeddings.weight, text.word.weight),
        (of_text.position_embeddings.weight, text.position),
        (of_text.token_type_embeddings.weight, text.type_embedding),
        (of_text.LayerNorm.weight, text.norm.weight),
        (of_text.LayerNorm.bias, text.norm.bias),
        (embeddings.cls_token, vision.class_token),
        (embeddings.position_embeddings, vision.position),
        (embeddings.patch_embeddings.projection.weight, vision.stem.weight),
        (embeddings.patch_embeddings.projection.bias, vision.stem.bias),
        *renamed(
            ours.fusion.encoder,
            theirs,
            below(r"layers\.(\d+)\.", r"encoder.layer.\1.", VIT_LAYER) | {r"norm\.": "layernorm."},
        ),
        (theirs.pooler.dense.weight, ours.pool.dense["text"].weight),
        (theirs.pooler.dense.bias, ours.pool.dense["text"].bias),
    ]
    copied([*pairs, (types[0], vectors["text"]), (types[1], vectors["vision"])])
    assert len(pairs) + 2 == len(list(ours.parameters()))
    pixels = noise(ROWS, 3, 32, 32)
    mine = ours(text={"input_ids": ids(), "attention_mask": MASK}, vision=pixels)
    other = theirs(input_ids=ids(), attention_mask=MASK.long(), pixel_values=pixels)
    hidden = other.last_hidden_state
    wanted = (other.pooler_output, hidden[:, :WORDS][MASK], hidden[:, WORDS:])
    found = (mine.pooled, mine.streams["text"][MASK], mine.streams["vision"])
    for own, their in zip(found, wanted, strict=True):
        assert_same(own, their)
    assert_same_gradients(pairs, found, wanted)
    assert_same(torch.stack([vectors[name].grad for name in ("text", "vision")]), types.grad)


@pytest.mark.parametrize("lower", ["auto", "none"])
def test_the_layers_of_meter(lower: str) -> None:
    ours = shrunk("meter", lower=lower).fusion
    config = BridgeTowerTextConfig(**LIBRARY, layer_norm_eps=1e-12)
    config._attn_implementation = "eager"
    theirs = nn.ModuleDict(
        {
            name: nn.ModuleList(BridgeTowerBertCrossLayer(config) for _ in range(2))
            for name in ("text", "vision")
        }
    )
    drawn(theirs)
    table = below(r"layers\.(\d+)\.streams\.(\w+)\.", r"\2.\1.", BERT_LAYER | CROSS)
    pairs = renamed(
        ours.layers, theirs, below("", "", {k[len(r"layers\.") :]: v for k, v in table.items()})
    )
    copied(pairs)
    text, vision = noise(ROWS, WORDS, WIDTH), noise(ROWS, 7, WIDTH)
    hidden = torch.zeros(MASK.shape, dtype=torch.float64).masked_fill(~MASK, -1e300)[:, None, None]
    x, y = text, vision
    for of_text, of_vision in zip(theirs["text"], theirs["vision"], strict=True):
        # METER hands each cross attention the mask of the stream that it attends to.
        x, y = crossed(of_text, x, y, hidden, None), crossed(of_vision, y, x, None, hidden)
    fused = {"text": Features(tokens=text, mask=MASK), "vision": Features(tokens=vision)}
    for layer in ours.layers:
        fused = layer(fused)
    found = (fused["text"].tokens[MASK], fused["vision"].tokens)
    assert_same(found[0], x[MASK])
    assert_same(found[1], y)
    assert_same_gradients(pairs, found, (x[MASK], y))


def crossed(
    layer: Any, own: Tensor, other: Tensor, own_mask: Tensor | None, other_mask: Tensor | None
) -> Tensor:
    """Run a layer of BridgeTower, whose cross attention may have a mask."""
    attended = layer.attention(own, attention_mask=own_mask)[0]
    found = layer.crossattention(
        attended,
        attention_mask=None,
        encoder_hidden_states=other,
        encoder_attention_mask=other_mask,
    )[0]
    return layer.feed_forward_chunk(found)


@pytest.mark.parametrize("lower", ["auto", "none"])
def test_albef(lower: str) -> None:
    ours = shrunk("albef", lower=lower)
    text = drawn(
        BertModel(
            BertConfig(**LIBRARY, vocab_size=VOCABULARY, max_position_embeddings=512),
            add_pooling_layer=False,
        )
    )
    grounded = drawn(
        BlipTextModel(
            BlipTextConfig(
                **LIBRARY, encoder_hidden_size=WIDTH, is_decoder=True, hidden_act="gelu"
            ),
            add_pooling_layer=False,
        )
    )
    tower = ours.towers["text"].encoder
    table = below(r"layers\.(\d+)\.", r"encoder.layer.\1.", BERT_LAYER | CROSS)
    pairs = [
        *((dict(text.named_parameters())[name], own) for name, own in tower.named_parameters()),
        *renamed(ours.fusion, grounded, table),
    ]
    copied(pairs)
    pixels = noise(ROWS, 3, 32, 32)
    mine = ours(text={"input_ids": ids(), "attention_mask": MASK}, vision=pixels)
    image = ours.encode("vision", pixels).tokens
    words = text(input_ids=ids(), attention_mask=MASK).last_hidden_state
    other = grounded(
        encoder_embeds=words,
        attention_mask=MASK,
        encoder_hidden_states=image,
        is_decoder=False,
    ).last_hidden_state
    assert_same(mine.streams["vision"], image)
    found, wanted = (mine.pooled, mine.streams["text"][MASK]), (other[:, 0], other[MASK])
    for own, their in zip(found, wanted, strict=True):
        assert_same(own, their)
    assert_same_gradients(pairs, found, wanted)


LXMERT = {
    r"layers\.(\d+)\.cross\.attention\.(query|key|value)\.": (
        r"encoder.x_layers.\1.visual_attention.att.\2."
    ),
    r"layers\.(\d+)\.cross\.attention\.output\.": (
        r"encoder.x_layers.\1.visual_attention.output.dense."
    ),
    r"layers\.(\d+)\.cross\.residual\.norm\.": (
        r"encoder.x_layers.\1.visual_attention.output.LayerNorm."
    ),
    **{
        rf"layers\.(\d+)\.streams\.{stream}\.{ours}": rf"encoder.x_layers.\1.{short}_{theirs}"
        for stream, short in (("text", "lang"), ("vision", "visn"))
        for ours, theirs in {
            r"attention\.attention\.(query|key|value)\.": r"self_att.self.\2.",
            r"attention\.attention\.output\.": "self_att.output.dense.",
            r"attention\.residual\.norm\.": "self_att.output.LayerNorm.",
            r"mlp\.mlp\.inner\.": "inter.dense.",
            r"mlp\.mlp\.outer\.": "output.dense.",
            r"mlp\.residual\.norm\.": "output.LayerNorm.",
        }.items()
    },
}
"""Our names in the fusion, and those of LXMERT."""


@pytest.mark.parametrize("lower", ["auto", "none"])
def test_lxmert(lower: str) -> None:
    ours = shrunk("lxmert", lower=lower)
    config = LxmertConfig(
        **{key: value for key, value in LIBRARY.items() if key != "num_hidden_layers"},
        vocab_size=VOCABULARY,
        max_position_embeddings=512,
        l_layers=2,
        r_layers=2,
        x_layers=2,
        visual_feat_dim=10,
    )
    theirs = drawn(LxmertModel(config))
    of_vision = below(r"stack\.layers\.(\d+)\.", r"encoder.r_layers.\1.", BERT_LAYER) | {
        r"embeddings\.feature\.": "encoder.visn_fc.visn_fc.",
        r"embeddings\.feature_norm\.": "encoder.visn_fc.visn_layer_norm.",
        r"embeddings\.box\.": "encoder.visn_fc.box_fc.",
        r"embeddings\.box_norm\.": "encoder.visn_fc.box_layer_norm.",
    }
    of_text = {
        r"encoder\.embeddings\.": "embeddings.",
        r"encoder\.encoder\.layer\.": "encoder.layer.",
    }
    pairs = [
        *renamed(ours.fusion, theirs, LXMERT),
        *renamed(ours.towers["text"], theirs, of_text),
        *renamed(ours.towers["vision"], theirs, of_vision),
        (theirs.pooler.dense.weight, ours.pool.dense["text"].weight),
        (theirs.pooler.dense.bias, ours.pool.dense["text"].bias),
    ]
    assert len(pairs) == len(list(ours.parameters()))
    copied(pairs)
    features, boxes = noise(ROWS, 4, 10), noise(ROWS, 4, 4).sigmoid()
    mine = ours(
        text={"input_ids": ids(), "attention_mask": MASK},
        vision={"features": features, "boxes": boxes},
    )
    other = theirs(
        input_ids=ids(),
        attention_mask=MASK.double(),
        visual_feats=features,
        visual_pos=boxes,
    )
    found = (mine.pooled, mine.streams["text"][MASK], mine.streams["vision"])
    wanted = (other.pooled_output, other.language_output[MASK], other.vision_output)
    for own, their in zip(found, wanted, strict=True):
        assert_same(own, their)
    # There the first position and the first segment are taken for padding, and never learn.
    quirks = [pair for pair in pairs if len(pair[0]) in (2, 512)]
    assert len(quirks) == 2
    same = [pair for pair in pairs if all(pair is not other for other in quirks)]
    assert_same_gradients(same, found, wanted)
    for theirs_of, ours_of in quirks:
        assert not theirs_of.grad[0].any()
        assert ours_of.grad[0].any()
        assert_same(ours_of.grad[1:], theirs_of.grad[1:])


@pytest.mark.parametrize("lower", ["auto", "none"])
def test_visual_bert(lower: str) -> None:
    ours = shrunk("visual_bert", lower=lower)
    config = VisualBertConfig(
        **LIBRARY, vocab_size=VOCABULARY, max_position_embeddings=12, visual_embedding_dim=10
    )
    theirs = drawn(VisualBertModel(config))
    text, vision = ours.towers["text"].embeddings, ours.towers["vision"].embeddings
    embeddings = theirs.embeddings
    pairs = [
        (embeddings.word_embeddings.weight, text.word.weight),
        (embeddings.position_embeddings.weight, text.position),
        (embeddings.token_type_embeddings.weight, text.type_embedding),
        (embeddings.visual_projection.weight, vision.feature.weight),
        *(
            (dict(theirs.encoder.layer.named_parameters())[name], own)
            for name, own in ours.fusion.encoder.layers.named_parameters()
        ),
        (theirs.pooler.dense.weight, ours.pool.dense["text"].weight),
        (theirs.pooler.dense.bias, ours.pool.dense["text"].bias),
    ]
    # One norm of theirs serves both streams, and three vectors of theirs are one bias of ours.
    norms = [text.norm, vision.feature_norm]
    parts = (
        embeddings.visual_projection.bias,
        embeddings.visual_position_embeddings.weight[0],
        embeddings.visual_token_type_embeddings.weight[1],
    )
    copied(pairs)
    for norm in norms:
        norm.load_state_dict(embeddings.LayerNorm.state_dict())
    with torch.no_grad():
        vision.feature.bias.copy_(sum(parts))
    assert len(pairs) + 5 == len(list(ours.parameters()))
    features = noise(ROWS, 4, 10)
    mine = ours(text={"input_ids": ids(), "attention_mask": MASK}, vision={"features": features})
    other = theirs(
        input_ids=ids(),
        attention_mask=MASK.long(),
        visual_embeds=features,
        visual_attention_mask=torch.ones(ROWS, 4, dtype=torch.int64),
    )
    hidden = other.last_hidden_state
    wanted = (other.pooler_output, hidden[:, :WORDS][MASK], hidden[:, WORDS:])
    found = (mine.pooled, mine.streams["text"][MASK], mine.streams["vision"])
    for own, their in zip(found, wanted, strict=True):
        assert_same(own, their)
    assert_same_gradients(pairs, found, wanted)
    for part in ("weight", "bias"):
        both = sum(getattr(norm, part).grad for norm in norms)
        assert_same(both, getattr(embeddings.LayerNorm, part).grad)
    assert_same(vision.feature.bias.grad, embeddings.visual_projection.bias.grad)


# Plain, a CLIP of transformers has its softmax in float32.
def test_clip() -> None:
    ours = shrunk("clip", lower="auto")
    end = 49407
    sides = {**SIZES_OF_CLIP, "hidden_act": "quick_gelu"}
    config = CLIPConfig(
        text_config={**sides, "vocab_size": end + 1, "max_position_embeddings": 77},
        vision_config={**sides, "image_size": 32, "patch_size": 16},
        projection_dim=WIDTH,
    )
    theirs = drawn(CLIPModel(config))
    text, vision = ours.towers["text"], ours.towers["vision"]
    below_theirs = dict(theirs.named_parameters())
    pairs = [
        *(
            (below_theirs[f"text_model.{name}"], own)
            for name, own in text.encoder.named_parameters()
        ),
        *(
            (below_theirs[f"vision_model.{name}"], own)
            for name, own in vision.encoder.named_parameters()
        ),
        (theirs.vision_model.post_layernorm.weight, vision.norm.weight),
        (theirs.vision_model.post_layernorm.bias, vision.norm.bias),
        (theirs.text_projection.weight, ours.fusion.projection["text"].weight),
        (theirs.visual_projection.weight, ours.fusion.projection["vision"].weight),
    ]
    assert len(pairs) == len(list(ours.parameters()))
    copied(pairs)
    words = ids()
    words[0, -1] = words[1, 2] = end
    pixels = noise(ROWS, 3, 32, 32)
    mine = ours.vectors(
        {
            "text": ours.encode("text", {"input_ids": words, "attention_mask": MASK}),
            "vision": ours.encode("vision", pixels),
        }
    )
    other = theirs(input_ids=words, attention_mask=MASK.long(), pixel_values=pixels)
    found, wanted = (mine["text"], mine["vision"]), (other.text_embeds, other.image_embeds)
    for own, their in zip(found, wanted, strict=True):
        assert_same(own, their)
    assert_same_gradients(pairs, found, wanted)
    # What a head reads of pairs is the same before it is brought to length 1.
    pooled = ours(text={"input_ids": words, "attention_mask": MASK}, vision=pixels).pooled
    for own, their in zip(pooled.chunk(2, -1), wanted, strict=True):
        assert_same(nn.functional.normalize(own, dim=-1), their)

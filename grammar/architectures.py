"""What is known about an encoder without its weights, and how that follows from a configuration.

With these facts a file can be checked, planned and initialised at random where there is no network.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from renaissance.grammar.image_sizes import gives_a_map, layers_of, width_of
from renaissance.grammar.model_types import model_type as type_named

Library = Literal["transformers", "timm"]
Tokenizer = Literal["bert_uncased", "roberta", "own"]
Statistics = tuple[tuple[float, float, float], tuple[float, float, float]]

HALF: Statistics = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
IMAGENET: Statistics = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
CLIP: Statistics = (
    (0.48145466, 0.4578275, 0.40821073),
    (0.26862954, 0.26130258, 0.27577711),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Architecture:
    """An encoder's dimensions and conventions.

    Attributes:
        id: hub id, timm name or path that it is known by.
        library: which library makes it.
        model_type: transformers' name of the family, such as `electra`, or timm's model name.
        modality: what it reads.
        layers: transformer layers, over all stages; None where only the library knows.
        width: channels of its output tokens; None where only the library knows.
        heads: attention heads, of the last stage where stages differ; None as above.
        mlp_ratio: width of the feed-forward part over the hidden size; None as above.
        dropout: probability that its configuration states.
        embedding_width: channels of its embeddings.
        sequence: whether its layers map a sequence of tokens to one of equal length, each token
            attending to all others, so that they can serve as a one-tower stack.
        vocabulary: rows of the word embedding; None for vision.
        max_tokens: longest text, special tokens included; None for vision.
        position_offset: row of the position embedding that the first token takes.
        tokenizer: family of its tokenizer; `own` where only its files tell.
        image_size: height and width of the image, pixels; None for text.
        patch: height and width of a patch, pixels; None for text.
        prefix_tokens: class, distillation and register tokens before the patches; None where only
            the library knows.
        class_token: whether the first of these is a class token; None where only the library knows.
        statistics: mean and standard deviation of each colour that pixels are normalised with.
        described: whether its parts are known too, and its dimensions stand in resolved specs.
        refused: why it can be no tower; empty where it can.
        part: whether it is one of the encoders of a model that has several.
        config: keyword arguments of transformers' configuration class, as published.
    """

    id: str
    library: Library
    model_type: str
    modality: Literal["text", "vision"]
    layers: int | None = None
    width: int | None = None
    heads: int | None = None
    mlp_ratio: float | None = None
    dropout: float = 0.0
    embedding_width: int | None = None
    sequence: bool = True
    vocabulary: int | None = None
    max_tokens: int | None = None
    position_offset: int = 0
    tokenizer: Tokenizer | None = None
    image_size: int | None = None
    patch: int | None = None
    prefix_tokens: int | None = None
    class_token: bool | None = None
    statistics: Statistics | None = None
    described: bool = True
    refused: str = ""
    part: bool = False
    config: Mapping[str, Any] = field(default_factory=dict, hash=False)


def from_config(id: str, config: Mapping[str, Any], statistics: Statistics | None) -> Architecture:
    """Derive the facts of an architecture from a configuration of transformers.

    Args:
        id: what the architecture is to be known by.
        config: contents of its `config.json`, of one encoder.
        statistics: of its preprocessor; half and half where that is not known.
    """
    model_type = str(config.get("model_type", ""))
    depths = config.get("depths")
    stage_heads = config.get("num_heads")
    stages = config.get("hidden_sizes")
    vision = reads_images(model_type, config)
    width = width_of(model_type, config)
    if width is None:
        width = stages[-1] if stages else _first(config, "hidden_size", "dim")
    layers = layers_of(model_type, config)
    if layers is None and not gives_a_map(model_type):
        layers = _first(config, "num_hidden_layers", "n_layers")
    inner = _first(config, "intermediate_size", "hidden_dim")
    heads = _first(config, "num_attention_heads", "n_heads")
    ratio = config.get("mlp_ratio")
    offset = _position_offset(model_type, config)
    common: dict[str, Any] = {
        "id": id,
        "library": "transformers",
        "model_type": model_type,
        "layers": layers,
        "width": width,
        "heads": stage_heads[-1] if isinstance(stage_heads, (list, tuple)) else heads,
        "mlp_ratio": ratio if ratio is not None else (inner / width if inner and width else None),
        "dropout": float(_first(config, "hidden_dropout_prob", "dropout") or 0.0),
        "sequence": not depths and not gives_a_map(model_type),
        "config": dict(config),
    }
    if not vision:
        positions = config.get("max_position_embeddings")
        return Architecture(
            modality="text",
            embedding_width=_first(config, "embedding_size", "input_embedding_size") or width,
            vocabulary=config.get("vocab_size"),
            max_tokens=positions - offset if positions else None,
            position_offset=offset,
            tokenizer=TOKENIZERS.get((model_type, config.get("vocab_size")), "own"),
            **common,
        )
    # Hiera's patches overlap: an image holds as many as there are strides.
    patch = square(_first(config, "patch_stride", "patch_size"))
    return Architecture(
        modality="vision",
        embedding_width=config.get("embed_dim", stages[0] if stages else width),
        image_size=square(config.get("image_size")),
        patch=None if gives_a_map(model_type) else patch,
        prefix_tokens=_prefix_tokens(model_type, config),
        statistics=statistics or HALF,
        **common,
    )


def reads_images(model_type: str, config: Mapping[str, Any]) -> bool:
    """Tell whether an encoder reads images; one of a type that nobody knows says so by its sizes.

    Args:
        model_type: of its configuration.
        config: its settings.
    """
    known = type_named(model_type)
    if known is None or known.reads not in ("images", "texts"):
        return "image_size" in config or "patch_size" in config
    return known.reads == "images"


OFFSET_POSITIONS = {
    "camembert": 1,
    "clap_text_model": 1,
    "data2vec-text": 1,
    "esm": 1,
    "ibert": 1,
    "layoutlmv3": 1,
    "lilt": 0,
    "longformer": 1,
    "luke": 1,
    "markuplm": 0,
    "mpnet": 1,
    "roberta": 1,
    "roberta-prelayernorm": 1,
    "xlm-roberta": 1,
    "xlm-roberta-xl": 1,
    "xmod": 1,
}
"""Families whose first token takes the position behind the padding token's number, and that number
where a configuration does not say it."""


def _position_offset(model_type: str, config: Mapping[str, Any]) -> int:
    if model_type not in OFFSET_POSITIONS:
        return 0
    usual = OFFSET_POSITIONS[model_type]
    # MPNet counts from the same row whatever its padding token is.
    said = None if model_type == "mpnet" else config.get("pad_token_id")
    return (usual if said is None else int(said)) + 1


PREFIX_TOKENS = {
    "aimv2_vision_model": 0,
    "beit": 1,
    "bit": 0,
    "chinese_clip_vision_model": 1,
    "clip_vision_model": 1,
    "convnext": 0,
    "convnextv2": 0,
    "cvt": 0,
    "data2vec-vision": 1,
    "deit": 2,
    "dinov2": 1,
    "dinov2_with_registers": 1,
    "dinov3_convnext": 1,
    "dinov3_vit": 1,
    "donut-swin": 0,
    "dpt": 1,
    "efficientnet": 0,
    "focalnet": 0,
    "glpn": 0,
    "hgnet_v2": 0,
    "hiera": 0,
    "ijepa": 0,
    "levit": 0,
    "mobilenet_v1": 0,
    "mobilenet_v2": 0,
    "mobilevit": 0,
    "mobilevitv2": 0,
    "poolformer": 0,
    "pvt": 1,
    "pvt_v2": 0,
    "regnet": 0,
    "resnet": 0,
    "segformer": 0,
    "siglip_vision_model": 0,
    "swiftformer": 0,
    "swin": 0,
    "swinv2": 0,
    "textnet": 0,
    "vit": 1,
    "vit_mae": 1,
    "vit_msn": 1,
    "vitdet": 0,
    "yolos": 1,
}
"""Class and distillation tokens before the patches; of other families only the library knows."""

TOKENIZERS: dict[tuple[str, int | None], Tokenizer] = {
    ("bert", 30522): "bert_uncased",
    ("electra", 30522): "bert_uncased",
    ("distilbert", 30522): "bert_uncased",
    ("roberta", 50265): "roberta",
}


def _prefix_tokens(model_type: str, config: Mapping[str, Any]) -> int | None:
    known = PREFIX_TOKENS.get(model_type)
    return None if known is None else known + int(config.get("num_register_tokens") or 0)


def square(size: Any) -> int | None:
    """Return the side of a square that a configuration gives as a number or as a pair."""
    first: int | None = size[0] if isinstance(size, (list, tuple)) else size
    return first


def _first(config: Mapping[str, Any], *keys: str) -> Any:
    return next((config[key] for key in keys if config.get(key) is not None), None)

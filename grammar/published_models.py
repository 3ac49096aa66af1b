"""What a folder of a whole published model says of itself: the model here that computes the same.

Sources: transformers' configurations of BLIP, CLIP, LXMERT, SigLIP, ViLT and VisualBERT.
"""

import json
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from renaissance.grammar.architectures import CLIP, HALF, IMAGENET, square
from renaissance.grammar.encoder_flaws import Flaw
from renaissance.grammar.names import listing
from renaissance.grammar.paths import is_file
from renaissance.grammar.record import Record, field
from renaissance.grammar.spelling import number_text

TABLE = Path(__file__).with_name("published_models.tsv")
"""What the parts of each family are called in the language."""

Config = dict[str, Any]
Keys = dict[str, Any]

SHAPES = frozenset({"layers", "width", "heads", "mlp_ratio", "image_size", "patch", "channels"})
"""Keys that the shapes of weights follow from, or how they are shared out."""
FREE = frozenset({"dropout", "max_tokens", "regions", "resize", "normalise", "token_types"})
"""Keys that are written, and of which others are as good."""


class Part(Record):
    """A statement of a model, or the stack of its fusion.

    Attributes:
        statement: `embed` or `backbone`, of a stream.
        word: of its source or fusion, with what it names.
        keys: as published.
        follows: keys that follow from what `word` names, and need not be written.
    """

    statement: str = ""
    word: str
    keys: Keys
    follows: Keys = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """The word alone."""
        return self.word.partition("(")[0]


class PublishedModel(Record):
    """The model here that computes what a published one does.

    Attributes:
        folder: that it starts from.
        model_type: of its `config.json`.
        vocabulary: rows of its word embedding.
        text: what reads texts.
        vision: what reads images.
        fusion: what joins them, `fusion NAME = …`.
        fusion_name: what the fusion is called.
        stack: the encoder of a fusion of one tower; None where there is none.
        keys: of the model.
        heads: objectives whose heads start from the folder too.
    """

    folder: str
    model_type: str
    vocabulary: int
    text: Part
    vision: Part
    fusion: Part
    fusion_name: str
    stack: Part | None = None
    keys: Keys
    heads: tuple[str, ...]


class UnusualError(ValueError):
    """A published model that nothing here computes; says why in one clause."""


def published_model(folder: str) -> PublishedModel:
    """Return the model that a folder holds, by its `config.json` alone.

    Raises:
        UnusualError: if it holds none that is known here, or one that no text can describe.
    """
    file = Path(folder) / "config.json"
    if not is_file(file):
        raise UnusualError(f"`{folder}` is no published model: it has no `config.json`")
    try:
        config = json.loads(file.read_text(encoding="utf-8"))
        family = config.get("model_type", "")
    except (OSError, ValueError, AttributeError):
        raise UnusualError(f"`{file}` cannot be read as an object of JSON") from None
    if family not in _FAMILIES:
        raise UnusualError(
            f"`{folder}` holds a model of type `{family}`; known are {listing(_FAMILIES)}"
        )
    try:
        return _FAMILIES[family](folder, config)
    except UnusualError as problem:
        raise UnusualError(f"`{file}` {problem}") from None
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as problem:
        said = f"holds a value of another kind than its setting has: {problem}"
        raise UnusualError(f"`{file}` {said}") from None


def flaw_of_published(folder: str) -> Flaw | None:
    """Say why no model can start from a folder; None where nothing shows."""
    try:
        published_model(folder)
    except UnusualError as problem:
        return Flaw(message=str(problem))
    return None


def spelled(value: Any) -> str:
    """Return how a value is written: numbers, words, `true` and `false`."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return number_text(value) if isinstance(value, int | float) else str(value)


_BERT: Keys = {
    "vocab_size": 30522,
    "hidden_size": 768,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "intermediate_size": 3072,
    "max_position_embeddings": 512,
    "hidden_act": "gelu",
    "hidden_dropout_prob": 0.1,
    "layer_norm_eps": 1e-12,
}
_SIDE: Keys = {
    "hidden_size": 768,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "intermediate_size": 3072,
}
USUAL: Mapping[str, Keys] = {
    "blip_text": _BERT
    | {"vocab_size": 30524, "num_attention_heads": 8, "hidden_dropout_prob": 0.0},
    "blip_vision": _SIDE
    | {"image_size": 384, "patch_size": 16, "layer_norm_eps": 1e-5, "hidden_act": "gelu"},
    "clip_text": {"vocab_size": 49408, "max_position_embeddings": 77},
    "clip_vision": {"image_size": 224, "patch_size": 32},
    "lxmert": {key: said for key, said in _BERT.items() if key != "num_hidden_layers"}
    | {"l_layers": 9, "r_layers": 5, "x_layers": 5, "visual_feat_dim": 2048}
    | {"layer_norm_eps": 1e-12},
    "siglip_text": {"vocab_size": 32000, "hidden_size": 768, "max_position_embeddings": 64},
    "siglip_vision": {"image_size": 224, "patch_size": 16, "hidden_size": 768},
    "vilt": _BERT
    | {"max_position_embeddings": 40, "image_size": 384, "patch_size": 32}
    | {"hidden_dropout_prob": 0.0},
    "visual_bert": _BERT | {"visual_embedding_dim": 512},
}
"""What transformers takes for a setting that a `config.json` leaves out."""
_ACTIVATIONS = ("gelu", "relu", "silu")
_STATISTICS = {"half": HALF, "imagenet": IMAGENET, "clip": CLIP}


def _layers(config: Config, count: str = "num_hidden_layers") -> Keys:
    width = config["hidden_size"]
    return {
        "layers": config[count],
        "width": width,
        "heads": config["num_attention_heads"],
        "mlp_ratio": config["intermediate_size"] / width,
        "dropout": float(config.get("hidden_dropout_prob", config.get("dropout", 0.0)) or 0.0),
    }


def _follow(config: Config) -> Keys:
    """Return the sizes of layers, of a tower that a folder describes."""
    if any(key not in config for key in _SIDE):
        return {}
    return {key: said for key, said in _layers(config).items() if key in SHAPES}


def _activation(config: Config) -> str:
    if (said := config["hidden_act"]) not in _ACTIVATIONS:
        raise UnusualError(f"asks for the activation `{said}`; here are {listing(_ACTIVATIONS)}")
    return str(said)


def _plain(config: Config) -> Keys:
    """Return the keys of a plain stack, which has an epsilon and an activation of its own."""
    own = {"eps": config["layer_norm_eps"], "activation": _activation(config)}
    return _layers(config) | own


def _words(config: Config) -> Keys:
    return {"max_tokens": config["max_position_embeddings"], "eps": config["layer_norm_eps"]}


def _normalised(folder: str, usual: str) -> str:
    """Return by which colours pixels are normalised: as the folder says, or as is usual."""
    try:
        said = json.loads((Path(folder) / "preprocessor_config.json").read_text("utf-8"))
        mean = tuple(round(float(one), 3) for one in said["image_mean"])
    except (AttributeError, LookupError, OSError, TypeError, ValueError):
        return usual
    known = {tuple(round(one, 3) for one in of[0]): name for name, of in _STATISTICS.items()}
    return known.get(mean, usual)


def _images(folder: str, config: Config, usual: str, **other: Any) -> Keys:
    size = square(config["image_size"])
    return {"image_size": size, **other, "normalise": _normalised(folder, usual)}


def _clip(folder: str, config: Config) -> PublishedModel:
    text = USUAL["clip_text"] | config.get("text_config", {})
    vision = USUAL["clip_vision"] | config.get("vision_config", {})
    read = {"half": "text", "max_tokens": text["max_position_embeddings"]}
    space = {"width": config.get("projection_dim", 512)}
    parts = (read, _images(folder, vision, "clip"), space)
    return _model(folder, "clip", text, parts, follows=(_follow(text), _follow(vision)))


def _siglip(folder: str, config: Config) -> PublishedModel:
    text = USUAL["siglip_text"] | config.get("text_config", {})
    vision = USUAL["siglip_vision"] | config.get("vision_config", {})
    longest = text["max_position_embeddings"]
    read = {"half": "text", "max_tokens": longest, "padding": "attended"}
    seen = _images(folder, vision, "half", pooling="attention", resize="squash")
    width = text.get("projection_size") or text["hidden_size"]
    space = {"width": width, "projection": "text", "bias": True}
    follows = (_follow(text), _follow(vision))
    return _model(folder, "siglip", text, (read, seen, space), follows=follows)


def _blip(folder: str, config: Config) -> PublishedModel:
    text = USUAL["blip_text"] | config.get("text_config", {})
    vision = USUAL["blip_vision"] | config.get("vision_config", {})
    if text["layer_norm_eps"] != 1e-12:
        raise UnusualError(
            f"has a `layer_norm_eps` of {text['layer_norm_eps']} for texts; the layers that attend "
            "to images have 1e-12 here"
        )
    seen = _images(folder, vision, "clip", resize="squash")
    seen |= {"patch": square(vision["patch_size"])} | _plain(vision)
    joined = _layers(text) | {"activation": _activation(text), "unimodal": True}
    compared = config.get("image_text_hidden_size", 256)
    parts = (_words(text), seen, joined)
    return _model(folder, "blip", text, parts, compared=compared)


def _lxmert(folder: str, config: Config) -> PublishedModel:
    said = USUAL["lxmert"] | config
    read = {"max_tokens": said["max_position_embeddings"]} | _layers(said, "l_layers")
    seen = {"channels": said["visual_feat_dim"], "regions": 36, "boxes": True}
    seen |= _layers(said, "r_layers") | {"activation": _activation(said), "eps": 1e-12}
    joined = _layers(said, "x_layers") | {"activation": _activation(said)}
    joined |= {"cross": "shared", "projection": "needed", "type_embedding": False}
    return _model(folder, "lxmert", said, (read, seen, joined))


def _visual_bert(folder: str, config: Config) -> PublishedModel:
    said = USUAL["visual_bert"] | config
    if (said["layer_norm_eps"], said["hidden_act"]) != (1e-12, "gelu"):
        raise UnusualError(
            "has another `layer_norm_eps` or `hidden_act` than BERT, whose layers it has"
        )
    seen = {"channels": said["visual_embedding_dim"], "regions": 36, "boxes": False}
    parts = (_words(said), seen, {"type_embedding": False})
    return _model(folder, "visual_bert", said, parts, stack=_layers(said))


def _vilt(folder: str, config: Config) -> PublishedModel:
    said = USUAL["vilt"] | config
    seen = _images(folder, said, "half", patch=square(said["patch_size"]))
    parts = (_words(said) | {"token_types": 2}, seen, {"type_embedding": True})
    return _model(folder, "vilt", said, parts, stack=_plain(said))


def _model(
    folder: str,
    family: str,
    text: Config,
    parts: tuple[Keys, Keys, Keys],
    *,
    stack: Keys | None = None,
    follows: tuple[Keys, Keys] = ({}, {}),
    compared: int = 0,
) -> PublishedModel:
    """Return a model of the words that the table has for its family.

    Args:
        folder: that it starts from.
        family: its `model_type`.
        text: settings of what reads texts.
        parts: keys of what reads texts, what reads images, and what joins them.
        stack: keys of the encoder of a fusion of one tower.
        follows: keys of both streams that follow from the folder.
        compared: channels of the space in which a head compares.
    """
    said = _table()[family]
    words = {column: word.replace("FOLDER", folder) for column, word in said.items()}
    streams = []
    for stream, keys, own in zip(("text", "vision"), parts[:2], follows, strict=True):
        statement, _, word = words[stream].partition(" ")
        streams.append(Part(statement=statement, word=word, keys=keys, follows=own))
    fusion_name, _, fusion = words["fusion"].partition(" ")
    return PublishedModel(
        folder=folder,
        model_type=family,
        vocabulary=text["vocab_size"],
        text=streams[0],
        vision=streams[1],
        fusion=Part(word=fusion, keys=parts[2]),
        fusion_name=fusion_name,
        stack=None if stack is None else Part(word=words["stack"], keys=stack),
        keys={"pool": words["pool"], "pooler": words["pooler"]},
        heads=tuple(words["heads"].replace("COMPARED", str(compared)).split("; ")),
    )


@cache
def _table() -> Mapping[str, Mapping[str, str]]:
    """Return the words of each family by column."""
    head, *lines = TABLE.read_text("utf-8").splitlines()
    columns = head.split("\t")
    rows = (dict(zip(columns, line.split("\t"), strict=True)) for line in lines)
    return {row["family"]: row for row in rows}


_FAMILIES: Mapping[str, Callable[[str, Config], PublishedModel]] = {
    "blip": _blip,
    "clip": _clip,
    "lxmert": _lxmert,
    "siglip": _siglip,
    "vilt": _vilt,
    "visual_bert": _visual_bert,
}
"""By `model_type`."""

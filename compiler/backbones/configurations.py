"""Configurations of transformers: published, from a folder or the hub, with other dimensions."""

from collections.abc import Mapping
from copy import deepcopy

from transformers import AutoConfig, PretrainedConfig

from renaissance.compiler.backbones.hub import UNREACHABLE, look_for_hub
from renaissance.compiler.errors import BackboneError
from renaissance.grammar.architectures import from_config, reads_images
from renaissance.grammar.catalogue import find
from renaissance.grammar.encoder_folder import read_folder
from renaissance.grammar.encoder_halves import PARTS, Half, settings_of
from renaissance.grammar.kinds.source import Dimensions, half_of
from renaissance.grammar.model_types import model_type
from renaissance.grammar.paths import is_folder

_KEYS: Mapping[str, tuple[str, ...]] = {
    "layers": ("num_hidden_layers", "n_layers"),
    "width": ("hidden_size", "dim"),
    "heads": ("num_attention_heads", "n_heads"),
    "inner": ("intermediate_size", "hidden_dim"),
}
_DROPOUTS = (
    "hidden_dropout_prob",
    "attention_probs_dropout_prob",
    "dropout",
    "attention_dropout",
)


def configuration(id: str, revision: str, address: str, half: Half = "vision") -> PretrainedConfig:
    """Return the configuration of a local folder or of a model on the hub.

    Args:
        id: hub id or folder.
        revision: branch, tag or commit on the hub.
        address: of the stream, for messages.
        half: which one is meant where a model has an encoder of images and one of texts.

    Raises:
        BackboneError: if it cannot be read or reached; one sentence says which.
    """
    if is_folder(id):
        read_folder(id, half)
        try:
            found = AutoConfig.from_pretrained(id, local_files_only=True)
        # Each family reads its own settings, and raises whatever it stumbles over.
        except Exception as error:
            raise BackboneError(_unusable(id, address, error)) from None
        return _encoder(found, address, half)
    look_for_hub()
    try:
        return _encoder(AutoConfig.from_pretrained(id, revision=revision), address, half)
    except (OSError, ValueError) as error:
        raise BackboneError(unreachable(id, address, error)) from None


def random_configuration(id: str, spec: Dimensions, address: str) -> PretrainedConfig:
    """Return the configuration of a known architecture with the dimensions that a spec asks for.

    Raises:
        BackboneError: if it has no such dimension.
    """
    half = half_of(spec)
    config = known_configuration(id, half) or configuration(id, "main", address, half)
    ratio = _inner_ratio(config)
    if spec.layers is not None:
        _set(config, "layers", spec.layers, id, address)
    if spec.heads is not None:
        _set(config, "heads", spec.heads, id, address)
    if spec.width is not None:
        embedding = getattr(config, "embedding_size", None)
        if embedding is not None and embedding == getattr(config, "hidden_size", None):
            config.embedding_size = spec.width
        _set(config, "width", spec.width, id, address)
    if spec.embedding_size is not None:
        if not hasattr(config, "embedding_size"):
            raise BackboneError(_no_dimension("embedding_size", id, address))
        config.embedding_size = spec.embedding_size
    if spec.mlp_ratio is not None or (spec.width is not None and ratio is not None):
        width = _get(config, "width")
        ratio = spec.mlp_ratio if spec.mlp_ratio is not None else ratio
        if width is None or ratio is None:
            raise BackboneError(_no_dimension("mlp_ratio", id, address))
        _set_inner(config, width, ratio, id, address)
    if spec.dropout is not None:
        for key in _DROPOUTS:
            if hasattr(config, key):
                setattr(config, key, spec.dropout)
    width, heads = _get(config, "width"), _get(config, "heads")
    if width and heads and width % heads:
        raise BackboneError(f"`{address}`: {heads} heads do not divide a width of {width}")
    return config


def shortened(config: PretrainedConfig, layers: int, id: str, address: str) -> PretrainedConfig:
    """Return a configuration of its first layers alone.

    Raises:
        BackboneError: if it has fewer, or no plain stack of them.
    """
    found = deepcopy(config)
    own = _get(found, "layers")
    if own is not None and own < layers:
        raise BackboneError(f"`{address}`: `{id}` has {own} layers, and {layers} are asked for")
    _set(found, "layers", layers, id, address)
    return found


def known_configuration(id: str, half: Half = "vision") -> PretrainedConfig | None:
    """Return the configuration of a published architecture of the catalogue, or None."""
    known = find(id, half)
    if known is None or known.library != "transformers":
        return None
    values = {key: value for key, value in known.config.items() if key != "model_type"}
    return AutoConfig.for_model(known.model_type, **deepcopy(values))


def fit_to_stream(
    config: PretrainedConfig, *, max_tokens: int | None, image_size: int | None, address: str
) -> PretrainedConfig:
    """Return a configuration for a text length or an image size.

    A text table with more rows than needed stays as it is; a shorter one grows.

    Raises:
        BackboneError: if a text length is asked of a vision model or the other way round.
    """
    fitted = deepcopy(config)
    vision = reads_images(config.model_type, config.to_dict())
    if vision != (image_size is not None):
        reads = "images" if vision else "text"
        wrong = "max_tokens" if vision else "image_size"
        raise BackboneError(f"`{address}` reads {reads}: `{wrong}` is no setting of it")
    if image_size is not None and hasattr(config, "image_size"):
        several = isinstance(config.image_size, (list, tuple))
        fitted.image_size = [image_size, image_size] if several else image_size
    if hasattr(config, "mask_ratio"):
        fitted.mask_ratio = 0.0  # which share of an image a tower leaves out
    positions = getattr(config, "max_position_embeddings", None)
    if max_tokens is not None and positions is not None:
        fitted.max_position_embeddings = max(positions, max_tokens + position_offset(config))
    return fitted


def position_offset(config: PretrainedConfig) -> int:
    """Return the row of the position embedding that the first token takes."""
    return from_config("", config.to_dict(), None).position_offset


def unreachable(id: str, address: str, error: Exception) -> str:
    """Return the sentence for a model that is neither a folder nor to be had from the hub."""
    text = str(error).lower()
    if "not a valid model identifier" in text or "repository not found" in text:
        reason = "no folder and no model on the hub has this name"
    elif "model type" in text and "recognize" in text:
        reason = "the installed transformers does not know this type of model"
    else:
        reason = f"{UNREACHABLE}; a local folder works too, and `random(...)` needs no weights"
    return f"`{address}`: cannot load `{id}`: {reason}"


def _unusable(id: str, address: str, error: Exception) -> str:
    said = " ".join(str(error).split())
    if "does not recognize this architecture" in said:
        said = "the installed transformers does not know this type of model"
    return f"`{address}`: transformers cannot read `{id}/config.json`: {said}"


def part_of(config: PretrainedConfig, half: Half) -> PretrainedConfig:
    """Return the configuration of the encoder that is meant in a model of several; itself of one.

    Args:
        config: of a whole model, such as CLIP.
        half: which one is meant where it has an encoder of images and one of texts.
    """
    if config.model_type == "lxmert":
        return AutoConfig.for_model(**settings_of(config.to_dict(), half))
    known = model_type(config.model_type)
    if known is not None and known.reads != "pair":
        return config
    own = (getattr(config, name, None) for name in PARTS[half])
    found = next((part for part in own if isinstance(part, PretrainedConfig)), None)
    return config if found is None else part_of(found, half)


def _encoder(config: PretrainedConfig, address: str, half: Half) -> PretrainedConfig:
    found = part_of(config, half)
    if found is config and getattr(config, "is_encoder_decoder", False):
        raise BackboneError(
            f"`{address}`: `{config.model_type}` is an encoder with a decoder; a backbone is an "
            "encoder alone"
        )
    return found


def _set(config: PretrainedConfig, dimension: str, value: int, id: str, address: str) -> None:
    if hasattr(config, "depths"):
        raise BackboneError(
            f"`{address}`: `{id}` has stages of different width, so one number for `{dimension}` "
            "cannot describe it"
        )
    key = next((key for key in _KEYS[dimension] if hasattr(config, key)), None)
    if key is None:
        raise BackboneError(_no_dimension(dimension, id, address))
    setattr(config, key, value)


def _set_inner(config: PretrainedConfig, width: int, ratio: float, id: str, address: str) -> None:
    """Set the width of the feed-forward part, which some families state by its ratio."""
    if not any(hasattr(config, key) for key in _KEYS["inner"]) and hasattr(config, "mlp_ratio"):
        whole = isinstance(config.mlp_ratio, int)
        if not whole or float(ratio).is_integer():
            config.mlp_ratio = int(ratio) if whole else ratio
            return
    _set(config, "inner", round(width * ratio), id, address)


def _get(config: PretrainedConfig, dimension: str) -> int | None:
    if hasattr(config, "depths"):
        return None
    return next((getattr(config, key) for key in _KEYS[dimension] if hasattr(config, key)), None)


def _inner_ratio(config: PretrainedConfig) -> float | None:
    inner, width = _get(config, "inner"), _get(config, "width")
    return inner / width if inner and width else None


def _no_dimension(dimension: str, id: str, address: str) -> str:
    return f"`{address}`: `{dimension}` is no dimension of `{id}` that can be set"

"""What keeps the encoder of a local folder from being built: settings that do not go together.

What a library would stumble over while it makes the encoder is said where the folder is named.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from renaissance.grammar.architectures import Architecture
from renaissance.grammar.names import nearest
from renaissance.grammar.record import Record

AS_PUBLISHED = "take the config.json that the weights were published with"


class Flaw(Record):
    """Why an encoder cannot be built.

    Attributes:
        message: one clause.
        help: what helps.
    """

    message: str
    help: tuple[str, ...] = ()


SCATTERED = ("flaubert", "xlm")
"""Families that keep the parts of all layers in lists by kind, so that no module is a layer."""

ACTIVATIONS = frozenset(
    {
        "gelu",
        "gelu_10",
        "gelu_accurate",
        "gelu_fast",
        "gelu_new",
        "gelu_python",
        "gelu_python_tanh",
        "gelu_pytorch_tanh",
        "hardswish",
        "laplace",
        "leaky_relu",
        "linear",
        "mish",
        "prelu",
        "quick_gelu",
        "relu",
        "relu2",
        "relu6",
        "sigmoid",
        "silu",
        "sqrtsoftplus",
        "swish",
        "tanh",
        "xielu",
    }
)
"""Names of transformers' activations."""

_WIDTHS_OF_HEADS = ("attention_head_size", "head_dim", "key_dim")
_BY_STAGE = (
    "focal_levels",
    "focal_windows",
    "hidden_sizes",
    "mlp_ratios",
    "num_attention_heads",
    "num_heads",
    "patch_sizes",
    "sr_ratios",
    "strides",
)
_COUNTS = ("num_stages", "num_encoder_blocks")
_STEM_FIRST = ("textnet",)
"""Families that count what lies before their stages among these."""
_USUAL_STAGES = {"convnext": 4, "convnextv2": 4}
"""Stages of families whose blocks are counted by a setting that may be left out."""


def scattered(model_type: str) -> Flaw | None:
    """Say why a family without a module for each layer is refused; None of all others."""
    if model_type not in SCATTERED:
        return None
    return Flaw(
        message=f"an encoder of type `{model_type}` can be no tower: transformers keeps attention, "
        "norms and feed-forward parts of all its layers in separate lists, so that no module is a "
        "layer that `freeze`, `scale_lr`, `adapt` or `layers` could name",
        help=("take an XLM-R (`xlm-roberta-base`), which reads a hundred languages",),
    )


def flaw_of_settings(
    path: str, config: Mapping[str, Any], known: Architecture, *, weights: bool
) -> Flaw | None:
    """Return the first thing in the settings of transformers' encoder that cannot be.

    Args:
        path: of the folder.
        config: its settings, those of the encoder that is meant.
        known: what follows from them.
        weights: whether its weights are wanted too, so that a spec cannot choose dimensions.
    """
    fixed = weights or not known.sequence
    found = (
        _unequal_stages(config),
        _indivisible(config, known) if fixed else (),
        _unknown_activation(config),
        _other_channels(config, known),
        _other_shape(config, known) if weights else (),
    )
    for messages in found:
        for message, help in messages:
            return Flaw(message=f"`{path}/config.json` {message}", help=help)
    return None


Findings = Iterator[tuple[str, tuple[str, ...]]]


def _unequal_stages(config: Mapping[str, Any]) -> Findings:
    depths = config.get("depths")
    if not isinstance(depths, list) or config.get("model_type") in _STEM_FIRST:
        return
    stages = len(depths)
    if not stages:
        yield "says that `depths` is empty: there is no stage", (AS_PUBLISHED,)
    for name in _BY_STAGE:
        said = config.get(name)
        if isinstance(said, list) and len(said) != stages:
            yield (
                f"has {stages} stages by `depths` and {len(said)} by `{name}`",
                (f"let `depths` and `{name}` be equally long", AS_PUBLISHED),
            )
    usual = _USUAL_STAGES.get(str(config.get("model_type")))
    for name in _COUNTS:
        said = config.get(name, usual if name == _COUNTS[0] else None)
        if said is not None and said != stages:
            stated = f"{said} by `{name}`" if name in config else f"{said} where `{name}` is absent"
            yield f"has {stages} stages by `depths` and {stated}", (f"write `{name}`: {stages}",)


def _indivisible(config: Mapping[str, Any], known: Architecture) -> Findings:
    """Heads share the channels of a layer equally, where no setting gives them a width."""
    if any(name in config for name in _WIDTHS_OF_HEADS):
        return
    depths, heads = config.get("depths"), config.get("num_heads")
    if isinstance(depths, list) and isinstance(heads, list) and "embed_dim" in config:
        widths = [config["embed_dim"] * 2**stage for stage in range(len(depths))]
    elif isinstance(heads := config.get("num_attention_heads"), list):
        widths = config.get("hidden_sizes") or []
    else:
        heads, widths = [known.heads], [known.width]
    for count, width in zip(heads, widths, strict=False):
        if type(count) is int and type(width) is int and width % count:
            yield (
                f"has {count} heads, which do not divide a width of {width}",
                (AS_PUBLISHED,),
            )


def _unknown_activation(config: Mapping[str, Any]) -> Findings:
    for name in ("hidden_act", "activation"):
        said = config.get(name)
        if isinstance(said, str) and said not in ACTIVATIONS:
            close = nearest(said, ACTIVATIONS)
            meant = (f"transformers knows `{close[0]}`",) if close else (AS_PUBLISHED,)
            yield f"asks for the activation `{said}`, which transformers does not know", meant


def _other_channels(config: Mapping[str, Any], known: Architecture) -> Findings:
    channels = config.get("num_channels", 3)
    if known.modality == "vision" and channels != 3:
        yield (
            f"reads images of {channels} channels (`num_channels`); images here have 3 colours",
            ("take an encoder of colour images",),
        )


def _other_shape(config: Mapping[str, Any], known: Architecture) -> Findings:
    size = config.get("image_size")
    if (
        known.modality == "vision"
        and known.sequence
        and isinstance(size, list)
        and len({*size}) > 1
    ):
        sides = " × ".join(map(str, size))
        yield (
            f"has positions for images of {sides} pixels, which cannot be resized to a square",
            ("take an encoder of square images",),
        )

"""Which encoder of a model is meant: the only one, that of images or that of texts."""

from collections.abc import Mapping
from typing import Any, Literal

from renaissance.grammar.model_types import model_type

Half = Literal["vision", "text"]

PARTS: Mapping[Half, tuple[str, ...]] = {
    "vision": ("vision_config", "image_config"),
    "text": ("text_config",),
}
"""Settings of transformers that describe the encoder of images, or of texts, of a model."""
_READS = {"vision": "images", "text": "texts"}


class NoHalfError(ValueError):
    """A model that lacks the encoder that is meant; says so in a clause, and what helps."""


def settings_of(config: Mapping[str, Any], half: Half) -> Mapping[str, Any]:
    """Return the settings of the encoder that is meant, all of them where a model is one encoder.

    Args:
        config: contents of a `config.json` of transformers.
        half: which one is meant where there is one of images and one of texts.

    Raises:
        NoHalfError: if the model has encoders, and none that reads this.
    """
    if config.get("model_type") == "lxmert":
        # Its words run through layers of BERT before they meet an image.
        return {**config, "model_type": "bert", "num_hidden_layers": config.get("l_layers", 9)}
    known = model_type(str(config.get("model_type", "")))
    own = next((config[name] for name in PARTS[half] if isinstance(config.get(name), dict)), None)
    if known is not None and known.reads != "pair":
        return config
    if own is None:
        if known is None:
            return config
        other: Half = "text" if half == "vision" else "vision"
        help = (f"write `half = {other}`",) if getattr(known, other) else ()
        raise NoHalfError(f"describes no encoder of {_READS[half]}", help)
    usual = "" if known is None else getattr(known, half)
    return settings_of({"model_type": usual} | own, half)

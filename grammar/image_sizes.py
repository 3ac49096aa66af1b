"""How wide and deep encoders of images are whose configuration says it in a way of its own.

Source: the classes of these families in transformers, which are named with their configuration.
"""

from collections.abc import Callable, Mapping
from typing import Any

Config = Mapping[str, Any]


def width_of(model_type: str, config: Config) -> int | None:
    """Return the channels of the tokens that an encoder gives; None where no setting says it."""
    if model_type in _WIDTHS:
        return _WIDTHS[model_type](config)
    if config.get("depths") and isinstance(config.get("embed_dim"), int):
        doubled: int = config["embed_dim"] * 2 ** (len(config["depths"]) - 1)
        return doubled
    return None


def layers_of(model_type: str, config: Config) -> int | None:
    """Return how many layers an encoder has over all stages; None where only the library knows."""
    name = _LAYERS.get(model_type, "depths")
    stages = config.get(name) if name else None
    return sum(stages) if stages else None


def gives_a_map(model_type: str) -> bool:
    """Tell whether an encoder of stages makes a map of an image, in which no token is one patch."""
    return model_type in _LAYERS


def _in_steps(channels: float, step: int, least: int) -> int:
    """Return a number of channels that `step` divides, at least nine tenths of what is asked."""
    rounded = max(least, int(channels + step / 2) // step * step)
    return rounded + step if rounded < 0.9 * channels else rounded


def _of_mobilenet_v2(config: Config) -> int:
    scale = config.get("depth_multiplier", 1.0)
    if config.get("finegrained_output", True) and scale < 1:
        return 1280
    step, least = config.get("depth_divisible_by", 8), config.get("min_depth", 8)
    return _in_steps(round(1280 * scale), step, least)


_WIDTHS: Mapping[str, Callable[[Config], int]] = {
    "align_vision_model": lambda config: _in_steps(
        config["out_channels"][-1] * config.get("width_coefficient", 2.0),
        config.get("depth_divisor", 8),
        config.get("depth_divisor", 8),
    ),
    "bit": lambda config: _in_steps(
        config["hidden_sizes"][-1] * config.get("width_factor", 1), 8, 8
    ),
    "cvt": lambda config: int(config["embed_dim"][-1]),
    "efficientnet": lambda config: int(config.get("hidden_dim", 2560)),
    "hgnet_v2": lambda config: int(config["stage_out_channels"][-1]),
    "mobilenet_v1": lambda config: max(
        int(1024 * config.get("depth_multiplier", 1.0)), config.get("min_depth", 8)
    ),
    "mobilenet_v2": _of_mobilenet_v2,
    "mobilevit": lambda config: int(config["neck_hidden_sizes"][-1]),
    "mobilevitv2": lambda config: _in_steps(512 * config.get("width_multiplier", 1.0), 8, 8),
    "swiftformer": lambda config: int(config["embed_dims"][-1]),
}
"""Widths of families in which it is no `hidden_size`, and not the last of `hidden_sizes`."""

_LAYERS = {
    "align_vision_model": "",
    "bit": "depths",
    "cvt": "depth",
    "efficientnet": "",
    "glpn": "depths",
    "hgnet_v2": "stage_num_blocks",
    "levit": "",
    "mobilenet_v1": "",
    "mobilenet_v2": "",
    "mobilevit": "",
    "mobilevitv2": "",
    "poolformer": "depths",
    "regnet": "depths",
    "resnet": "depths",
    "swiftformer": "depths",
    "textnet": "",
}
"""The setting that counts the layers of each stage, by family; empty where none does."""

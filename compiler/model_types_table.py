"""Makes the table of transformers' types of models, or compares it with the installed library.

    python -m renaissance.compiler.model_types_table            writes the table
    python -m renaissance.compiler.model_types_table --check    says where transformers differs

All classes of the library are imported for that, which takes a minute.
"""

import argparse
import inspect
import sys
from collections.abc import Mapping
from typing import Any

import transformers
from transformers import AutoConfig, PretrainedConfig
from transformers.models.auto.configuration_auto import CONFIG_MAPPING

from renaissance.compiler.backbones.encoder_classes import encoder_class
from renaissance.grammar.model_types import (
    TABLE,
    ModelType,
    line_of,
    model_type,
    model_types,
    table_of,
)

IMAGES = ("vision_config", "image_config")
TEXTS = ("text_config",)
DECODES = "transformers has it with a decoder only, and a tower is an encoder alone"
NO_CLASS = "transformers has no class for it alone"
OF_TIMM = "it is a model of timm in transformers' form; take timm's own, `timm(\"…\")`"
SOUND = "it reads sound"
_INPUTS = {
    "input_features": SOUND,
    "input_values": SOUND,
    "audio_mel": SOUND,
    "past_values": "it reads series of numbers",
    "states": "it reads states and rewards",
}
"""What types read that read neither images nor texts, by the name of their first input."""
_CUT = "it takes patches that are cut beforehand, of images of any shape"
_MAPS = "it gives maps in which objects are outlined"
_OBJECTS = "it finds objects, and has parts for that behind its encoder"
_PAGES = "it finds, reads or straightens lines of print"
_PAIRS = "it compares two images"
_VIDEOS = "it reads videos"
_REFUSED: Mapping[str, str] = {
    "altclip_text_model": "its tokens are mapped to the width of a space that images share",
    "bros": "it reads where each word stands on its page too",
    "deepseek_ocr2_vision": "it sends an image through SAM's encoder and a language model",
    "depth_pro": "it encodes parts of an image at several sizes",
    "edgetam_vision_model": _MAPS,
    "efficientloftr": _PAIRS,
    "imagegpt": "it reads colours as words of its own",
    "lightglue": _PAIRS,
    "lw_detr": _OBJECTS,
    "mask2former": _OBJECTS,
    "maskformer": _OBJECTS,
    "mgp-str": "it gives characters, and no tokens of an image",
    "minicpm_ocr_vision": _CUT,
    "minicpmv4_6_vision": _CUT,
    "minicpmv4_7_vision": _CUT,
    "molmo2_vision": _CUT,
    "pixtral": "it puts the patches of all images into one row",
    "pp_formulanet_vision": _PAGES,
    "pp_lcnet": "no setting says how wide its features are",
    "pp_lcnet_v3": "no setting says how wide its features are",
    "pp_lcnet_v4": "no setting says how wide its features are",
    "pp_ocrv5_mobile_rec": _PAGES,
    "pp_ocrv5_server_det": _PAGES,
    "pp_ocrv5_server_rec": _PAGES,
    "pp_ocrv6_medium_det": _PAGES,
    "pp_ocrv6_small_det": _PAGES,
    "pp_ocrv6_small_rec": _PAGES,
    "pp_ocrv6_tiny_rec": _PAGES,
    "rf_detr": _OBJECTS,
    "sam2_hiera_det_model": _MAPS,
    "sam2_vision_model": _MAPS,
    "sam3_vision_model": _MAPS,
    "sam_hq_vision_model": _MAPS,
    "sam_vision_model": _MAPS,
    "swin2sr": "it enlarges images, and its tokens are single pixels",
    "timesformer": _VIDEOS,
    "unlimited_ocr_vision": "it sends an image through SAM's encoder and CLIP's",
    "uvdoc": _PAGES,
    "uvdoc_backbone": _PAGES,
    "videomae": _VIDEOS,
    "vivit": _VIDEOS,
    "xclip_vision_model": _VIDEOS,
}
"""Types whose class takes images like that of any encoder, and that can be no tower."""


def surveyed(name: str, config_class: type[PretrainedConfig]) -> ModelType:
    """Return what the installed transformers says of a type of model, by its configuration."""
    config = _usual(config_class)
    halves = [_half(config_class, config, keys) for keys in (IMAGES, TEXTS)]
    if any(half is not None for half in halves):
        vision, text = (half or "" for half in halves)
        return ModelType(name=name, reads="pair", vision=vision, text=text)
    refused = _REFUSED.get(name) or _refusal(config_class, config)
    if refused:
        return ModelType(name=name, reads="nothing", refused=refused)
    takes = _parameters(encoder_class(config_class))
    images = "pixel_values" in takes and "input_ids" not in takes
    return ModelType(name=name, reads="images" if images else "texts")


def configurations() -> Mapping[str, type[PretrainedConfig]]:
    """Return the configurations of all types, those of parts of others too."""
    found: dict[str, type[PretrainedConfig]] = {}
    waiting = [(name, CONFIG_MAPPING[name]) for name in CONFIG_MAPPING]
    while waiting:
        name, config_class = waiting.pop(0)
        if not name or name in found:
            continue
        found[name] = config_class
        parts = config_class.sub_configs or {}
        usual = _usual(config_class)
        for key, part in parts.items():
            own = getattr(usual, key, None)
            part = type(own) if isinstance(own, PretrainedConfig) else part
            if part is not AutoConfig and issubclass(part, PretrainedConfig):
                waiting.append((part.model_type, part))
    return found


def _usual(config_class: type[PretrainedConfig]) -> PretrainedConfig | None:
    try:
        return config_class()
    except Exception:  # some have no usual settings
        return None


def _half(config_class: Any, config: Any, keys: tuple[str, ...]) -> str | None:
    """Return the type of an encoder of a pair; empty where any may be, None where none is."""
    key = next((key for key in keys if key in (config_class.sub_configs or {})), None)
    if key is None:
        return None
    own = getattr(config, key, None)
    return own.model_type if isinstance(own, PretrainedConfig) else ""


def _refusal(config_class: type[PretrainedConfig], config: Any) -> str:
    """Say why a type can be no tower, by what its class wants; empty where nothing shows."""
    try:
        model: Any = encoder_class(config_class)
        takes = {} if model is None else _parameters(model)
    except ImportError as missing:
        package = str(missing).partition("requires the ")[2].partition(" ")[0]
        return f"transformers needs the package `{package}` for it"
    if model is None:
        return NO_CLASS
    if model.__name__.startswith("Timm"):
        return OF_TIMM
    if getattr(config, "is_encoder_decoder", False):
        return DECODES
    first = _first(model)
    if first in _INPUTS:
        return _INPUTS[first]
    wanted = [name for name, one in takes.items() if one.default is one.empty]
    for own in ("pixel_values", "input_ids"):
        if own in takes and not {*wanted} - {own}:
            return ""
    others = [name for name in wanted or takes if name not in ("pixel_values", "input_ids")]
    said = " and ".join(f"`{name}`" for name in others[:3])
    return f"its class takes {said or 'other inputs'}, no images or texts alone"


def _parameters(model: Any) -> dict[str, inspect.Parameter]:
    """Return what a model's `forward` takes by name."""
    several = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
    given = inspect.signature(model.forward).parameters
    return {name: one for name, one in given.items() if name != "self" and one.kind not in several}


def _first(model: Any) -> str:
    """Return the name of a model's main input."""
    said = model.main_input_name
    return said if isinstance(said, str) else said[0]


def differences(types: Mapping[str, type[PretrainedConfig]]) -> list[str]:
    """Return a line for each type of which the table says something else than transformers."""
    found = []
    for name, config_class in types.items():
        kept, own = model_type(name), surveyed(name, config_class)
        if kept is None or line_of(kept) != line_of(own):
            found.append(f"{name}: {'missing' if kept is None else line_of(kept)} | {line_of(own)}")
    return found


def main() -> int:
    """Write or check the table; 1 if it differs."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--check", action="store_true", help="compare, and write nothing")
    types = dict(sorted(configurations().items()))
    if arguments.parse_args().check:
        gone = [f"{name}: gone" for name in sorted({*model_types()} - {*types})]
        found = gone + differences(types)
        sys.stdout.writelines(f"{line}\n" for line in found)
        return 1 if found else 0
    lines = [line_of(surveyed(name, config_class)) for name, config_class in types.items()]
    TABLE.write_text(table_of(transformers.__version__, lines), "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

"""What a local folder says about the encoder that transformers or timm saved there."""

import json
from collections.abc import Mapping
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from renaissance.grammar.architectures import IMAGENET, Architecture, Library, from_config, square
from renaissance.grammar.catalogue import find
from renaissance.grammar.encoder_flaws import AS_PUBLISHED, Flaw, scattered
from renaissance.grammar.encoder_halves import Half, NoHalfError, settings_of
from renaissance.grammar.model_types import model_type
from renaissance.grammar.paths import is_file, is_folder


class FolderError(ValueError):
    """A local folder that is no model of transformers or timm; says why in one sentence."""

    def __init__(self, message: str, *help: str) -> None:
        """Keep the sentence and what helps."""
        self.flaw = Flaw(message=message, help=help)
        super().__init__(message)


_SAVED = "take a folder that `save_pretrained` of transformers, or timm, has written"


def read_folder(path: str | Path, half: Half = "vision") -> Architecture:
    """Read the facts of a model saved in a local folder by transformers or timm.

    Args:
        path: folder that holds `config.json`.
        half: which one is meant where a model has an encoder of images and one of texts.

    Raises:
        FolderError: if the folder or its `config.json` is missing or says too little.
    """
    folder = Path(path)
    config = _settings(folder)
    try:
        if _of_timm(config):
            return _timm_folder(str(path), config)
        own = settings_of(config, half)
        return replace(_transformers_folder(folder, own), part=own is not config)
    except NoHalfError as missing:
        message, help = missing.args
        raise FolderError(f"`{path}/config.json` {message}", *help) from None
    except FolderError:
        raise
    # A list where an object belongs, a text for a number: settings may hold anything.
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as problem:
        raise FolderError(
            f"`{path}/config.json` holds a value of another kind than its setting has: {problem}"
        ) from None


def library_of(path: str | Path) -> Library:
    """Return the library that saved a folder.

    Raises:
        FolderError: if the folder or its `config.json` is missing or names none.
    """
    return "timm" if _of_timm(_settings(Path(path))) else "transformers"


def _settings(folder: Path) -> Mapping[str, Any]:
    if not is_folder(folder):
        raise FolderError(f"there is no folder `{folder}`")
    config = _json(folder / "config.json")
    if "model_type" not in config and "architecture" not in config:
        raise FolderError(f"`{folder}/config.json` names neither a model_type nor an architecture")
    return config


def _of_timm(config: Mapping[str, Any]) -> bool:
    return "model_type" not in config


def _timm_folder(path: str, config: Mapping[str, Any]) -> Architecture:
    pretrained = config.get("pretrained_cfg", config)
    mean, std = pretrained.get("mean"), pretrained.get("std")
    statistics = (tuple(mean), tuple(std)) if mean and std else None
    size = pretrained.get("input_size")
    known = find(str(config["architecture"]))
    facts: dict[str, Any] = {}
    if known is not None:
        facts = {name: getattr(known, name) for name in known.__slots__}
    facts |= {
        "id": path,
        "library": "timm",
        "model_type": str(config["architecture"]),
        "modality": "vision",
        "image_size": size[-1] if size else facts.get("image_size"),
        "statistics": statistics or facts.get("statistics") or IMAGENET,
    }
    return Architecture(**facts | _timm_arguments(config.get("model_args") or {}))


def _timm_arguments(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the facts that `model_args` of a folder of timm change, which go before the name's."""
    facts: dict[str, Any] = {}
    width, depths, heads = (arguments.get(key) for key in ("embed_dim", "depths", "num_heads"))
    if isinstance(depths, list):
        facts["layers"], facts["sequence"] = sum(depths), False
    if isinstance(width, int):
        stages = len(depths) if isinstance(depths, list) else 1
        facts["embedding_width"], facts["width"] = width, width * 2 ** (stages - 1)
    if heads is not None:
        facts["heads"] = heads[-1] if isinstance(heads, list) else heads
    own = {
        "layers": arguments.get("depth"),
        "mlp_ratio": arguments.get("mlp_ratio"),
        "patch": square(arguments.get("patch_size")),
        "image_size": square(arguments.get("img_size")),
    }
    facts |= {name: value for name, value in own.items() if value is not None}
    if "class_token" in arguments or "reg_tokens" in arguments:
        classes = int(arguments.get("class_token", True))
        facts["prefix_tokens"] = classes + int(arguments.get("reg_tokens") or 0)
    return facts


_SIZES = (
    "num_hidden_layers",
    "n_layers",
    "depths",
    "hidden_size",
    "dim",
    "embed_dim",
    "num_attention_heads",
    "n_heads",
    "num_heads",
    "intermediate_size",
    "hidden_dim",
    "vocab_size",
    "image_size",
    "patch_size",
    "window_size",
)
"""Settings of transformers that count something; those with stages have a list of them."""


def _check_sizes(path: str, config: Mapping[str, Any]) -> None:
    """Refuse an encoder of no layers or no channels, which a library stumbles over somewhere.

    Raises:
        FolderError: naming the setting.
    """
    for name in _SIZES:
        said = config.get(name)
        if name == "window_size" and config.get("model_type") == "vitdet":
            continue  # 0 lets all of its layers attend to the whole image
        for size in said if isinstance(said, list) else (said,):
            if size is not None and (type(size) is not int or size < 1):
                raise FolderError(
                    f"`{path}/config.json` says that `{name}` is {json.dumps(said)}, where whole "
                    "numbers from 1 are wanted",
                    AS_PUBLISHED,
                )


def _transformers_folder(folder: Path, config: Mapping[str, Any]) -> Architecture:
    statistics = None
    preprocessor = folder / "preprocessor_config.json"
    if is_file(preprocessor):
        pixels = _json(preprocessor)
        mean, std = pixels.get("image_mean"), pixels.get("image_std")
        if mean and std:
            statistics = (tuple(mean), tuple(std))
    refused = _refusal(str(config.get("model_type")))
    if refused is not None:
        raise FolderError(refused.message, *refused.help)
    architecture = from_config(str(folder), config, statistics)
    _check_sizes(str(folder), config)
    if architecture.width is None:
        raise FolderError(
            f"`{folder}/config.json` of type `{architecture.model_type}` states no hidden size",
            AS_PUBLISHED,
        )
    if architecture.modality == "text" and architecture.vocabulary is None:
        raise FolderError(
            f"`{folder}/config.json` of type `{architecture.model_type}` states no vocabulary of "
            "word pieces",
            AS_PUBLISHED,
        )
    return architecture


_PACKAGES = {"dinat": "natten", "layoutlmv2": "detectron2"}
"""Packages that transformers asks for when it makes an encoder, by type."""


def _refusal(name: str) -> Flaw | None:
    """Say why encoders of a type can be no tower; None where they can, or nobody knows."""
    known = model_type(name)
    package = _PACKAGES.get(name)
    if package is not None and find_spec(package) is None:
        return Flaw(
            message=f"an encoder of type `{name}` needs the package `{package}`, which is not "
            "installed",
            help=(f"install `{package}`",),
        )
    if known is None or not known.refused:
        return scattered(name)
    return Flaw(
        message=f"an encoder of type `{name}` can be no tower: {known.refused}",
        help=("`renaissance explain catalogue` lists encoders that can",),
    )


def _json(path: Path) -> Mapping[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise FolderError(f"`{path.parent}` holds no {path.name}", _SAVED) from None
    except (OSError, UnicodeDecodeError, json.JSONDecodeError):
        raise FolderError(f"`{path}` is not readable as JSON", AS_PUBLISHED) from None
    if not isinstance(value, dict):
        raise FolderError(f"`{path}` is not a JSON object")
    return value

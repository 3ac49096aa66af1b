"""A folder of a published model: what it says of itself, and its tensors."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from renaissance.compiler.errors import CompileError
from renaissance.grammar.kinds.source import Modality

WEIGHTS = "model.safetensors"
INDEX = "model.safetensors.index.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedModel:
    """A published model.

    Attributes:
        path: of its folder.
        config: what its `config.json` says.
        tensors: by the name that they have in its files.
    """

    path: str
    config: Mapping[str, Any]
    tensors: Mapping[str, Tensor]

    @property
    def family(self) -> str:
        """Its `model_type`."""
        return str(self.config.get("model_type", ""))

    def config_of(self, modality: Modality) -> Mapping[str, Any]:
        """Return what it says of the layers that read texts, or images; of all where it has one."""
        found: Mapping[str, Any] = self.config.get(f"{modality}_config", self.config)
        return found


def read_published(path: str, *, weights: bool) -> PublishedModel:
    """Read a folder as `save_pretrained` writes it.

    Args:
        path: of the folder.
        weights: with values; without them, tensors have shapes alone.

    Raises:
        CompileError: if the folder holds no such model.
    """
    folder = Path(path)
    config = _whole(_json(folder / "config.json", path), path)
    index = folder / INDEX
    names = {WEIGHTS}
    if index.is_file():
        parts = _json(index, path).get("weight_map")
        if not isinstance(parts, dict) or not parts:
            raise CompileError(f"`{index}` says in no `weight_map` which files there are")
        names = {str(name) for name in parts.values()}
    tensors: dict[str, Tensor] = {}
    for name in sorted(names):
        tensors |= _tensors(folder / name, path, weights)
    return PublishedModel(path=path, config=config, tensors=tensors)


def _whole(config: dict[str, Any], path: str) -> dict[str, Any]:
    """Return a configuration in which the parts of a model say also what is usual."""
    if "text_config" not in config or "vision_config" not in config:
        return config
    from transformers import AutoConfig

    try:
        found: dict[str, Any] = AutoConfig.for_model(**config).to_dict()
    # Each family reads its own settings, and raises whatever it stumbles over.
    except Exception as error:
        said = " ".join(str(error).split())
        raise CompileError(f"transformers cannot read `{path}/config.json`: {said}") from None
    return found


def _json(file: Path, path: str) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CompileError(f"`{path}` is no published model: it has no `{file.name}`") from None
    except (OSError, ValueError):
        raise CompileError(f"`{file}` cannot be read as JSON") from None
    if not isinstance(found, dict):
        raise CompileError(f"`{file}` is no object of JSON")
    return found


def _tensors(file: Path, path: str, weights: bool) -> dict[str, Tensor]:
    try:
        with safe_open(file, "pt") as opened:
            names = opened.keys()
            if weights:
                return {name: opened.get_tensor(name) for name in names}
            return {
                name: torch.empty(opened.get_slice(name).get_shape(), device="meta")
                for name in names
            }
    except FileNotFoundError:
        raise CompileError(
            f"`{path}` has no `{file.name}`; `save_pretrained` of transformers writes it"
        ) from None
    except (OSError, SafetensorError) as problem:
        raise CompileError(f"`{file}` cannot be read: {str(problem).splitlines()[0]}") from None

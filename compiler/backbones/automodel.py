"""Encoders as transformers' AutoModel picks them, random or with published weights."""

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import torch
import transformers
from safetensors import SafetensorError
from transformers import AutoModel, PretrainedConfig, PreTrainedModel

from renaissance.compiler.backbones.configurations import (
    configuration,
    known_configuration,
    random_configuration,
    unreachable,
)
from renaissance.compiler.backbones.content import content_hash
from renaissance.compiler.backbones.trial import first_line
from renaissance.compiler.errors import BackboneError
from renaissance.compiler.model.tower import BackboneReference
from renaissance.grammar.kinds.source import Dimensions, LibraryEncoder, half_of
from renaissance.grammar.paths import is_folder
from renaissance.grammar.schema.model import Attention

_UNLISTED = {"siglip_text_model": "SiglipTextModel"}
"""Classes of encoders that transformers has and AutoModel does not know."""


def published_configuration(
    spec: LibraryEncoder, address: str, *, weights: bool
) -> PretrainedConfig:
    """Return a stream's configuration before it is fitted to image size and text length."""
    if isinstance(spec, Dimensions):
        return random_configuration(spec.identifier, spec, address)
    name, half = spec.identifier, half_of(spec)
    known = None if weights or is_folder(name) else known_configuration(name, half)
    return known or configuration(name, spec.hub_revision, address, half)


def load_encoder(
    spec: LibraryEncoder, config: PretrainedConfig, address: str
) -> tuple[PreTrainedModel, BackboneReference]:
    """Load a pretrained encoder from a folder or the hub, in the shape that it was published in.

    Raises:
        BackboneError: if it cannot be reached or lacks weights.
    """
    id = spec.identifier
    local = is_folder(id)
    where: dict[str, Any] = {"local_files_only": True} if local else {"revision": spec.hub_revision}
    model_class: Any = _model_class(config, address)
    with _quiet():
        try:
            encoder, report = model_class.from_pretrained(
                id,
                config=deepcopy(config),
                dtype=torch.float32,
                attn_implementation="eager",
                ignore_mismatched_sizes=True,
                output_loading_info=True,
                **where,
                **_without_pooler(config, address),
            )
        except (ImportError, SafetensorError) as error:
            raise BackboneError(
                f"`{address}`: the weights of `{id}` cannot be read: {first_line(error)}"
            ) from None
        except (OSError, ValueError) as error:
            if local:
                raise BackboneError(
                    f"`{address}`: the folder `{id}` holds no weights that can be read"
                ) from None
            raise BackboneError(unreachable(id, address, error)) from None
    if missing := sorted(report["missing_keys"]):
        raise BackboneError(
            f"`{address}`: `{id}` lacks weights for {len(missing)} tensors of "
            f"`{config.model_type}`, such as `{missing[0]}`"
        )
    if others := sorted(report["mismatched_keys"]):
        name, there, wanted = others[0]
        raise BackboneError(
            f"`{address}`: {len(others)} weights of `{id}` have other shapes than its "
            f"config.json says, such as `{name}`: {list(there)} instead of {list(wanted)}"
        )
    revision = None if local else getattr(encoder.config, "_commit_hash", None)
    return encoder, BackboneReference(id=id, revision=revision, content=content_hash(encoder))


def random_encoder(config: PretrainedConfig, attention: Attention, address: str) -> PreTrainedModel:
    """Return an encoder with random weights, drawn as its library draws them."""
    config = deepcopy(config)
    model_class: Any = _model_class(config, address)
    with _quiet():
        encoder: PreTrainedModel = model_class._from_config(
            config,
            dtype=torch.float32,
            attn_implementation=implementation(model_class, attention),
            **_without_pooler(config, address),
        )
    return encoder


def implementation(model_class: type[PreTrainedModel], attention: Attention) -> str:
    """Return transformers' name of the attention that a family of models can run."""
    if attention == "eager" or not getattr(model_class, "_supports_sdpa", False):
        return "eager"
    return "sdpa"


def _model_class(config: PretrainedConfig, address: str) -> type[PreTrainedModel]:
    other = _UNLISTED.get(config.model_type)
    if other is not None:
        return getattr(transformers, other)  # type: ignore[no-any-return]
    try:
        found: Any = AutoModel._model_mapping[type(config)]
    except KeyError:
        raise BackboneError(
            f"`{address}`: transformers has no encoder for type `{config.model_type}`"
        ) from None
    model_class: type[PreTrainedModel] = found[0] if isinstance(found, tuple) else found
    return model_class


def _without_pooler(config: PretrainedConfig, address: str) -> dict[str, bool]:
    parameters = inspect.signature(_model_class(config, address).__init__).parameters
    return {"add_pooling_layer": False} if "add_pooling_layer" in parameters else {}


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep transformers from reporting what is checked here."""
    log: Any = transformers.logging
    level, bar = log.get_verbosity(), log.is_progress_bar_enabled()
    log.set_verbosity_error()
    log.disable_progress_bar()
    try:
        yield
    finally:
        log.set_verbosity(level)
        if bar:
            log.enable_progress_bar()

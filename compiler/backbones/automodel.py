"""Encoders as transformers' AutoModel picks them, random or with published weights."""

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import torch
import transformers
from safetensors import SafetensorError
from transformers import AutoConfig, PretrainedConfig, PreTrainedModel

from renaissance.compiler.backbones.configurations import (
    configuration,
    known_configuration,
    part_of,
    random_configuration,
    unreachable,
)
from renaissance.compiler.backbones.content import content_hash
from renaissance.compiler.backbones.encoder_classes import encoder_class
from renaissance.compiler.backbones.trial import first_line
from renaissance.compiler.errors import BackboneError
from renaissance.compiler.model.tower import BackboneReference
from renaissance.grammar.kinds.source import Dimensions, LibraryEncoder, half_of
from renaissance.grammar.paths import is_folder
from renaissance.grammar.schema.model import Attention


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
    model_class: Any = _model_class(config, address)
    options = _without_pooler(config, address)
    encoder, report = _loaded(model_class, deepcopy(config), spec, address, **options)
    if report["missing_keys"] and (whole := _whole(spec)) is not None:
        encoder, report = _part_of(whole, encoder, spec, address)
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
    revision = None if is_folder(id) else getattr(encoder.config, "_commit_hash", None)
    return encoder, BackboneReference(id=id, revision=revision, content=content_hash(encoder))


def _loaded(
    model_class: Any, config: PretrainedConfig, spec: LibraryEncoder, address: str, **options: Any
) -> tuple[Any, dict[str, Any]]:
    """Return a model with its weights, and what transformers reports of them."""
    id = spec.identifier
    with _quiet():
        try:
            return model_class.from_pretrained(  # type: ignore[no-any-return]
                id,
                config=config,
                dtype=torch.float32,
                attn_implementation="eager",
                ignore_mismatched_sizes=True,
                output_loading_info=True,
                **_where(spec),
                **options,
            )
        except (ImportError, SafetensorError) as error:
            raise BackboneError(
                f"`{address}`: the weights of `{id}` cannot be read: {first_line(error)}"
            ) from None
        except (OSError, ValueError) as error:
            if is_folder(id):
                raise BackboneError(
                    f"`{address}`: the folder `{id}` holds no weights that can be read"
                ) from None
            raise BackboneError(unreachable(id, address, error)) from None


def _where(spec: LibraryEncoder) -> dict[str, Any]:
    local = is_folder(spec.identifier)
    return {"local_files_only": True} if local else {"revision": spec.hub_revision}


def _whole(spec: LibraryEncoder) -> PretrainedConfig | None:
    """Return the configuration of the model that an encoder is a part of; None where it is all."""
    found = AutoConfig.from_pretrained(spec.identifier, **_where(spec))
    return found if part_of(found, half_of(spec)) is not found else None


def _part_of(
    config: PretrainedConfig, encoder: PreTrainedModel, spec: LibraryEncoder, address: str
) -> tuple[PreTrainedModel, dict[str, Any]]:
    """Give an encoder the weights that the whole model has for it, whatever it calls that part.

    The whole is read for that, since only its class knows how its weights have been called.
    """
    whole, report = _loaded(_model_class(config, address), config, spec, address)
    found = ((name, part) for name, part in whole.named_modules() if type(part) is type(encoder))
    name, part = next(found, ("", None))
    if part is None:
        raise BackboneError(
            f"`{address}`: `{spec.identifier}` is a `{config.model_type}`, in which transformers "
            f"has no `{type(encoder).__name__}`"
        )
    given = part.state_dict()
    encoder.load_state_dict({key: given[key] for key in encoder.state_dict()}, strict=True)
    ours = {f"{name}.{key}" for key in encoder.state_dict()}
    return encoder, {
        "missing_keys": [key for key in report["missing_keys"] if key in ours],
        "mismatched_keys": [one for one in report["mismatched_keys"] if one[0] in ours],
    }


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
    found = encoder_class(type(config))
    if found is None:
        raise BackboneError(
            f"`{address}`: transformers has no encoder for type `{config.model_type}`"
        )
    return found


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

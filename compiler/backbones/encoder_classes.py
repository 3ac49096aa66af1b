"""Which class of transformers is the encoder that a configuration describes."""

import importlib
from typing import Any

from transformers import AutoModel, PretrainedConfig, PreTrainedModel
from transformers.models.auto.modeling_auto import MODEL_FOR_BACKBONE_MAPPING


def encoder_class(config: type[PretrainedConfig]) -> type[PreTrainedModel] | None:
    """Return the class of the encoders that a class of configurations describes; None if none does.

    It is what AutoModel picks; halves of pairs are often unknown to it, and called like their
    configuration; some convolutional families have a backbone alone.
    """
    for found in (_listed(config, AutoModel._model_mapping), _of_the_same_name(config)):
        if found is not None:
            return found
    return _listed(config, MODEL_FOR_BACKBONE_MAPPING)


def _listed(config: type[PretrainedConfig], mapping: Any) -> type[PreTrainedModel] | None:
    try:
        found = mapping[config]
    except (KeyError, ValueError):  # a class that is listed and is nowhere
        return None
    model: type[PreTrainedModel] = found[0] if isinstance(found, tuple) else found
    return model


def _of_the_same_name(config: type[PretrainedConfig]) -> type[PreTrainedModel] | None:
    package, _, module = config.__module__.rpartition(".")
    if not module.startswith("configuration_"):
        return None
    name = module.replace("configuration_", "modeling_", 1)
    try:
        models = importlib.import_module(f"{package}.{name}")
    except ModuleNotFoundError:
        return None
    found = getattr(models, config.__name__.removesuffix("Config") + "Model", None)
    is_model = isinstance(found, type) and issubclass(found, PreTrainedModel)
    return found if is_model else None

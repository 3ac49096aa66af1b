"""Post-norm layers that start from the last ones of a published encoder."""

from typing import Any

import torch
from torch import nn

from renaissance.compiler.backbones.layers import find_layers
from renaissance.compiler.backbones.published_embeddings import published_encoder
from renaissance.compiler.errors import BackboneError
from renaissance.compiler.published.naming import POST_NORM, renamed
from renaissance.grammar.kinds.fusion import FusionLayers


def load_last_layers(fusion: Any, declared: FusionLayers, id: str, address: str) -> None:
    """Let self-attention and feed-forward parts of a fusion start from those of a BERT.

    Args:
        fusion: has `layers`, each with an attention and a feed-forward part, in place; what else
            is in them stays as it is.
        declared: its declaration.
        id: hub id or folder.
        address: of the fusion, for messages.

    Raises:
        BackboneError: if the encoder has other layers, or fewer.
    """
    found = published_encoder(id, address)
    config: Any = getattr(found.encoder, "config", None)
    paths = find_layers(found.encoder)
    if len(paths) < declared.layers:
        raise _unfit(id, address, f"has {len(paths)} of them")
    heads = getattr(config, "num_attention_heads", None)
    if heads != declared.heads:
        raise _unfit(id, address, f"has {heads} heads in each")
    activation = getattr(config, "hidden_act", None)
    if activation != declared.activation:
        raise _unfit(id, address, f"has the activation {activation}")
    for own, (path, *_) in zip(fusion.layers, paths[-declared.layers :], strict=True):
        _copy(own, found.encoder.get_submodule(path), id, address)
    fusion.reference = found.reference


def _copy(own: nn.Module, theirs: nn.Module, id: str, address: str) -> None:
    parameters, given = dict(own.named_parameters()), dict(theirs.named_parameters())
    for name, (before,) in renamed(POST_NORM):
        tensor = given.get(before)
        if tensor is None:
            raise _unfit(id, address, f"has no `{before}` in them")
        if tensor.shape != parameters[name].shape:
            shapes = f"{list(tensor.shape)} instead of {list(parameters[name].shape)}"
            raise _unfit(id, address, f"has another `{before}`: {shapes}")
        with torch.no_grad():
            parameters[name].copy_(tensor)


def _unfit(id: str, address: str, why: str) -> BackboneError:
    return BackboneError(f"`{address}` cannot start from the last layers of `{id}`, which {why}")

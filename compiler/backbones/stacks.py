"""The layers of a known encoder as the stack of a one-tower model."""

import inspect
from typing import Any

import transformers
from torch import nn

from renaissance.compiler.backbones import timm
from renaissance.compiler.backbones.automodel import (
    implementation,
    load_encoder,
    published_configuration,
    random_encoder,
)
from renaissance.compiler.backbones.configurations import shortened
from renaissance.compiler.backbones.encoder_stack import EncoderStack
from renaissance.compiler.backbones.huggingface import own_attention
from renaissance.compiler.backbones.layers import find_layers
from renaissance.compiler.backbones.transformers_facts import configuration_key
from renaissance.compiler.errors import BackboneError
from renaissance.compiler.model.tower import AttentionFacts, BackboneReference, TowerFacts
from renaissance.grammar.anatomy.library import STACKS
from renaissance.grammar.architectures import from_config
from renaissance.grammar.kinds.source import (
    Dimensions,
    ImageEncoder,
    LibraryEncoder,
    first_layers,
)
from renaissance.grammar.schema.model import Attention

_FINAL_NORMS = ("layernorm", "post_layernorm", "norm")


def transformers_stack(
    spec: LibraryEncoder, address: str, *, attention: Attention, weights: bool
) -> EncoderStack:
    """Return the layers of an encoder of transformers; arguments as in `build_stack`.

    Raises:
        BackboneError: if they are no plain stack over a sequence of tokens.
    """
    config = published_configuration(spec, address, weights=weights)
    if config.model_type not in STACKS:
        raise BackboneError(_no_stack(spec.identifier, address))
    reference = None
    if spec.loads_weights and weights:
        encoder, reference = load_encoder(spec, config, address)
        encoder.set_attn_implementation(implementation(type(encoder), attention))
    else:
        encoder = random_encoder(config, attention, address)
    architecture = from_config(spec.identifier, config.to_dict(), None)
    if architecture.width is None:
        raise BackboneError(_no_stack(spec.identifier, address))
    taken = first_layers(spec)
    known = encoder.config
    if taken is not None:
        known = shortened(known, taken, spec.identifier, address)
    layers = (encoder.get_submodule(paths[0]) for paths in find_layers(encoder))
    if any(len(inspect.signature(layer.forward).parameters) < 2 for layer in layers):
        raise BackboneError(
            f"`{address}`: the layers of `{config.model_type}` take no mask in transformers "
            f"{transformers.__version__}; a newer one is needed for a stack of them"
        )
    stack = _stack(
        encoder,
        modality=architecture.modality,
        width=architecture.width,
        attention=own_attention(encoder, attention, ragged=True),
        reference=reference,
        dropout=architecture.dropout,
        taken=taken,
    )
    stack.key = configuration_key(known)
    stack.config = encoder.config
    return stack


def timm_stack(
    spec: ImageEncoder, address: str, *, attention: Attention, weights: bool
) -> EncoderStack:
    """Return the layers of an encoder of timm; arguments as in `build_stack`.

    Raises:
        BackboneError: if they are no plain stack over a sequence of tokens.
    """
    from timm.models.vision_transformer import Block

    encoder, reference = timm.timm_encoder(spec, address, attention=attention, weights=weights)
    layers = [encoder.get_submodule(paths[0]) for paths in find_layers(encoder)]
    if not layers or not all(type(layer) is Block for layer in layers):
        raise BackboneError(_no_stack(spec.identifier, address))
    dropout = spec.dropout if isinstance(spec, Dimensions) else None
    stack = _stack(
        encoder,
        modality="vision",
        width=encoder.num_features,
        attention=timm.own_attention(encoder, spec, attention, ragged=True),
        reference=reference,
        dropout=dropout or 0.0,
    )
    stack.key = repr(spec)
    return stack


def _stack(
    encoder: Any,
    *,
    modality: Any,
    width: int,
    attention: AttentionFacts | None,
    reference: BackboneReference | None,
    dropout: float,
    taken: int | None = None,
) -> EncoderStack:
    paths = find_layers(encoder)[:taken]
    layers = nn.ModuleList(encoder.get_submodule(first) for first, *_ in paths)
    norms = (getattr(encoder, name, None) for name in _FINAL_NORMS)
    facts = TowerFacts(
        modality=modality,
        width=width,
        layers=tuple((f"layers.{index}",) for index in range(len(layers))),
        attention=attention,
    )
    norm = next((norm for norm in norms if norm is not None), nn.Identity())
    return EncoderStack(layers, norm, facts, reference, dropout)


def _no_stack(id: str, address: str) -> str:
    return (
        f"`{address}`: the layers of `{id}` are no plain stack over one sequence of tokens (they "
        "attend inside windows of an image, or by position in it), so text and image tokens "
        "cannot run through them together; take a stack such as ViT, DeiT, BERT or ELECTRA, or "
        "use this encoder as a tower of `cross_attention`"
    )

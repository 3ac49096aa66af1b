"""The layers of a known encoder as the stack of a one-tower model."""

import inspect
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import torch
import transformers
from torch import Tensor, nn

from renaissance.compiler.backbones import timm, timm_attention, transformers_attention
from renaissance.compiler.backbones.hook import Library, Rows
from renaissance.compiler.backbones.huggingface import (
    implementation,
    load_encoder,
    own_attention,
    published_configuration,
    random_encoder,
)
from renaissance.compiler.backbones.layers import find_layers
from renaissance.compiler.backbones.proof import adopt, ragged_rows, reads_alike
from renaissance.compiler.backbones.tower import (
    AttentionFacts,
    BackboneReference,
    Stacked,
    TowerFacts,
)
from renaissance.compiler.errors import BackboneError
from renaissance.compiler.features import Features
from renaissance.compiler.lowering.reading import can_read, read_layer
from renaissance.compiler.sources.huggingface.schema import HuggingFace
from renaissance.compiler.sources.random.schema import RandomArchitecture
from renaissance.compiler.sources.timm.schema import Timm
from renaissance.grammar.anatomy.library import STACKS
from renaissance.grammar.architectures import from_config
from renaissance.grammar.schema.model import Attention

_FINAL_NORMS = ("layernorm", "post_layernorm", "norm")


class EncoderStack(Stacked):
    """Layers and the last norm of an encoder, over tokens that come from elsewhere.

    Args:
        layers: each maps tokens `[rows, n, width]` and what stands for a mask to tokens.
        norm: behind the last of them; an identity where the encoder has none.
        facts: of the stack.
        reference: where its weights came from; None if they are random.
        dropout: probability that embeddings in front of it take.

    `library` names the implementation that the layers bring, where they run that; `reads` says
    whether the last layer may compute only what is read, where its parts are known.
    """

    library: str | None
    reads: bool

    def __init__(
        self,
        layers: nn.ModuleList,
        norm: nn.Module,
        facts: TowerFacts,
        reference: BackboneReference | None,
        dropout: float,
    ) -> None:
        super().__init__()
        self.library = facts.attention.library if facts.attention is not None else None
        self.layers = layers
        self.reads = True
        self.norm = norm
        self.facts = facts
        self.reference = reference
        self.dropout = dropout

    def forward(self, inputs: Features, read: Tensor | None = None) -> Features:
        """Map tokens of any form to the same form, without the project's attention no packed ones.

        Padding is attended to by nobody.
        """
        rows = _mask(inputs, self.library)
        packed = inputs.packing is not None
        tokens = inputs.tokens[None] if packed else inputs.tokens
        *before, last = self.layers
        for layer in before:
            tokens = layer(tokens, rows)
        if read is not None and self.reads and can_read(last):
            tokens = read_layer(last, tokens, rows, read)
            return Features(tokens=self.norm(tokens[0]))
        tokens = last(tokens, rows)
        stream = inputs.with_tokens(tokens[0] if packed else tokens)
        if read is not None:
            stream = stream.read(read)
        return stream.with_tokens(self.norm(stream.tokens))


def transformers_stack(
    spec: HuggingFace | RandomArchitecture, address: str, *, attention: Attention, weights: bool
) -> EncoderStack:
    """Return the layers of an encoder of transformers; arguments as in `build_stack`.

    Raises:
        BackboneError: if they are no plain stack over a sequence of tokens.
    """
    config = published_configuration(spec, address, weights=weights)
    if config.model_type not in STACKS:
        raise BackboneError(_no_stack(spec.id, address))
    reference = None
    if isinstance(spec, HuggingFace) and weights:
        encoder, reference = load_encoder(spec, config, address)
        encoder.set_attn_implementation(implementation(type(encoder), attention))
    else:
        encoder = random_encoder(config, attention, address)
    architecture = from_config(spec.id, config.to_dict(), None)
    if architecture.width is None:
        raise BackboneError(_no_stack(spec.id, address))
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
    )
    return _hooked(
        stack,
        partial(transformers_attention.set_attention, encoder.config),
        key=transformers_attention.configuration_key(encoder.config),
        address=address,
    )


def timm_stack(
    spec: Timm | RandomArchitecture, address: str, *, attention: Attention, weights: bool
) -> EncoderStack:
    """Return the layers of an encoder of timm; arguments as in `build_stack`.

    Raises:
        BackboneError: if they are no plain stack over a sequence of tokens.
    """
    from timm.models.vision_transformer import Block

    encoder, reference = timm.timm_encoder(
        spec, address, attention=attention, weights=weights, hook=True
    )
    layers = [encoder.get_submodule(paths[0]) for paths in find_layers(encoder)]
    if not layers or not all(type(layer) is Block for layer in layers):
        raise BackboneError(_no_stack(spec.name if isinstance(spec, Timm) else spec.id, address))
    dropout = spec.dropout if isinstance(spec, RandomArchitecture) else None
    stack = _stack(
        encoder,
        modality="vision",
        width=encoder.num_features,
        attention=timm.own_attention(encoder, spec, attention, ragged=True),
        reference=reference,
        dropout=dropout or 0.0,
    )
    switch = partial(timm_attention.set_attention, encoder)
    return _hooked(stack, switch, key=repr(spec), address=address)


def _stack(
    encoder: Any,
    *,
    modality: Any,
    width: int,
    attention: AttentionFacts | None,
    reference: BackboneReference | None,
    dropout: float,
) -> EncoderStack:
    layers = nn.ModuleList(encoder.get_submodule(paths[0]) for paths in find_layers(encoder))
    norms = (getattr(encoder, name, None) for name in _FINAL_NORMS)
    facts = TowerFacts(
        modality=modality,
        width=width,
        layers=tuple((f"layers.{index}",) for index in range(len(layers))),
        attention=attention,
    )
    norm = next((norm for norm in norms if norm is not None), nn.Identity())
    return EncoderStack(layers, norm, facts, reference, dropout)


def _hooked(
    stack: EncoderStack,
    switch: Callable[[Attention | Library], None],
    *,
    key: str,
    address: str,
) -> EncoderStack:
    """Let a stack run the project's attention, over packed rows, unless it fails the proof."""

    def switch_stack(asked: Attention | Library) -> None:
        switch(asked)
        stack.library = asked.name if isinstance(asked, Library) else None

    facts = stack.facts
    # With the library's own attention, which runs where the kernels do not.
    if not reads_alike(stack, facts.width, key=f"stack {key}"):
        stack.reads = False
        note = f"`{address}` computes all tokens of its last layer, whichever are read"
        stack.facts = facts = replace(facts, notes=(*facts.notes, note))
    if facts.attention is None:
        return stack
    attention, notes = adopt(
        stack,
        switch_stack,
        facts.attention,
        cases=lambda: ragged_rows(facts.width),
        calls=len(stack.layers),
        key=f"stack {key}",
        address=address,
    )
    packs = attention.library is None
    stack.facts = replace(facts, attention=attention, packs=packs, notes=facts.notes + notes)
    return stack


def _mask(inputs: Features, library: str | None) -> Rows:
    """Return what the layers take as a mask.

    The project's attention takes what `hook.Rows` says; a library's own in layers of either library
    takes `[rows, 1, 1, n]`, bool or to be added.
    """
    if library is None:
        return inputs.mask if inputs.packing is None else inputs.packing
    if inputs.mask is None:
        return None
    mask = inputs.mask[:, None, None, :]
    if library == "sdpa":
        return mask
    dtype = inputs.tokens.dtype
    hidden = torch.zeros(mask.shape, dtype=dtype, device=mask.device)
    return hidden.masked_fill(~mask, torch.finfo(dtype).min)


def _no_stack(id: str, address: str) -> str:
    return (
        f"`{address}`: the layers of `{id}` are no plain stack over one sequence of tokens (they "
        "attend inside windows of an image, or by position in it), so text and image tokens "
        "cannot run through them together; take a stack such as ViT, DeiT, BERT or ELECTRA, or "
        "use this encoder as a tower of `cross_attention`"
    )

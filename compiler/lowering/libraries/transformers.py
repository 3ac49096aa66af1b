"""Encoders of transformers with the project's attention, through its own two registries.

A name in the first registry alone would lose the padding mask without a word: the second one holds
what makes the mask. Many encoders accept a name and never call it, so each use is proved.
"""

from functools import partial
from typing import Any, get_args

from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface, PretrainedConfig
from transformers.masking_utils import bidirectional_mask_function

from renaissance.compiler.backbones.huggingface import TransformersTower
from renaissance.compiler.backbones.rows import Rows
from renaissance.compiler.lowering.libraries.hook import HookError, Library, hooked_attention
from renaissance.compiler.lowering.libraries.stacks import LoweredEncoderStack
from renaissance.compiler.model.features import Features
from renaissance.compiler.model.inputs import TextInput
from renaissance.compiler.model.packing import Packing
from renaissance.grammar.schema.model import Attention


class PackedTransformersTower(TransformersTower):
    """An encoder of transformers whose layers run the project's attention: texts stay packed."""

    def encoded(self, text: TextInput) -> Features:
        """Encode texts in the form that they have."""
        if text.packing is None:
            return super().encoded(text)
        places = text.packing.place_in_row(len(text.input_ids)) + self.facts.position_offset
        encoded = self.encoder(
            input_ids=text.input_ids[None],
            position_ids=places[None],
            cu_seq_lens_q=text.packing.cumulative,
            cu_seq_lens_k=text.packing.cumulative,
            max_length_q=text.packing.longest,
            max_length_k=text.packing.longest,
        )
        return Features(tokens=encoded.last_hidden_state[0], packing=text.packing)


class PackedTransformersStack(LoweredEncoderStack):
    """Layers of transformers that run the project's attention, which is registered with this."""


def set_attention(config: PretrainedConfig, asked: Attention | Library) -> None:
    """Let the layers of an encoder run the project's attention, or its library's, from now on."""
    config._attn_implementation = asked.name if isinstance(asked, Library) else _NAMES[asked]


def _attention(
    asked: Attention,
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Rows,
    *,
    scaling: float | None = None,
    dropout: float = 0.0,
    is_causal: bool | None = None,
    sliding_window: int | None = None,
    cu_seq_lens_q: Tensor | None = None,
    max_length_q: int = 0,
    **_: Any,
) -> tuple[Tensor, None]:
    """Attend as transformers asks for it; what it passes besides is meant for other functions."""
    if is_causal or getattr(module, "is_causal", False) or sliding_window is not None:
        raise HookError("the layers do not look at the whole row")
    rows = attention_mask
    if cu_seq_lens_q is not None:
        rows = Packing(cumulative=cu_seq_lens_q, longest=max_length_q)
    attended = hooked_attention(
        query, key, value, rows, attention=asked, scale=scaling, dropout=dropout
    )
    return attended, None


def _mask(
    *,
    attention_mask: Tensor | None = None,
    mask_function: Any = bidirectional_mask_function,
    **_: Any,
) -> Tensor | None:
    """Hand the mask `[rows, n]` on as it is."""
    if mask_function is not bidirectional_mask_function:
        raise HookError("the layers do not look at the whole row")
    return attention_mask


_NAMES: dict[Attention, str] = {asked: f"renaissance_{asked}" for asked in get_args(Attention)}
"""What transformers calls the project's attention, for each implementation that a spec may ask for.

Registered as soon as this file is imported: a saved model names it in its configuration.
"""

for _asked, _name in _NAMES.items():
    AttentionInterface.register(_name, partial(_attention, _asked))
    AttentionMaskInterface.register(_name, _mask)

"""Vision transformers of timm with the project's attention, through their `attn_layer`."""

from typing import Any

from timm.layers.attention import Attention as TimmAttention
from torch import Tensor, nn

from renaissance.compiler.lowering.libraries.hook import (
    EAGER,
    HookError,
    Library,
    hooked_attention,
)
from renaissance.compiler.model.packing import Packing
from renaissance.grammar.schema.model import Attention


class HookedAttention(TimmAttention):
    """timm's attention with its own parameters, computed by the project.

    `asked` is what the spec asks for; None where timm computes it after all.
    """

    asked: Attention | None = None

    def forward(
        self, x: Tensor, attn_mask: Tensor | Packing | None = None, is_causal: bool = False
    ) -> Tensor:
        """Map tokens `[rows, n, width]`, packed `[1, tokens, width]`, to the same shape."""
        if self.asked is None:
            options: dict[str, Any] = {"is_causal": True} if is_causal else {}
            return super().forward(x, attn_mask, **options)  # type: ignore[arg-type]
        if is_causal:
            raise HookError("the layers do not look at the whole row")
        rows, tokens, _ = x.shape
        projected = self.qkv(x).reshape(rows, tokens, 3, self.num_heads, self.head_dim)
        query, key, value = projected.permute(2, 0, 3, 1, 4).unbind(0)
        attended = hooked_attention(
            self.q_norm(query),
            self.k_norm(key),
            value,
            attn_mask,
            attention=self.asked,
            scale=self.scale,
            dropout=self.attn_drop.p if self.training else 0.0,
        )
        joined = self.norm(attended.flatten(2))
        gate = getattr(self, "gate", None)
        if gate is not None:
            joined = joined * gate(x).sigmoid()
        return self.proj_drop(self.proj(joined))  # type: ignore[no-any-return]


def set_attention(part: nn.Module, asked: Attention | Library) -> None:
    """Let the layers of an encoder run the project's attention, or their own, from now on."""
    for layer in part.modules():
        if type(layer) is TimmAttention:
            layer.__class__ = HookedAttention
        if isinstance(layer, HookedAttention):
            layer.asked = None if isinstance(asked, Library) else asked
            layer.fused_attn = asked != EAGER  # type: ignore[misc]

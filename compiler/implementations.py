"""Which implementation of attention runs in each part of a model, and why."""

from dataclasses import dataclass

import torch

from renaissance.compiler.attention import (
    COMMON_HEAD_DIM,
    Implementation,
    choose,
    choose_on_gpu,
)
from renaissance.compiler.backbones.tower import AttentionFacts
from renaissance.compiler.errors import CompileError
from renaissance.compiler.fusion.coattention import CoAttention
from renaissance.compiler.kernels import supported, supported_anywhere
from renaissance.compiler.model import VisionLanguageModel
from renaissance.compiler.multi_head import MultiHeadAttention


@dataclass(frozen=True, slots=True, kw_only=True)
class AttentionPlan:
    """What runs in one part of a model.

    Attributes:
        implementation: `triton`, `sdpa` or `eager`; of the library, what it calls it.
        reason: why, a phrase.
        packed: whether rows of different length run without padding.
        own: whether a library keeps its own attention although the project's was wanted.
        absorbs: whether a short stream absorbs the projections of a long one.
        on_gpu: what a GPU would take instead, a phrase; None if the same, or one is at hand.
    """

    implementation: str
    reason: str
    packed: bool
    own: bool
    absorbs: bool
    on_gpu: str | None

    def __str__(self) -> str:
        """Return it as one phrase."""
        form = "own attention, " if self.own else "packed, " if self.packed else ""
        more = f"; {self.on_gpu}" if self.on_gpu else ""
        return f"{form}{self.implementation} ({self.reason}{more})"


def planned_attention(
    model: VisionLanguageModel, device: torch.device, dtype: torch.dtype | None
) -> dict[str, AttentionPlan]:
    """Say what runs in each part of a model, by root address.

    Args:
        model: in memory or on the meta device.
        device: where it is going to run.
        dtype: of the products; None where no job says it.
    """
    return {
        address: _planned(facts, device, dtype) for address, facts in attention_facts(model).items()
    }


def check_head_widths(model: VisionLanguageModel) -> None:
    """Refuse heads that the kernels cannot take where a spec asks for them.

    Raises:
        CompileError: naming the part.
    """
    for address, facts in attention_facts(model).items():
        if facts.asked != "triton" or facts.library is not None:
            continue
        for width in facts.head_dims:
            refusal = supported_anywhere(torch.float32, width)
            if refusal is not None:
                raise CompileError(f"`{address}`: `attention = triton`: {refusal}")


def attention_facts(model: VisionLanguageModel) -> dict[str, AttentionFacts]:
    """Return whose attention each part of a model runs, by root address."""
    found = {name: tower.facts.attention for name, tower in model.towers.items()}
    found[model.fusion_name] = _of_fusion(model.fusion)
    return {address: facts for address, facts in found.items() if facts is not None}


def _of_fusion(fusion: torch.nn.Module) -> AttentionFacts | None:
    if isinstance(fusion, CoAttention):
        parts = [part for part in fusion.modules() if isinstance(part, MultiHeadAttention)]
        widths = {part.query.out_features // part.heads for part in parts}
        return AttentionFacts(
            asked=fusion.attention, head_dims=tuple(sorted(widths)), ragged=True, absorbs=True
        )
    return fusion.encoder.facts.attention  # type: ignore[union-attr, return-value]


def _planned(
    facts: AttentionFacts, device: torch.device, dtype: torch.dtype | None
) -> AttentionPlan:
    if facts.library is not None:
        return AttentionPlan(
            implementation=facts.library,
            reason=facts.refusal or _as_made(facts),
            packed=False,
            own=facts.refusal is not None,
            absorbs=False,
            on_gpu=None,
        )
    implementation, reason = _chosen(facts, device, dtype)
    return AttentionPlan(
        implementation=implementation,
        reason=reason,
        packed=facts.ragged,
        own=False,
        absorbs=facts.absorbs and implementation == "sdpa" and device.type == "cpu",
        on_gpu=None if device.type == "cuda" or facts.asked != "auto" else _gpu(facts, dtype),
    )


def _as_made(facts: AttentionFacts) -> str:
    if facts.asked == facts.library:
        return "asked for"
    reason = "rows of one length" if facts.asked == "auto" else f"{facts.asked} is asked for"
    return reason if facts.library == "sdpa" else f"{reason}; its library has no fused one"


def _chosen(
    facts: AttentionFacts, device: torch.device, dtype: torch.dtype | None
) -> tuple[Implementation, str]:
    products = torch.bfloat16 if dtype is None else dtype
    width = _width(facts)
    if facts.asked == "triton":
        refusal = supported(device, products, width)
        cannot = "" if refusal is None else f", but not possible on this machine: {refusal}"
        return "triton", f"asked for{cannot}"
    choice = choose(facts.asked, device=device, dtype=products, head_dim=width, ragged=facts.ragged)
    in_half = choice.implementation == "triton" and dtype is None
    return choice.implementation, choice.reason + (", in bf16 or fp16" if in_half else "")


def _gpu(facts: AttentionFacts, dtype: torch.dtype | None) -> str:
    choice = choose_on_gpu(
        torch.bfloat16 if dtype is None else dtype, _width(facts), ragged=facts.ragged
    )
    in_half = " in bf16 or fp16" if choice.implementation == "triton" and dtype is None else ""
    return f"{choice.implementation} on a GPU{in_half}: {choice.reason}"


def _width(facts: AttentionFacts) -> int:
    """Return the head width that the kernels like least."""
    widths = facts.head_dims or (COMMON_HEAD_DIM,)
    return next((w for w in widths if supported_anywhere(torch.float32, w)), widths[0])

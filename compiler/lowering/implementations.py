"""Which implementation of attention runs in each part of a model, and why."""

from dataclasses import dataclass
from typing import Literal

import torch

from renaissance.compiler.errors import CompileError
from renaissance.compiler.kernels import supported_anywhere
from renaissance.compiler.lowering.dispatch import COMMON_HEAD_DIM, Choice, choose_on_gpu
from renaissance.compiler.lowering.multi_head import LoweredMultiHead
from renaissance.compiler.lowering.rows import ReadModel, reads
from renaissance.compiler.model import VisionLanguageModel
from renaissance.compiler.model.attention import MultiHeadAttention
from renaissance.compiler.model.tower import AttentionFacts, Stacked


@dataclass(frozen=True, slots=True, kw_only=True)
class AttentionPlan:
    """What runs in one part of a model.

    Attributes:
        implementation: `triton`, `sdpa` or `eager`; of the library, what it calls it.
        reason: why, a phrase.
        packed: whether rows of different length run without padding.
        own: whether a library keeps its own attention although the project's was wanted.
        absorbs: whether a short stream absorbs the projections of a long one.
        elsewhere: what the other kind of device takes, a phrase; None if the same, or where the
            plan is for a certain machine.
    """

    implementation: str
    reason: str
    packed: bool
    own: bool
    absorbs: bool
    elsewhere: str | None

    def __str__(self) -> str:
        """Return it as one phrase."""
        form = "own attention, " if self.own else "packed, " if self.packed else ""
        more = f"; {self.elsewhere}" if self.elsewhere else ""
        return f"{form}{self.implementation} ({self.reason}{more})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a model is going to run.

    Attributes:
        device: its type.
        certain: whether it is a certain machine; where not, the other kind of device counts too.
        kernels: whether a GPU there runs the project's kernels.
    """

    device: Literal["cpu", "cuda"]
    certain: bool = False
    kernels: bool = True


def planned_attention(
    model: VisionLanguageModel, place: Place, dtype: torch.dtype | None
) -> dict[str, AttentionPlan]:
    """Say what runs in each part of a model, by root address, whatever machine is at hand.

    Args:
        model: in memory or on the meta device.
        place: where it is going to run.
        dtype: of the products; None where no job says it.
    """
    found = attention_facts(model)
    if not isinstance(model, ReadModel):
        return {address: _plain(facts) for address, facts in found.items()}
    return {address: _planned(facts, place, dtype) for address, facts in found.items()}


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
    encoder = getattr(fusion, "encoder", None)
    if isinstance(encoder, Stacked):
        return encoder.facts.attention
    parts = [part for part in fusion.modules() if isinstance(part, MultiHeadAttention)]
    if not parts:
        return None
    widths = {part.head_dim for part in parts}
    lowered = [part for part in parts if isinstance(part, LoweredMultiHead)]
    return AttentionFacts(
        asked=next((part.asked for part in lowered if part.asked is not None), "eager"),
        head_dims=tuple(sorted(widths)),
        ragged=reads(fusion),
        absorbs=any(part.absorbs for part in lowered),
    )


def _plain(facts: AttentionFacts) -> AttentionPlan:
    return AttentionPlan(
        implementation=facts.library or "eager",
        reason="`lower = none`",
        packed=False,
        own=False,
        absorbs=False,
        elsewhere=None,
    )


def _planned(facts: AttentionFacts, place: Place, dtype: torch.dtype | None) -> AttentionPlan:
    if facts.library is not None:
        return AttentionPlan(
            implementation=facts.library,
            reason=facts.refusal or _as_made(facts),
            packed=False,
            own=facts.refusal is not None,
            absorbs=False,
            elsewhere=None,
        )
    choice = _chosen(facts, place, dtype)
    return AttentionPlan(
        implementation=choice.implementation,
        reason=choice.reason,
        packed=facts.ragged,
        own=False,
        absorbs=_absorbs(facts, place, choice),
        elsewhere=None if place.certain or facts.asked != "auto" else _other(facts, place, dtype),
    )


def _as_made(facts: AttentionFacts) -> str:
    if facts.asked == facts.library:
        return "asked for"
    reason = "rows of one length" if facts.asked == "auto" else f"{facts.asked} is asked for"
    return reason if facts.library == "sdpa" else f"{reason}; its library has no fused one"


def _chosen(facts: AttentionFacts, place: Place, dtype: torch.dtype | None) -> Choice:
    if facts.asked in ("sdpa", "eager"):
        return Choice(implementation=facts.asked, reason="asked for")
    if facts.asked == "triton":
        cannot = "" if place.device == "cuda" else ", but not possible on a CPU, only on a GPU"
        cannot = cannot or ("" if place.kernels else f", but not possible: {_TOO_OLD}")
        return Choice(implementation="triton", reason=f"asked for{cannot}")
    if place.device == "cpu":
        return Choice(implementation="sdpa", reason="no GPU")
    products = torch.bfloat16 if dtype is None else dtype
    choice = choose_on_gpu(products, _width(facts), ragged=facts.ragged)
    if choice.implementation == "triton" and not place.kernels:
        return Choice(implementation="sdpa", reason=_TOO_OLD)
    if choice.implementation == "triton" and dtype is None:
        return Choice(implementation="triton", reason=f"{choice.reason}, in bf16 or fp16")
    return choice


_TOO_OLD = "fused attention needs a newer GPU"


def _other(facts: AttentionFacts, place: Place, dtype: torch.dtype | None) -> str:
    """Say what the other kind of device takes."""
    on_gpu = place.device == "cpu"
    other = Place(device="cuda" if on_gpu else "cpu")
    choice = _chosen(facts, other, dtype)
    if on_gpu:
        return f"{choice.implementation} on a GPU: {choice.reason}"
    absorbs = _absorbs(facts, other, choice)
    more = ", where a stream absorbs the projections of a far longer one" if absorbs else ""
    return f"{choice.implementation} on a CPU{more}"


def _absorbs(facts: AttentionFacts, place: Place, choice: Choice) -> bool:
    return facts.absorbs and choice.implementation == "sdpa" and place.device == "cpu"


def _width(facts: AttentionFacts) -> int:
    """Return the head width that the kernels like least."""
    widths = facts.head_dims or (COMMON_HEAD_DIM,)
    return next((w for w in widths if supported_anywhere(torch.float32, w)), widths[0])

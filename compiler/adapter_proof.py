"""Whether adapters are called: some encoders of libraries only read the weights of a linear map."""

from collections.abc import Iterable

import torch
from torch import nn

from renaissance.compiler.backbones.samples import LENGTHS, undisturbed
from renaissance.compiler.backbones.trial import check_text, tokens_of_image
from renaissance.compiler.errors import CompileError
from renaissance.compiler.model.adapter import AdaptedLinear
from renaissance.compiler.model.features import Features
from renaissance.compiler.model.tower import Stacked, Tower
from renaissance.compiler.model.vision_language import VisionLanguageModel
from renaissance.grammar.names import FEW, listing


def check_called(model: VisionLanguageModel) -> None:
    """Run every tower and stack that has adapters once, and make sure that each is called.

    Args:
        model: with its first weights or with none, not lowered yet.

    Raises:
        CompileError: if one is not, so that it would have no effect.
    """
    stacks = (part for part in model.fusion.modules() if isinstance(part, Stacked))
    for address, part in (*model.streams.items(), *((model.fusion_name, one) for one in stacks)):
        adapted = {name: one for name, one in part.named_modules() if type(one) is AdaptedLinear}
        if not adapted:
            continue
        called = _called(part, address, adapted.values())
        # Where meta tensors do not get through nothing is known.
        missed = [name for name, one in adapted.items() if one.adapter not in called]
        if missed and (called or not any(one.is_meta for one in part.parameters())):
            raise CompileError(
                f"adapters of `{address}` would have no effect: it computes with the weights of "
                f"{listing(missed, most=FEW)} and does not call them; leave these out of `adapt`"
            )


def _called(part: nn.Module, address: str, adapted: Iterable[AdaptedLinear]) -> set[nn.Module]:
    """Return the adapters that are called in one run."""
    called: set[nn.Module] = set()

    def note(adapter: nn.Module, *passed: object) -> None:
        called.add(adapter)

    handles = [one.adapter.register_forward_hook(note) for one in adapted]
    _run(part, address)
    for handle in handles:
        handle.remove()
    return called


def _run(part: nn.Module, address: str) -> None:
    if isinstance(part, Stacked):
        device = next(part.parameters()).device
        with undisturbed(part):
            part(Features(tokens=torch.zeros(1, max(LENGTHS), part.facts.width, device=device)))
        return
    assert isinstance(part, Tower)  # streams are towers
    facts = part.facts
    if facts.vocabulary is not None and facts.max_tokens is not None:
        check_text(part, facts.vocabulary, facts.max_tokens, 0, key=part.key, address=address)
    else:
        tokens_of_image(part, facts.largest, key=part.key, address=address)

"""Proof that the layers of a library run the project's attention, and run it right.

Several encoders accept another attention and never call it, lose the mask of padded rows on the
way to it, or add what is no number; none of them says so.
"""

from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from renaissance.compiler.backbones.samples import (
    LENGTHS,
    TOLERANCE,
    ragged_rows,
    telling,
    undisturbed,
)
from renaissance.compiler.lowering.libraries.hook import EAGER, HookError, Library, counted
from renaissance.compiler.model.features import Features
from renaissance.compiler.model.tower import AttentionFacts, Stacked, Tower
from renaissance.grammar.schema.model import Attention

_proved: set[str] = set()
"""Configurations that need no other proof in this process; what failed is tried again."""


def adopt(
    part: Tower | Stacked,
    switch: Callable[[Attention | Library], None],
    facts: AttentionFacts,
    *,
    cases: Callable[[], Sequence[Any]],
    calls: int,
    key: str,
    address: str,
) -> tuple[AttentionFacts, tuple[str, ...]]:
    """Let a library's layers run the project's attention, unless they refuse it or fail the proof.

    On the meta device, where nothing can be compared, it counts what the library says of itself
    and what its layers ask for.

    Args:
        part: a tower or a stack.
        switch: lets its layers run an implementation.
        facts: with what runs before, and why the project's cannot, if the library says so.
        cases: gives the rows of the proof, see `objection`.
        calls: how often it computes attention in one pass.
        key: names the configuration.
        address: of the part, for notes.

    Returns:
        What runs now, and a note if the proof failed.
    """
    if facts.refusal is not None or facts.library is None:
        return facts, ()
    if any(parameter.is_meta for parameter in part.parameters()):
        refusal = _asked_for(part, switch, facts.asked, cases)
    else:
        refusal = objection(
            part, switch, attention=facts.asked, cases=cases(), calls=calls, key=key
        )
    if refusal is not None:
        switch(Library(name=facts.library))
        note = f"`{address}` keeps the attention of its library: {refusal}"
        return replace(facts, refusal=refusal), (note,)
    switch(facts.asked)
    return replace(facts, library=None), ()


def objection(
    part: Tower | Stacked,
    switch: Callable[[Attention | Library], None],
    *,
    attention: Attention,
    cases: Sequence[Any],
    calls: int,
    key: str,
) -> str | None:
    """Compare the project's attention with the library's eager one, inside a library's layers.

    Whatever the kernels are, what reaches them is proved with torch's operations. Weights, training
    mode and random state stay as they are; `switch` is left at the library's eager attention.

    Args:
        part: a tower or a stack, its parameters on the CPU.
        switch: lets its layers run an implementation.
        attention: what the spec asks for.
        cases: the same rows, first padded, then in each other form that it is to take.
        calls: how often it computes attention in one pass.
        key: names the configuration, which is proved once in a process.

    Returns:
        None if all agree, else why not: a phrase for a person to read.
    """
    stand_in: Attention = "eager" if attention == "eager" else "sdpa"
    key = f"{stand_in} {len(cases)} {calls} {key}"
    refusal = None
    if key not in _proved:
        with undisturbed(part):
            refusal = _found(part, switch, stand_in, cases, calls)
    if refusal is None:
        _proved.add(key)
    switch(EAGER)
    return refusal


def _asked_for(
    part: Tower | Stacked,
    switch: Callable[[Attention | Library], None],
    attention: Attention,
    cases: Callable[[], Sequence[Any]],
) -> str | None:
    """Return what layers on the meta device ask for that the project's attention is not, if any.

    Whatever else stops them there is not of the attention.
    """
    with torch.device("cpu"):
        padded = cases()[0]
    switch(attention)
    try:
        with undisturbed(part):
            part(_on_meta(padded))
    except HookError as error:
        return str(error)
    except (AssertionError, IndexError, NotImplementedError, RuntimeError, TypeError, ValueError):
        pass
    return None


def _on_meta(case: Any) -> Any:
    """Return rows without contents."""
    if isinstance(case, Tensor):
        return case.to("meta")
    tensors = {
        field.name: value.to("meta")
        for field in fields(case)
        if isinstance(value := getattr(case, field.name), Tensor)
    }
    return replace(case, **tensors)


def reads_alike(part: Stacked, width: int, *, key: str) -> bool:
    """Whether a stack gives the same tokens where it computes no others in its last layer.

    On the meta device, where nothing can be compared, it counts as proved.

    Args:
        part: a stack, its parameters on the CPU.
        width: of its tokens.
        key: names the configuration, which is proved once in a process.
    """
    if any(parameter.is_meta for parameter in part.parameters()):
        return True
    key = f"reads {key}"
    if key not in _proved:
        with undisturbed(part):
            if _misread(part, width) is not None:
                return False
        _proved.add(key)
    return True


def _found(
    part: Tower | Stacked,
    switch: Callable[[Attention | Library], None],
    stand_in: Attention,
    cases: Sequence[Any],
    calls: int,
) -> str | None:
    weights = telling(part)
    switch(EAGER)
    wanted = _tokens(part, weights, cases[0])
    switch(stand_in)
    for case in cases:
        try:
            with counted() as made:
                found = _tokens(part, weights, case)
        except HookError as error:
            return str(error)
        except (RuntimeError, TypeError, ValueError) as error:
            return f"its layers fail with the project's attention ({str(error).splitlines()[0]})"
        if len(made) != calls:
            return f"its layers call the project's attention {len(made)} times, not {calls}"
        if not (found - wanted).norm() <= TOLERANCE * wanted.norm():
            return "its layers give other numbers with the project's attention"
    return None


def _misread(part: Stacked, width: int) -> str | None:
    weights, (rows, _) = telling(part), ragged_rows(width)
    places = torch.tensor([max(LENGTHS) - 1, 0, max(LENGTHS)])
    wanted: Features = functional_call(part, weights, (rows,)).read(places)
    try:
        found: Features = functional_call(part, weights, (rows, places))
    except (RuntimeError, TypeError, ValueError) as error:
        return str(error)
    same = found.tokens.shape == wanted.tokens.shape and (
        (found.tokens - wanted.tokens).norm() <= TOLERANCE * wanted.tokens.norm()
    )
    return None if same else "other numbers"


def _tokens(part: nn.Module, weights: dict[str, Tensor], case: Any) -> Tensor:
    torch.manual_seed(0)  # Some encoders draw numbers even in evaluation.
    features: Features = functional_call(part, weights, (case,))
    return features.packed().tokens

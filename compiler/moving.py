"""What of a model a moving copy has, and the memory that it takes.

Source: He et al. 2020, Momentum Contrast; Li et al. 2021, ALBEF.
"""

from collections.abc import Mapping

from torch import nn

from renaissance.compiler.heads import Kind
from renaissance.compiler.model import VisionLanguageModel
from renaissance.grammar.kinds.moving import Moving
from renaissance.grammar.kinds.objective import ObjectiveBlock


def moving_of(kinds: Mapping[str, Kind], space: int | None) -> dict[str, Moving]:
    """Return what follows a model, by name of the head that compares with it.

    Args:
        kinds: objectives or the task, by name of the head.
        space: channels of the space of the fusion; None where it has none.
    """
    asked = {
        name: kind.moving(space) for name, kind in kinds.items() if isinstance(kind, ObjectiveBlock)
    }
    return {name: moving for name, moving in asked.items() if moving is not None}


def copied(
    model: VisionLanguageModel, head: str, learning: Mapping[str, nn.Parameter]
) -> dict[str, nn.Parameter]:
    """Return what a moving copy has of its own: what learns of all that vectors are made of.

    All else it shares with the model.

    Args:
        model: with heads.
        head: that compares.
        learning: parameters that learn, by name.
    """
    roots = [f"streams.{name}." for name in model.compared]
    encoded = [name for name in model.compared if model.encoded_by_fusion(name)]
    if encoded or hasattr(model.fusion, "vectors"):
        roots.append("fusion.")
    roots.append(f"heads.{head}.")
    apart = [part for name in encoded for part in model.joining_parts(name).values()]
    joining = {id(parameter) for part in apart for parameter in part.parameters()}
    return {
        name: part
        for name, part in learning.items()
        if name.startswith(tuple(roots)) and id(part) not in joining
    }


def moving_bytes(model: VisionLanguageModel, moving: Mapping[str, Moving]) -> int:
    """Return what copies and queues take, in float32 with two numbers for each text and image."""
    learning = {name: part for name, part in model.named_parameters() if part.requires_grad}
    weights = sum(
        4 * sum(part.numel() for part in copied(model, head, learning).values()) for head in moving
    )
    return weights + sum(2 * one.queue * (4 * one.width + 8) for one in moving.values())

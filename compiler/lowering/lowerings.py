"""All lowerings in the order in which they are applied."""

from collections.abc import Sequence
from dataclasses import dataclass

from renaissance.compiler.lowering.compilation import Compilation
from renaissance.compiler.lowering.context import Context, Lowering
from renaissance.compiler.lowering.dropout import QuickDropout
from renaissance.compiler.lowering.libraries.attention import LastLayer, LibraryAttention
from renaissance.compiler.lowering.linear import OneDnn
from renaissance.compiler.lowering.low_precision import LowPrecision
from renaissance.compiler.lowering.own_attention import Absorption, JointProjections, OwnAttention
from renaissance.compiler.lowering.recomputation import Recomputation
from renaissance.compiler.lowering.rows import ReadModel, Rows
from renaissance.compiler.model.vision_language import VisionLanguageModel

OF_MODELS: tuple[Lowering, ...] = (
    Rows(),
    # Proved with the library's own attention, which runs where the kernels do not.
    LastLayer(),
    LibraryAttention(),
    OwnAttention(),
    JointProjections(),
    Absorption(),
    QuickDropout(),
    OneDnn(),
)
"""Applied when a model is built."""

OF_JOBS: tuple[Lowering, ...] = (LowPrecision(), Compilation(), Recomputation())
"""Applied to a model with its final weights, for a job."""

LOWERINGS: tuple[Lowering, ...] = OF_MODELS + OF_JOBS


@dataclass(frozen=True, slots=True, kw_only=True)
class Lowered:
    """What one lowering does in a model.

    Attributes:
        name: of the lowering.
        what: it does, a phrase.
    """

    name: str
    what: str


def is_lowered(model: VisionLanguageModel) -> bool:
    """Whether a model was lowered when it was built."""
    return isinstance(model, ReadModel)


def lower(
    model: VisionLanguageModel, context: Context, lowerings: Sequence[Lowering] = LOWERINGS
) -> None:
    """Apply the lowerings that apply to a built model, in place.

    Args:
        model: parameters, their names and their values stay.
        context: what the model is lowered for.
        lowerings: those that may be applied, in this order.
    """
    for lowering in lowerings:
        if lowering.applies(model, context):
            lowering.apply(model, context)


def explained(
    model: VisionLanguageModel, context: Context, lowerings: Sequence[Lowering] = LOWERINGS
) -> tuple[Lowered, ...]:
    """Say what each lowering that applies does in a model, arguments as in `lower`."""
    return tuple(
        Lowered(name=lowering.name, what=lowering.explain(model, context))
        for lowering in lowerings
        if lowering.applies(model, context)
    )

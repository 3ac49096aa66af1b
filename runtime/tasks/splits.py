"""The splits of a task that selects by one of its parts, or by a share of what it learns from."""

from collections.abc import Mapping

from renaissance.grammar.declaration import Share
from renaissance.grammar.kinds.data import VALIDATION, Split


def with_validation(
    validation: Share | str, reported: Mapping[str, Split] | None = None, *, train: str = "train"
) -> dict[str, Split]:
    """Return `train`, what is reported, and `validation`, in this order.

    Args:
        validation: the part that selects, or a share of what is learned from.
        reported: further splits.
        train: the part that is learned from.
    """
    share = validation if isinstance(validation, Share) else None
    selects = train if isinstance(validation, Share) else validation
    return {
        "train": Split(file=train, use="train", held_out=share),
        **(reported or {}),
        VALIDATION: Split(file=selects, use="select", held_out=share),
    }

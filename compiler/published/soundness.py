"""What shows that the folder of a published model is damaged, or was quantised."""

import re
from collections.abc import Collection, Iterable, Mapping

from torch import Tensor

from renaissance.compiler.errors import CompileError
from renaissance.grammar.names import listing

NAMED = 4
"""Names that a sentence has."""
_LAYER = re.compile(r"\.\d+\.")


def check_numbers(path: str, name: str, tensor: Tensor) -> None:
    """Refuse a tensor that holds no weights; CompileError.

    Args:
        path: of the folder.
        name: of the tensor there.
        tensor: what of it is taken.
    """
    kind = str(tensor.dtype).removeprefix("torch.")
    if not tensor.is_floating_point() or tensor.dtype.itemsize < 2:
        raise CompileError(
            f"`{name}` of `{path}` is stored as {kind}, as quantised weights are; take weights in "
            "float32, float16 or bfloat16"
        )
    if not tensor.isfinite().all():
        raise CompileError(f"`{name}` of `{path}` holds numbers that are not finite")


def check_whole(path: str, lacking: Mapping[str, str], taken: Collection[str]) -> None:
    """Refuse a folder that lacks a tensor in some layers and has it in others; CompileError.

    Args:
        path: of the folder.
        lacking: names here of tensors that are not there, and their names there.
        taken: names here of those that are.
    """
    elsewhere = _without_numbers(taken)
    lost = [
        theirs
        for ours, theirs in lacking.items()
        if ours not in taken and _LAYER.sub(".*.", ours) in elsewhere
    ]
    if lost:
        raise CompileError(
            f"`{path}` is not whole: it lacks {listing(lost, most=NAMED)}, which other layers have"
        )


def _without_numbers(names: Iterable[str]) -> set[str]:
    """Return names that are the same for all layers, of those that belong to layers."""
    return {_LAYER.sub(".*.", name) for name in names if _LAYER.search(name)}

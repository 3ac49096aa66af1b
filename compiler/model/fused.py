"""What comes back from a fusion is checked, so that one that breaks its contract is named."""

from collections.abc import Mapping

import torch

from renaissance.compiler.model.features import Features
from renaissance.compiler.standing import traced
from renaissance.grammar.kinds.fusion import FusionBlock
from renaissance.grammar.kinds.registry import KindError, facet, origin

_RETURNED = "it has to return a mapping of every stream that it is given to its `Features`"
_KEPT = (
    "every stream has to keep its rows, and its tokens unless `keeps` in `schema.py` says that it "
    "does not"
)


def check_fused(fusion: FusionBlock | None, given: Mapping[str, Features], found: object) -> None:
    """Compare streams in front of a fusion with what its module returns.

    Only Python's side of tensors is looked at, so that nothing waits for a device.

    Raises:
        KindError: if these are no streams, or one has other rows, or other tokens unasked.
    """
    if traced() or torch.compiler.is_compiling():
        return
    if not isinstance(found, Mapping):
        raise _broken(fusion, f"returns a {type(found).__name__}", _RETURNED)
    for name, before in given.items():
        if name not in found:
            raise _broken(fusion, f"returns no stream `{name}`", _RETURNED)
        after = found[name]
        if not isinstance(after, Features):
            raise _broken(fusion, f"returns a {type(after).__name__} as `{name}`", _RETURNED)
        was, now = _places(before), _places(after)
        comparable = (before.packing is None) == (after.packing is None)
        same = was == now if kept(fusion, name) else before.rows == after.rows
        if comparable and not same:
            raise _broken(
                fusion, f"is given `{name}` as {_told(was)} and returns {_told(now)}", _KEPT
            )


def kept(fusion: FusionBlock | None, stream: str) -> bool:
    """Tell whether a stream has the same tokens in front of a fusion and behind it."""
    return fusion is None or fusion.keeps(stream)


def _places(stream: Features) -> tuple[int, ...]:
    """Return `(rows, n)`, or `(tokens,)` of packed rows."""
    return tuple(stream.tokens.shape[:-1])


def _told(places: tuple[int, ...]) -> str:
    return f"[{', '.join(map(str, places))}, width]"


def _broken(fusion: FusionBlock | None, problem: str, remedy: str) -> KindError:
    if fusion is None:
        return KindError(f"the fusion {problem}", remedy)
    package = origin(fusion)
    whose = f"`{facet(fusion, 'module').__name__}`" + (f" of `{package}`" if package else "")
    return KindError(f"the fusion `{fusion.word()}` {problem}: {whose}", remedy)

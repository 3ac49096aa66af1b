"""The `forward` of one model, whose parameters are named as its streams are.

`torch.export`, `torch.jit.trace` and ONNX name the inputs of a program by the signature of
`forward`; streams are named by a spec.
"""

import weakref
from collections.abc import Mapping, Sequence
from inspect import Parameter, Signature
from types import CodeType
from typing import Any

from torch import nn

from renaissance.compiler.errors import InputError
from renaissance.grammar.names import listing


class NamedForward:
    """Runs `forward` of a model's class with inputs by the names of its streams, or in their order.

    Args:
        model: held weakly, because a cycle would keep its weights in memory.
        streams: their names.
    """

    __slots__ = ("__signature__", "model")

    def __init__(self, model: nn.Module, streams: Sequence[str]) -> None:
        self.model = weakref.ref(model)
        self.__signature__ = Signature(
            [Parameter(name, Parameter.POSITIONAL_OR_KEYWORD) for name in streams]
        )

    def __call__(self, *inputs: Any, **named: Any) -> Any:
        """Run the model."""
        model = self.model()
        assert model is not None  # whoever calls it came by way of the module
        return type(model).forward(model, *inputs, **named)

    @property
    def __code__(self) -> CodeType:
        """Where it is written; `torch.export` asks."""
        code: CodeType = type(self.model()).forward.__code__  # type: ignore[union-attr]
        return code

    def __reduce__(self) -> tuple[Any, ...]:
        """Go with the module into copies and pickles."""
        return NamedForward, (self.model(), tuple(self.__signature__.parameters))


def by_name(
    streams: Sequence[str], inputs: Sequence[Any], named: Mapping[str, Any], model: str
) -> dict[str, Any]:
    """Return inputs by stream, in the order of the streams.

    Args:
        streams: names of all streams.
        inputs: of the first of them, in their order.
        named: of the others.
        model: its name, for messages.

    Raises:
        InputError: if an input is missing, given twice, or of no stream.
    """
    reads = f"the model `{model}` reads {listing(streams, between=' and ')}"
    if len(inputs) > len(streams):
        raise InputError(f"{len(inputs)} inputs where {reads}")
    found = dict(zip(streams, inputs, strict=False))
    for name in named:
        if name not in streams:
            raise InputError(f"{reads}, and has no stream `{name}`")
        if name in found:
            raise InputError(f"{reads}; `{name}` is given twice")
    found |= named
    missing = [name for name in streams if name not in found]
    if missing:
        names = listing(missing, between=" and ")
        raise InputError(f"{reads}; {names} {'is' if len(missing) == 1 else 'are'} missing")
    return {name: found[name] for name in streams}

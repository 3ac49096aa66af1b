"""How families say which tensor of a published model is which of ours."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from renaissance.compiler.errors import CompileError

MOST = 1000
"""Layers that a published model may have."""

Match: TypeAlias = tuple[str, tuple[str, ...]]
"""A name of ours, and those of the tensors whose sum it is.

`NAME[2]` is row 2 of a tensor, `NAME[0:8]` are its first eight rows.
"""

PARAMETERS = ("weight", "bias")


@dataclass(frozen=True, slots=True, kw_only=True)
class Roles:
    """The streams of a model.

    Attributes:
        text: name of the stream of text.
        vision: name of the first stream of images, pixels or regions.
    """

    text: str
    vision: str


Family: TypeAlias = Callable[[Roles, Mapping[str, Any]], Iterator[Match]]

QKV = ("query", "key", "value")
POST_NORM = {
    **{f"attention.self.{part}": f"attention.attention.{part}" for part in QKV},
    "attention.output.dense": "attention.attention.output",
    "attention.output.LayerNorm": "attention.residual.norm",
    "intermediate.dense": "mlp.mlp.inner",
    "output.dense": "mlp.mlp.outer",
    "output.LayerNorm": "mlp.residual.norm",
}
"""BERT's names in a layer, and those of the project's post-norm layers."""


def part(config: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return the settings of a part of a model; CompileError where there are none."""
    found = config.get(name)
    if not isinstance(found, Mapping):
        raise CompileError(f"has no `{name}`")
    return found


def layers(config: Mapping[str, Any], name: str = "num_hidden_layers") -> range:
    """Return the numbers of the layers that settings count; CompileError where none do."""
    count = config.get(name)
    if type(count) is not int or not 0 <= count <= MOST:
        raise CompileError(f"says {count!r} of `{name}`, and no number of layers")
    return range(count)


def renamed(modules: Mapping[str, str], theirs: str = "", ours: str = "") -> Iterator[Match]:
    """Yield weight and bias of modules, inside of others."""
    for name, own in modules.items():
        for parameter in PARAMETERS:
            before = ".".join(filter(None, (theirs, name, parameter)))
            yield ".".join(filter(None, (ours, own, parameter))), (before,)

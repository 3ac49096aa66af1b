"""One name for each part of a model, whatever library it comes from.

A component's address starts at a stream, the fusion, `pool` or `heads`. Streams and stacks go on
with `embeddings`, `layers[3].attention`, `layers[3].mlp` or `norm`, as their library's names say
(`backbones/naming.py`); a norm inside a layer belongs to the part that it serves. What a fusion
consists of, its anatomy says.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass, field

from torch import nn

from renaissance.compiler.backbones.naming import ParameterKind, address_inside, parameter_kind
from renaissance.compiler.errors import CompileError
from renaissance.compiler.model import VisionLanguageModel
from renaissance.compiler.model.adapter import AdaptedLinear
from renaissance.compiler.model.tower import Stacked
from renaissance.grammar.anatomy.model import Anatomy
from renaissance.grammar.anatomy.parts import ADAPTER, Component, kinds_of_component, named_kind
from renaissance.grammar.anatomy.selectors import KINDS


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterAddress:
    """Where a parameter belongs.

    Attributes:
        address: of its component.
        component: what that is, as `anatomy.parts.Component.kind`.
        kind: what the parameter is; weight decay falls on `weight` and `embedding` alone.
        kinds: the members of `KINDS` that it answers to.
    """

    address: str
    component: str
    kind: ParameterKind
    kinds: frozenset[str]


def parameter_addresses(model: VisionLanguageModel) -> dict[str, ParameterAddress]:
    """Return the address of every parameter by its name in the model, each shared one once.

    Raises:
        CompileError: if the anatomy of a fusion does not say where a parameter of it belongs, or
            declares a component that has none.
    """
    owners = {
        f"{path}.{leaf}" if path else leaf: module
        for path, module in model.named_modules()
        for leaf, _ in module.named_parameters(recurse=False)
    }
    fusion = _Fusion(model.fusion, model.anatomy)
    found = {}
    for name, _ in model.named_parameters():
        base, adapter, _ = name.partition(f".{ADAPTER}.")
        if adapter and isinstance(owners.get(f"{base}.weight"), AdaptedLinear):
            beside = _component(f"{base}.weight", model, fusion)[0]
            found[name] = ParameterAddress(
                address=f"{beside.address}.{ADAPTER}",
                component=ADAPTER,
                kind="weight",
                kinds=kinds_of_component(beside.kind),
            )
            continue
        component, inside = _component(name, model, fusion)
        kind = parameter_kind(inside, owners[name])
        if component.kind == "type_embedding":
            kind = "token"
        found[name] = ParameterAddress(
            address=component.address,
            component=component.kind,
            kind=kind,
            kinds=_kinds(name, component.kind, kind),
        )
    fusion.check_built({place.address for place in found.values()})
    return found


def _component(name: str, model: VisionLanguageModel, fusion: "_Fusion") -> tuple[Component, str]:
    """Return the component that a parameter belongs to, and its name without those of streams."""
    root, _, inside = name.partition(".")
    if root == "fusion":
        return fusion.component(inside)
    if root == "streams":
        stream, _, inside = inside.partition(".")
        return _named(f"{stream}.{address_inside(inside, model.towers[stream].facts)}"), inside
    if root == "pool":
        inside = inside.partition(".")[2]
    part, _, inside = inside.partition(".")
    return _named(f"{root}.{part}"), inside


def _named(address: str) -> Component:
    """Return a component that is what its address says."""
    return Component(address, named_kind(address), ())


def _kinds(name: str, component: str, kind: ParameterKind) -> frozenset[str]:
    kinds: set[str] = set(KINDS) & {kind}
    if name.endswith("bias") and kind != "position":
        kinds.add("bias")
    return frozenset(kinds) | kinds_of_component(component)


@dataclass(slots=True)
class _Place:
    """A part of an address: what stands below it, and the component that it is, if it is one."""

    inside: dict[str, "_Place"] = field(default_factory=dict)
    component: Component | None = None


class _Fusion:
    """Addresses in a fusion: as its anatomy declares them, in its stack by the names of that."""

    def __init__(self, module: nn.Module, anatomy: Anatomy) -> None:
        self._root = anatomy.fusion_name
        self._known = anatomy.known(self._root)
        self._stacks = {
            path: part for path, part in module.named_modules() if isinstance(part, Stacked)
        }
        self._declared = _Place()
        self._components: list[Component] = []
        for component in anatomy.components:
            root, _, path = component.address.partition(".")
            if root == self._root:
                self._components.append(component)
                place = self._declared
                for segment in (component.module or path).split("."):
                    place = place.inside.setdefault(segment, _Place())
                place.component = component

    def component(self, name: str) -> tuple[Component, str]:
        """Return the component that a parameter of the fusion belongs to, and its name in there."""
        for path, stack in self._stacks.items():
            if name.startswith(f"{path}."):
                inside = name.removeprefix(f"{path}.")
                return _named(f"{self._root}.{address_inside(inside, stack.facts)}"), inside
        segments = _segments(name)
        found, depth, place = None, 0, self._declared
        for count, segment in enumerate(segments, 1):
            if segment not in place.inside:
                break
            place = place.inside[segment]
            if place.component is not None:
                found, depth = place.component, count
        if found is not None:
            return found, ".".join(segments[depth:])
        if self._known:
            raise CompileError(
                f"the anatomy of `{self._root}` does not say where its parameter `{name}` belongs"
            )
        return _named(".".join((self._root, *(segments[:-1] or segments)))), name

    def check_built(self, addresses: Collection[str]) -> None:
        """Refuse a component that is declared and is none of those that have parameters."""
        for component in self._components if self._known else ():
            # Adapters are declared with the parts they stand in, and come after these.
            if component.kind != ADAPTER and component.address not in addresses:
                raise CompileError(
                    f"the anatomy of `{self._root}` declares `{component.address}`, and the module "
                    "has no parameter there"
                )


def _segments(name: str) -> list[str]:
    """Return the parts of a name as addresses spell them: `layers[3]` for `layers.3`."""
    return re.sub(r"\.(\d+)(?=\.|$)", r"[\1]", name).split(".")

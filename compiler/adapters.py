"""Low-rank adapters: put beside the linear maps that `adapt` names, and merged into them."""

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn

from renaissance.compiler.addresses import ParameterAddress, parameter_addresses
from renaissance.compiler.errors import CompileError
from renaissance.compiler.model.adapter import AdaptedLinear, Adapter
from renaissance.compiler.model.vision_language import VisionLanguageModel
from renaissance.compiler.selectors import select
from renaissance.grammar.anatomy.parts import WITH_ADAPTERS
from renaissance.grammar.names import FEW, listing
from renaissance.grammar.schema.model import Adapt

_INSIDE = ".adapter."
"""Stands in the name of each tensor of an adapter, behind the name of the map that it is beside."""


def is_of_adapter(name: str) -> bool:
    """Tell whether a tensor of a model belongs to an adapter, by its name."""
    return _INSIDE in name


def add_adapters(model: VisionLanguageModel, directives: Iterable[Adapt]) -> None:
    """Put an adapter beside each linear map that directives name, in place.

    Names of other parameters stay, and the model computes what it did.

    Args:
        model: with its first weights, not lowered yet.
        directives: `adapt` of the model in the spec.

    Raises:
        CompileError: if a directive finds no linear map, or one that has an adapter.
    """
    addresses = parameter_addresses(model)
    for directive in directives:
        maps = _linear_maps(model, directive, addresses)
        if not maps:
            raise CompileError(
                f"`adapt {', '.join(directive.selectors)}` finds no linear map in model "
                f"`{model.name}`: {_what_there_is(model, addresses)}"
            )
        for name, part in maps.items():
            if isinstance(part, AdaptedLinear):
                raise CompileError(
                    f"`{addresses[f'{name}.weight'].address}` of model `{model.name}` has two "
                    "adapters: let one `adapt` name it"
                )
            adapt(part, rank=directive.rank, alpha=directive.alpha, dropout=directive.dropout)


def adapt(part: nn.Linear, *, rank: int, alpha: float, dropout: float) -> None:
    """Put an adapter beside a linear map, in place."""
    adapter = Adapter(part.in_features, part.out_features, rank=rank, alpha=alpha, dropout=dropout)
    part.__class__ = AdaptedLinear
    part.adapter = adapter.to(part.weight.device)


def merge(model: nn.Module) -> None:
    """Add what adapters add to the weights beside them, and take the adapters away, in place."""
    for part in model.modules():
        if isinstance(part, AdaptedLinear):
            with torch.no_grad():
                part.weight += part.adapter.product().to(part.weight.dtype)
            del part.adapter
            part.__dict__.pop("product", None)
            part.__class__ = nn.Linear  # type: ignore[assignment]


def merged(tensors: Mapping[str, Tensor], base: str) -> Tensor:
    """Return what an adapter adds to the weight beside it, `[outputs, inputs]`.

    Args:
        tensors: of a checkpoint, by name.
        base: name of the linear map.
    """
    up, down, scale = (tensors[name] for name in parts_of_adapter(base))
    return (up * scale) @ down


def parts_of_adapter(base: str) -> tuple[str, str, str]:
    """Return the names of the tensors of the adapter beside a linear map: up, down and scale."""
    up, down, scale = (f"{base}{_INSIDE}{name}" for name in ("up.weight", "down.weight", "scale"))
    return up, down, scale


def adapted_maps(names: Iterable[str]) -> tuple[str, ...]:
    """Return the names of the linear maps that have adapters, of the names of all tensors."""
    ending = f"{_INSIDE}scale"
    return tuple(name.removesuffix(ending) for name in names if name.endswith(ending))


def _linear_maps(
    model: VisionLanguageModel, directive: Adapt, addresses: Mapping[str, ParameterAddress]
) -> dict[str, nn.Linear]:
    """Return the linear maps whose weights a directive names, by their names."""
    chosen: set[str] = set()
    for selector in directive.selectors:
        chosen.update(select(selector, addresses, model.name, word="adapt"))
    for selector in directive.excluded:
        chosen.difference_update(select(selector, addresses, model.name, word="adapt"))
    return {
        path: part
        for path, part in model.named_modules()
        # Whatever derives from it may do something else with its weight.
        if type(part) in (nn.Linear, AdaptedLinear)
        and f"{path}.weight" in chosen
        and addresses[f"{path}.weight"].component in WITH_ADAPTERS
    }


def _what_there_is(model: VisionLanguageModel, addresses: Mapping[str, ParameterAddress]) -> str:
    found = dict.fromkeys(
        addresses[f"{path}.weight"].address
        for path, part in model.named_modules()
        if type(part) is nn.Linear
        and f"{path}.weight" in addresses
        and addresses[f"{path}.weight"].component in WITH_ADAPTERS
    )
    return f"there are some in {listing(found, most=FEW)}" if found else "there is none"

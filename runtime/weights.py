"""From the tensors of a model to those of a checkpoint and back, with every difference named."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from renaissance.compiler.model import VisionLanguageModel
from renaissance.grammar.names import FEW, listing
from renaissance.runtime.errors import CheckpointError


@dataclass(frozen=True, slots=True, kw_only=True)
class Differences:
    """How the tensors of a checkpoint differ from those that a model needs.

    Attributes:
        missing: the model needs them, the checkpoint lacks them.
        unexpected: the checkpoint has them, the model has no use for them.
        shapes: sentences on tensors that have another shape or type.
    """

    missing: tuple[str, ...]
    unexpected: tuple[str, ...]
    shapes: tuple[str, ...]

    def __bool__(self) -> bool:
        """Return whether there is any."""
        return bool(self.missing or self.unexpected or self.shapes)

    def __str__(self) -> str:
        """Name the first of each class."""
        classes = (
            ("missing", self.missing),
            ("unexpected", self.unexpected),
            ("of another shape", self.shapes),
        )
        return "; ".join(f"{listing(names, most=FEW)} {kind}" for kind, names in classes if names)


def model_tensors(model: VisionLanguageModel) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Return parameters and buffers by name, each once, and the other names of shared ones."""
    tensors: dict[str, Tensor] = {}
    first: dict[int, str] = {}
    shared = {}
    for name, tensor in model.state_dict(keep_vars=True).items():
        if id(tensor) in first:
            shared[name] = first[id(tensor)]
        else:
            first[id(tensor)] = name
            tensors[name] = tensor
    return tensors, shared


def differences(
    needed: Mapping[str, Tensor], given: Mapping[str, Tensor], *, absent: Collection[str] = ()
) -> Differences:
    """Compare names, shapes and types.

    Args:
        needed: tensors of the model.
        given: tensors of the checkpoint.
        absent: names that the checkpoint leaves to a reference.
    """
    return Differences(
        missing=tuple(name for name in needed if name not in given and name not in absent),
        unexpected=tuple(name for name in given if name not in needed),
        shapes=tuple(
            f"{name} {_form(given[name])} instead of {_form(needed[name])}"
            for name in needed
            if name in given and _form(given[name]) != _form(needed[name])
        ),
    )


def copy_into(model: VisionLanguageModel, tensors: Mapping[str, Tensor]) -> None:
    """Overwrite tensors of a model in place."""
    own, _ = model_tensors(model)
    with torch.no_grad():
        for name, tensor in tensors.items():
            own[name].copy_(tensor)


def restore(
    model: VisionLanguageModel, tensors: Mapping[str, Tensor], absent: Collection[str]
) -> None:
    """Load a checkpoint of the very same model.

    Args:
        model: as built; holds what the checkpoint leaves to a reference.
        tensors: of the checkpoint.
        absent: names that the checkpoint leaves to a reference.

    Raises:
        CheckpointError: if names, shapes or types differ in any way.
    """
    needed, _ = model_tensors(model)
    differing = differences(needed, tensors, absent=absent)
    if differing:
        raise CheckpointError(f"its tensors are not those of model `{model.name}`: {differing}")
    copy_into(model, tensors)


def _form(tensor: Tensor) -> str:
    return f"{list(tensor.shape)} {str(tensor.dtype).removeprefix('torch.')}"

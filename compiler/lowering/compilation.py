"""`compile = layers`: torch.compile for each repeated layer, never for the whole model.

Layers of one kind share what was compiled, so that a first step costs one layer of each kind and
not the depth of the model.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import nn

from renaissance.compiler.errors import CompileError
from renaissance.compiler.lowering.context import Context
from renaissance.compiler.lowering.linear import restore_linear_maps
from renaissance.compiler.model import VisionLanguageModel

BACKEND = "inductor"
VARIANTS = 64
"""Forms of one kind of layer, at most: with or without a mask, gradients, dropout, frozen, of each
width. torch's own limit of 8 is meant for a function that is called in one way."""


def repeated_layers(model: VisionLanguageModel) -> dict[str, nn.Module]:
    """Return the layers of towers and fusion by address, a shared one once."""
    found: dict[str, nn.Module] = {}
    stacks: dict[str, nn.Module] = {**model.towers, model.fusion_name: model.fusion}
    for root, stack in stacks.items():
        stack = getattr(stack, "encoder", stack) if root == model.fusion_name else stack
        facts = getattr(stack, "facts", None)
        layers: list[nn.Module]
        if facts is None:
            layers = list(getattr(stack, "layers", ()))
        else:
            layers = [stack.get_submodule(paths[0]) for paths in facts.layers]
        found |= {f"{root}.layers[{index}]": layer for index, layer in enumerate(layers)}
    seen: dict[nn.Module, str] = {}
    for address, layer in found.items():
        seen.setdefault(layer, address)
    return {address: layer for layer, address in seen.items()}


def compile_layers(model: VisionLanguageModel, device: torch.device) -> tuple[str, ...]:
    """Compile the layers of a model in place; names of parameters stay as they are.

    Args:
        model: on any device.
        device: that it is going to run on.

    Returns:
        The addresses of the layers.

    Raises:
        CompileError: if torch cannot compile for the device on this machine.
    """
    torch._dynamo.config.recompile_limit = max(torch._dynamo.config.recompile_limit, VARIANTS)
    try:
        # Something tiny first: it needs the same Python, the same C++ or Triton compiler.
        torch.compile(torch.neg, backend=BACKEND)(torch.ones(2, device=device))
    except (RuntimeError, ImportError) as problem:
        raise CompileError(_cannot(problem)) from None
    layers = repeated_layers(model)
    for layer in layers.values():
        restore_linear_maps(layer)
        # Rows and tokens differ from batch to batch.
        layer.compile(backend=BACKEND, dynamic=True)
    return tuple(layers)


@contextmanager
def explained() -> Iterator[None]:
    """Turn an error of torch's compiler into one sentence.

    Raises:
        CompileError: if a layer cannot be compiled.
    """
    try:
        yield
    except torch._dynamo.exc.TorchDynamoException as problem:
        raise CompileError(_cannot(problem)) from None


def _cannot(problem: Exception) -> str:
    cause = getattr(problem, "inner_exception", problem)
    lines = [line.strip() for line in str(cause).splitlines() if line.strip()]
    reason = (lines[0] if lines else type(cause).__name__).rstrip(".")
    return (
        f"`compile = layers`: torch cannot compile on this machine ({reason}); install what it "
        "needs (a C++ compiler for the CPU, Triton for a GPU), or write `compile = none`"
    )


@dataclass(frozen=True, slots=True)
class Compilation:
    """Repeated layers are compiled by torch, where the job asks for it."""

    name: str = "compilation"

    def applies(self, model: VisionLanguageModel, context: Context) -> bool:
        """Whether the job compiles layers."""
        return context.compiles and bool(repeated_layers(model))

    def apply(self, model: VisionLanguageModel, context: Context) -> None:
        """Compile them; it happens when they first run."""
        compile_layers(model, torch.device(context.device or "cpu"))

    def explain(self, model: VisionLanguageModel, context: Context) -> str:
        """Say how many layers are compiled."""
        return f"torch.compile of {len(repeated_layers(model))} repeated layers"

"""`recompute = layers`: what repeated layers compute is not kept for the backward pass.

Only what goes into a layer is kept; in the backward pass the layer runs again, with the same random
numbers, so that gradients are the same. Source: Chen et al. 2016, Training Deep Nets with Sublinear
Memory Cost.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils import _pytree as pytree
from torch.utils.checkpoint import checkpoint

from renaissance.compiler.lowering.compilation import repeated_layers
from renaissance.compiler.lowering.context import Context
from renaissance.compiler.model.vision_language import VisionLanguageModel

Surroundings = Callable[[], AbstractContextManager[Any]]

_surroundings: Surroundings = nullcontext


def recompute_layers(layers: Iterable[nn.Module]) -> None:
    """Let layers run again in the backward pass, in place; names of parameters stay as they are.

    Layers that are compiled already run compiled both times.

    Args:
        layers: each once, on any device.
    """
    for layer in layers:
        compiled = getattr(layer, "_compiled_call_impl", None)
        if compiled is None:
            # Inside of the layer's call: a sharded layer gathers its weights around both runs.
            layer.forward = _Recomputed(layer, layer.forward)
        else:
            layer._compiled_call_impl = _Recomputed(layer, compiled)


def as_one(layer: nn.Module, run: Callable[..., Any], *args: Any) -> Any:
    """Call a function that calls a layer; where the layer runs again, so does all of the function.

    Args:
        layer: that may be one of `recompute_layers`.
        run: calls it, and prepares the call in a way that the second run needs too.
        args: of the function.
    """
    forward = vars(layer).get("forward")
    return forward.instead(run, *args) if isinstance(forward, _Recomputed) else run(*args)


def is_recomputed(layer: nn.Module) -> bool:
    """Whether a layer that is not compiled is one of `recompute_layers`."""
    return isinstance(vars(layer).get("forward"), _Recomputed)


@contextmanager
def surrounded(surroundings: Surroundings) -> Iterator[None]:
    """Let second runs of the layers that are called here stand in a context of their own.

    Args:
        surroundings: makes it; called whenever a layer runs for the first time.
    """
    global _surroundings
    before, _surroundings = _surroundings, surroundings
    try:
        yield
    finally:
        _surroundings = before


def once_more() -> AbstractContextManager[Any]:
    """Return what a part stands in that runs once more than its results ask for."""
    return _surroundings()


@dataclass(frozen=True, slots=True)
class Recomputation:
    """Repeated layers run again in the backward pass, where the job asks for it."""

    name: str = "recomputation"

    def applies(self, model: VisionLanguageModel, context: Context) -> bool:
        """Whether layers of the job run twice."""
        return context.recomputes and bool(repeated_layers(model))

    def apply(self, model: VisionLanguageModel, context: Context) -> None:
        """Let them keep nothing but what goes into them."""
        recompute_layers(repeated_layers(model).values())

    def explain(self, model: VisionLanguageModel, context: Context) -> str:
        """Say how many layers run twice."""
        return f"{len(repeated_layers(model))} repeated layers run again in the backward pass"


class _Recomputed:
    """Stands for the forward function of a layer.

    Args:
        layer: whose weights it uses.
        forward: the function.
    """

    def __init__(self, layer: nn.Module, forward: Callable[..., Any]) -> None:
        self._layer, self._forward = layer, forward
        self._apart = True

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function; keep nothing of it where something would be kept."""
        if not self._apart:
            return self._forward(*args, **kwargs)
        return self._checkpointed(self._forward, args, kwargs)

    def instead(self, run: Callable[..., Any], *args: Any) -> Any:
        """Call `run`, which calls the layer, in place of the function."""

        def once(*args: Any) -> Any:
            self._apart = False
            try:
                return run(*args)
            finally:
                self._apart = True

        return self._checkpointed(once, args, {})

    def _checkpointed(self, run: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        if not torch.is_grad_enabled() or not self._keeps((args, kwargs)):
            return run(*args, **kwargs)
        return checkpoint(partial(run, **kwargs), *args, use_reentrant=False, context_fn=_contexts)

    def _keeps(self, inputs: Any) -> bool:
        """Whether autograd records the layer: it learns, or something in front of it does."""
        tensors = (part for part in pytree.tree_leaves(inputs) if isinstance(part, Tensor))
        return any(part.requires_grad for part in chain(tensors, self._layer.parameters()))


def _contexts() -> tuple[AbstractContextManager[Any], AbstractContextManager[Any]]:
    return nullcontext(), _surroundings()

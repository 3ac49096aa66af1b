"""Whether a module may be computed by other means than by calling it.

Products that are joined or multiplied in another order read the weights of linear maps. Adapters,
hooks, parametrizations and quantisers change what happens when a map is called: such a map is
called.
"""

from collections.abc import Callable, Mapping
from typing import Any

from torch import nn
from torch.nn.modules import module as of_torch
from torch.utils.module_tracker import ModuleTracker

from renaissance.compiler.lowering.linear import Forward


def is_plain(part: nn.Module) -> bool:
    """Return whether calling a module is the linear map of its weight and bias and no more."""
    return (
        type(part) is nn.Linear
        and part.bias is not None
        and isinstance(vars(part).get("forward"), Forward | None)
        and part._compiled_call_impl is None
        and not _matter(part._forward_hooks)
        and not _matter(part._forward_pre_hooks)
        and not part._backward_hooks
        and not part._backward_pre_hooks
    )


def every_call_is_watched() -> bool:
    """Return whether hooks are registered for all modules of the process."""
    return (
        _matter(of_torch._global_forward_pre_hooks)
        or _matter(of_torch._global_forward_hooks)
        or bool(of_torch._global_backward_pre_hooks)
        or bool(of_torch._global_backward_hooks)
    )


def only_looks(hook: Callable[..., None]) -> Callable[..., None]:
    """Mark a hook that may miss calls: it notes which modules run, and changes nothing."""
    hook.only_looks = True  # type: ignore[attr-defined]
    return hook


def _matter(hooks: Mapping[int, Any]) -> bool:
    return bool(hooks) and not all(map(_only_looks, hooks.values()))


def _only_looks(hook: Any) -> bool:
    # torch's own tracker is what its counter of operations knows the running module by.
    of_tracker = isinstance(getattr(hook, "__self__", None), ModuleTracker)
    return of_tracker or getattr(hook, "only_looks", False)

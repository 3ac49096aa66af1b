"""Where the layers of a library's encoder stand inside its module."""

from collections.abc import Iterator

from torch import nn

from renaissance.compiler.model.tower import LayerPaths

_STAGED = ("blocks", "layers", "albert_layers")
_STEM = "downsample_layers"
"""Reduces between stages, and is what embeds patches in the first one."""
_DOWNSAMPLING = ("downsample", "downsampling_layer", _STEM)


def find_layers(encoder: nn.Module) -> LayerPaths:
    """Return the paths of the layers, stages flattened.

    The layers are the members of the largest list of modules that is not inside another one. What
    reduces the resolution between stages belongs to the layer before it; in front of the first
    layer it belongs to that.
    """
    path, members = max(_lists(encoder, ""), key=lambda found: _size(found[1]), default=("", None))
    if members is None:
        return ()
    paths: list[tuple[str, ...]] = []
    waiting: list[str] = []
    for name, member in members.named_children():
        blocks = next((name for name in _STAGED if hasattr(member, name)), None)
        here = f"{path}.{name}"
        if blocks is None:
            paths.append((here,))
            continue
        reduction = next((name for name in _DOWNSAMPLING if hasattr(member, name)), "")
        reduces = _size(getattr(member, reduction, None)) > 0
        extra = f"{here}.{reduction}" if reduces else None
        before = extra is not None and _comes_first(member, reduction, blocks)
        if before and extra:
            if paths:
                paths[-1] += (extra,)
            elif reduction != _STEM:
                waiting.append(extra)
        count = len(paths)
        for inner, _ in getattr(member, blocks).named_children():
            paths.append((f"{here}.{blocks}.{inner}",))
        if waiting and len(paths) > count:
            paths[count] += tuple(waiting)
            waiting.clear()
        if extra and not before:
            paths[-1] += (extra,)
    return tuple(paths)


def stem_of(encoder: nn.Module) -> tuple[str, ...]:
    """Return the path of what embeds patches inside the first stage; empty where none does."""
    names = (name for name, _ in encoder.named_modules() if name.rpartition(".")[2] == _STEM)
    return tuple(names)[:1]


def first_of(address: str, layers: int, id: str) -> str:
    """Say how many layers of an encoder are taken."""
    said = "layer" if layers == 1 else f"{layers} layers"
    return f"`{address}` takes the first {said} of `{id}`"


def _lists(module: nn.Module, path: str) -> Iterator[tuple[str, nn.Module]]:
    for name, child in module.named_children():
        here = f"{path}.{name}" if path else name
        numbered = [inner for inner, _ in child.named_children() if inner.isdigit()]
        if isinstance(child, (nn.ModuleList, nn.Sequential)) and numbered:
            yield here, child
        else:
            yield from _lists(child, here)


def _comes_first(stage: nn.Module, reduction: str, blocks: str) -> bool:
    order = [name for name, _ in stage.named_children()]
    return order.index(reduction) < order.index(blocks)


def _size(module: nn.Module | None) -> int:
    return 0 if module is None else sum(parameter.numel() for parameter in module.parameters())

"""Where the layers of an encoder of transformers stand, whose stages are lists of layers."""

from torch import nn

from renaissance.compiler.backbones.layers import find_layers
from renaissance.compiler.model.tower import LayerPaths

_BESIDE = ("patch_embeddings", "layer_norm")
"""Lists beside that of the stages, with one member for each: in front of it, and behind it."""


def transformers_layers(encoder: nn.Module) -> LayerPaths:
    """Return the paths of the layers, stages flattened.

    What reduces the resolution between stages belongs to the layer before it, as in `find_layers`.
    """
    for path, module in encoder.named_modules():
        if isinstance(module, nn.ModuleList) and len(module):
            if all(isinstance(stage, nn.ModuleList) for stage in module):
                return _of_lists(encoder, path, module)
            if path.rpartition(".")[2] == "network":
                return _of_network(path, module)
    return find_layers(encoder)


def _of_lists(encoder: nn.Module, path: str, stages: nn.ModuleList) -> LayerPaths:
    """Return the layers of stages that are lists: those of PVT, GLPN and PoolFormer."""
    holder = path.rpartition(".")[0]
    in_front, behind = (_listed(encoder.get_submodule(holder), name) for name in _BESIDE)
    paths: list[tuple[str, ...]] = []
    for number, stage in enumerate(stages):
        if number and number < in_front:
            paths[-1] += (f"{holder}.{_BESIDE[0]}.{number}",)
        paths += [(f"{path}.{number}.{inner}",) for inner, _ in stage.named_children()]
        if number < behind:
            paths[-1] += (f"{holder}.{_BESIDE[1]}.{number}",)
    return tuple(paths)


def _listed(holder: nn.Module, name: str) -> int:
    """Return how many members a list of modules has; 0 where there is no such list."""
    found = getattr(holder, name, None)
    return len(found) if isinstance(found, nn.ModuleList) else 0


def _of_network(path: str, network: nn.ModuleList) -> LayerPaths:
    """Return the layers of SwiftFormer, between whose stages stands what reduces an image."""
    paths: list[tuple[str, ...]] = []
    for number, member in enumerate(network):
        blocks = getattr(member, "blocks", None)
        if blocks is None:
            paths[-1] += (f"{path}.{number}",)
        else:
            paths += [(f"{path}.{number}.blocks.{inner}",) for inner, _ in blocks.named_children()]
    return tuple(paths)

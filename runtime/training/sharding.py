"""`shard = full`: weights that learn, their gradients and averages are split over the processes.

Each layer is a unit of its own (FSDP2, `fully_shard`): it is whole only while it runs. What never
learns has neither gradients nor averages; every process holds it, and no unit contains it, so that
units end where what is frozen begins. Autocast stays in charge of the precision: weights travel,
and gradients are averaged, in float32.
"""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FSDPModule, fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor
from torch.utils import _pytree as pytree

from renaissance.compiler.losses import Scored
from renaissance.compiler.lowering.compilation import repeated_layers
from renaissance.compiler.step import Objectives
from renaissance.runtime.processes import Processes

# What comes out of the outermost unit is looked into for tensors that gradients come back through.
pytree.register_dataclass(Scored, serialized_type_name="renaissance.Scored")


def shard(objectives: Objectives, never: Collection[str], processes: Processes) -> None:
    """Split the weights of a model in place; names of parameters stay as they are.

    Args:
        objectives: with the final weights, on any device.
        never: names of the model's parameters that do not learn in any step of the job.
        processes: that share the job.
    """
    model = objectives.model
    mesh = init_device_mesh(processes.device.type, (processes.ranks,))
    held = {parameter for name, parameter in model.named_parameters() if name in never}
    layers = repeated_layers(model)
    # The last layer of the fusion runs once for each reading of a pass, with other parts of it: its
    # gradients are complete, and of the same parameters everywhere, only when all have run.
    several = [layer for name, layer in layers.items() if name.startswith(f"{model.fusion_name}.")]
    # So do all of them where they encode a stream by itself too.
    if not any(map(model.encoded_by_fusion, model.towers)):
        several = several[-1:]
    for layer in layers.values():
        learning = any(parameter not in held for parameter in layer.parameters())
        if learning and layer not in several:
            fully_shard(layer, mesh=mesh, ignored_params=held)
    fully_shard(objectives, mesh=mesh, ignored_params=held)


@contextmanager
def gathered(objectives: Objectives) -> Iterator[None]:
    """Hold whole weights in every process meanwhile, so that each may do as many passes as it has.

    Without this a pass is a meeting of all processes.
    """
    units = [part for part in objectives.modules() if isinstance(part, FSDPModule)]
    for unit in units:
        unit.set_reshard_after_forward(False, recurse=False)
        unit.unshard()
    try:
        yield
    finally:
        for unit in units:
            unit.reshard()
            unit.set_reshard_after_forward(True, recurse=False)
        if isinstance(objectives, FSDPModule):
            # Backward begins with the outermost unit: it is not split in between.
            objectives.set_reshard_after_forward(False, recurse=False)


def share_gradients(objectives: Objectives, yes: bool) -> None:
    """Let the next backward pass average gradients over the processes, or keep adding them up."""
    if isinstance(objectives, FSDPModule):
        objectives.set_requires_gradient_sync(yes)
        objectives.set_reshard_after_backward(yes)


def whole(tensor: Tensor) -> Tensor:
    """Return a tensor with the parts of all processes, which come here together."""
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


def collected(tensors: Mapping[str, Tensor], processes: Processes) -> dict[str, Tensor]:
    """Return whole tensors in the first process and none elsewhere; all come here together."""
    whole_tensors = {}
    for name, tensor in tensors.items():
        full = whole(tensor.detach())
        if processes.first:
            # One at a time leaves the device: together they may not fit.
            whole_tensors[name] = full.cpu() if isinstance(tensor, DTensor) else full
    return whole_tensors


def split_like(tensor: Tensor, parameter: Tensor) -> Tensor:
    """Return a copy of a whole tensor, on the device and split over processes as a parameter is."""
    copy = tensor.to(parameter.device, copy=True)
    if isinstance(parameter, DTensor) and tensor.dim():
        mesh, placements = parameter.device_mesh, parameter.placements
        with torch.no_grad():
            return distribute_tensor(copy, mesh, placements, src_data_rank=None)
    return copy

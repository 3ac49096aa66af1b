"""The identity of weights: a hash over their names, shapes and values."""

import hashlib

import torch
from torch import Tensor, nn


def tensor_hash(tensor: Tensor) -> str:
    """Return the SHA-256 over type, shape and bytes of a tensor."""
    plain = tensor.detach().cpu().contiguous()
    digest = hashlib.sha256(f"{plain.dtype} {tuple(plain.shape)}".encode())
    digest.update(plain.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def content_hash(module: nn.Module) -> str:
    """Return the SHA-256 over names and hashes of all parameters and saved buffers of a module."""
    digest = hashlib.sha256()
    for name, tensor in sorted(module.state_dict().items()):
        digest.update(f"{name} {tensor_hash(tensor)}\n".encode())
    return digest.hexdigest()

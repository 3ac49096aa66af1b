"""Checks that hold for real and for fake tensors: shapes, dtypes, devices and ranges.

What the cumulative lengths contain is not looked at, because on a GPU that would wait for the
device in every layer. The kernels guard themselves instead: a sequence that leaves its tensor or is
longer than announced reads nothing outside and comes out as NaN. `check_lengths` looks, once a
batch.
"""

import math
from itertools import pairwise

import torch
from torch import Tensor

FLOATING = (torch.bfloat16, torch.float16, torch.float32, torch.float64)


def check_streams(
    query: Tensor, key: Tensor, value: Tensor, cu_query: Tensor, cu_key: Tensor
) -> None:
    """Check one direction: queries of one packed stream, keys and values of another.

    Raises:
        ValueError: if shapes, dtypes or devices do not fit together.
    """
    for name, tensor in (("query", query), ("key", key), ("value", value)):
        if tensor.dim() != 3:
            raise ValueError(
                f"{name} must be [tokens, heads, head_dim], not {tensor.dim()}-dimensional"
            )
    dtype, device, form = query.dtype, query.device, query.shape[1:]
    for name, tensor in (("key", key), ("value", value)):
        if tensor.dtype != dtype:
            raise ValueError(f"{name} is {tensor.dtype} and query is {dtype}")
        if tensor.device != device:
            raise ValueError(f"{name} is on {tensor.device} and query is on {device}")
        if tensor.shape[1:] != form:
            raise ValueError(
                f"{name} has heads and width {list(tensor.shape[1:])}, query {list(form)}"
            )
    if key.shape[0] != value.shape[0]:
        raise ValueError(f"{key.shape[0]} keys do not go with {value.shape[0]} values")
    for name, lengths in (("cu_query", cu_query), ("cu_key", cu_key)):
        if lengths.dtype != torch.int32 or lengths.dim() != 1 or lengths.shape[0] < 1:
            raise ValueError(f"{name} must hold int32 cumulative lengths, [sequences + 1]")
        if lengths.device != device:
            raise ValueError(f"{name} is on {lengths.device} and query is on {device}")
        if lengths.stride(0) != 1:
            raise ValueError(f"{name} must be contiguous")
    if cu_query.shape[0] != cu_key.shape[0]:
        raise ValueError(
            f"{cu_query.shape[0] - 1} query sequences do not go with "
            f"{cu_key.shape[0] - 1} key sequences"
        )


def check_bias(bias: Tensor, query: Tensor, max_query: int, max_key: int) -> None:
    """Check an additive bias `[heads, max_query, max_key]` or `[groups, heads, ...]`.

    Raises:
        ValueError: if its shape, dtype or device does not fit.
    """
    if bias.dim() not in (3, 4) or bias.shape[0] == 0:
        raise ValueError("bias must be [heads, max_query, max_key] or [groups, heads, ...]")
    if tuple(bias.shape[-3:]) != (query.shape[1], max_query, max_key):
        raise ValueError(
            f"bias ends in {list(bias.shape[-3:])} and should end in heads, max_query, max_key "
            f"{[query.shape[1], max_query, max_key]}"
        )
    if bias.dtype not in FLOATING:
        raise ValueError(f"bias must be floating point, not {bias.dtype}")
    if bias.device != query.device:
        raise ValueError(f"bias is on {bias.device} and query is on {query.device}")


def check_numbers(scale: float, dropout: float, seed: Tensor | None) -> None:
    """Check the scale of the scores, the dropout probability and a seed that is a tensor.

    Raises:
        ValueError: if one of them is out of range.
    """
    if not (scale > 0.0 and math.isfinite(scale)):
        raise ValueError(f"scale must be positive and finite, not {scale}")
    if not 0.0 <= dropout < 1.0:
        raise ValueError(f"dropout must be at least 0 and less than 1, not {dropout}")
    if seed is not None and (seed.dtype != torch.int64 or seed.numel() != 1):
        raise ValueError("dropout needs a seed: one int64 number")


def check_lengths(cumulative: Tensor, tokens: int, longest: int) -> None:
    """Look at cumulative lengths; on a GPU this waits, so do it once a batch and not in a layer.

    Args:
        cumulative: int32 `[sequences + 1]`.
        tokens: packed tokens of the stream.
        longest: the announced length of the longest sequence, in tokens.

    Raises:
        ValueError: if they do not start at 0, fall, do not end at `tokens`, or a sequence is
            longer than `longest`.
    """
    bounds = cumulative.tolist()
    if bounds[0] != 0 or bounds[-1] != tokens:
        raise ValueError(
            f"cumulative lengths run from {bounds[0]} to {bounds[-1]}, not from 0 to {tokens}"
        )
    lengths = [end - start for start, end in pairwise(bounds)]
    if any(length < 0 for length in lengths):
        raise ValueError("cumulative lengths fall")
    if lengths and max(lengths) > longest:
        raise ValueError(f"a sequence of {max(lengths)} tokens is longer than {longest}")

"""From tensors to kernel launches: what is allocated, which kernel runs, with which numbers.

Imported only where Triton runs.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple

import torch
import triton
from torch import Tensor

from renaissance.compiler.kernels.call import Call, Direction, statistics_shape
from renaissance.compiler.kernels.configurations import NARROW, Kernel
from renaissance.compiler.kernels.dropout import threshold
from renaissance.compiler.kernels.plans import plan

LOG2_E = 1.4426950408889634
LARGEST_TILE = 128
STRIDE_UNIT = 8
ALIGNMENT = 16
BIAS_PROGRAMS = 1024


class Gradients(NamedTuple):
    """Gradients of one direction, each in the shape and dtype of what it belongs to."""

    query: Tensor
    key: Tensor
    value: Tensor


def forward(call: Call) -> tuple[list[Tensor], Tensor]:
    """Run the forward kernel.

    Returns:
        One output per direction, contiguous, in the shape and dtype of its query; and the base-2
        log-sum-exp of the scores, float32 `[heads, rows]`, the second direction's rows last; with
        dropout `[3, heads, rows]`: behind it the random words of each row, as bits.
    """
    directions = _aligned(call.directions)
    first = directions[0]
    outputs = [_like(direction.query) for direction in directions]
    rows = sum(output.shape[0] for output in outputs)
    log_sum = torch.empty(
        statistics_shape(call.heads, rows, call.dropout),
        dtype=torch.float32,
        device=first.query.device,
    )
    if call.sequences == 0 or rows == 0:
        return [output.zero_() for output in outputs], log_sum.fill_(float("inf"))
    narrow = call.pair or call.max_query <= NARROW
    long: Kernel = "narrow_forward" if narrow else "forward"
    planned = plan(call, "short_forward" if call.short else long)
    with _device(first.query):
        tiles, tiles_second = _tiles(call, planned.configuration.block_m)
        planned.launch(
            _programs(call, tiles, tiles_second),
            *_operands(
                [
                    (*direction, output)
                    for direction, output in zip(directions, outputs, strict=True)
                ]
            ),
            tiles,
            tiles_second,
            log_sum,
            call.bias,
            call.seed,
            *_halves(call.number),
            call.cu_query,
            call.cu_key,
            first.query.shape[0],
            first.key.shape[0],
            call.max_query,
            call.max_key,
            call.sequences,
            call.heads,
            call.groups,
            *_strides(first.query),
            *_strides(first.key),
            *_strides(first.value),
            *_bias_strides(call.bias),
            call.scale * LOG2_E,
            threshold(call.dropout),
            1.0 / (1.0 - call.dropout),
        )
    return outputs, log_sum


def backward(
    call: Call,
    outputs: Sequence[Tensor],
    log_sum: Tensor,
    grad_outputs: Sequence[Tensor],
    *,
    bias_gradient: bool,
) -> tuple[list[Gradients], Tensor | None]:
    """Run the backward kernels.

    Args:
        call: the forward's call.
        outputs: its outputs.
        log_sum: its log-sum-exp.
        grad_outputs: gradients of the outputs, same shapes and dtype.
        bias_gradient: whether the bias's gradient is wanted.

    Returns:
        The gradients of each direction, contiguous, and the bias's (or None) in its shape and
        dtype.
    """
    directions = _aligned(call.directions)
    grads = _alike([_usable(grad) for grad in grad_outputs])
    gradients = [Gradients(*map(_like, direction)) for direction in directions]
    delta = torch.empty(log_sum.shape[-2:], dtype=torch.float32, device=log_sum.device)
    if call.sequences == 0:
        for gradient in gradients:
            for tensor in gradient:
                tensor.zero_()
        return gradients, None if call.bias is None else torch.zeros_like(call.bias)
    shared = _shared(call, directions[0], grads[0], log_sum, delta)
    parts = list(zip(directions, outputs, grads, gradients, strict=True))
    with _device(directions[0].query):
        if call.short:
            _short_backward(call, parts, shared)
        else:
            _query_gradient(call, parts, shared)
            _key_gradient(call, parts, shared)
        if call.bias is None or not bias_gradient:
            return gradients, None
        return gradients, _bias_gradient(call, call.bias, directions[0], grads[0], log_sum, delta)


Part = tuple[Direction, Tensor, Tensor, Gradients]


def _short_backward(call: Call, parts: list[Part], shared: tuple[Any, ...]) -> None:
    """Query, key and value gradients in one launch."""
    plan(call, "short_backward").launch(
        _programs(call, 1, 1),
        *_operands(
            [(*direction, output, grad, *gradient) for direction, output, grad, gradient in parts]
        ),
        *shared,
    )


def _query_gradient(call: Call, parts: list[Part], shared: tuple[Any, ...]) -> None:
    """Delta and the query gradients."""
    planned = plan(call, "query_gradient")
    tiles, tiles_second = _tiles(call, planned.configuration.block_m)
    planned.launch(
        _programs(call, tiles, tiles_second),
        *_operands(
            [
                (*direction, output, grad, gradient.query)
                for direction, output, grad, gradient in parts
            ]
        ),
        tiles,
        tiles_second,
        *shared,
    )


def _key_gradient(call: Call, parts: list[Part], shared: tuple[Any, ...]) -> None:
    """The key and value gradients; delta has been written."""
    planned = plan(call, "key_gradient")
    tiles_second, tiles = _tiles(call, planned.configuration.block_n)
    planned.launch(
        _programs(call, tiles, tiles_second),
        *_operands(
            [
                (*direction, grad, gradient.key, gradient.value)
                for direction, _, grad, gradient in parts
            ]
        ),
        tiles,
        tiles_second,
        *shared,
    )


def _bias_gradient(
    call: Call, bias: Tensor, direction: Direction, grad: Tensor, log_sum: Tensor, delta: Tensor
) -> Tensor:
    """The bias gradient, summed over the sequences in two passes; delta has been written."""
    planned = plan(call, "bias_gradient")
    configuration = planned.configuration
    tiles = triton.cdiv(call.max_query, configuration.block_m) * triton.cdiv(
        call.max_key, configuration.block_n
    )
    programs = tiles * call.heads * call.groups
    if programs == 0:
        return torch.zeros_like(bias)
    shared_by = triton.cdiv(call.sequences, call.groups)
    chunks = min(shared_by, triton.cdiv(BIAS_PROGRAMS, programs))
    chunk = triton.cdiv(shared_by, chunks)
    chunks = triton.cdiv(shared_by, chunk)
    partial = torch.empty((chunks, *bias.shape), dtype=torch.float32, device=bias.device)
    planned.launch(
        programs * chunks,
        *direction,
        grad,
        log_sum,
        delta,
        bias,
        partial,
        call.cu_query,
        call.cu_key,
        direction.query.shape[0],
        direction.key.shape[0],
        call.max_query,
        call.max_key,
        call.sequences,
        call.heads,
        call.groups,
        chunk,
        *_strides(direction.query),
        *_strides(direction.key),
        *_strides(direction.value),
        *_strides(grad),
        *_bias_strides(bias),
        call.scale * LOG2_E,
        threshold(call.dropout),
        1.0 / (1.0 - call.dropout),
    )
    return partial.sum(0).to(bias.dtype) if chunks > 1 else partial[0].to(bias.dtype)


def _shared(
    call: Call, first: Direction, grad: Tensor, log_sum: Tensor, delta: Tensor
) -> tuple[Any, ...]:
    """The arguments that the gradient kernels take alike."""
    return (
        log_sum,
        delta,
        call.bias,
        call.cu_query,
        call.cu_key,
        first.query.shape[0],
        first.key.shape[0],
        call.sequences,
        call.heads,
        call.groups,
        *_strides(first.query),
        *_strides(first.key),
        *_strides(first.value),
        *_strides(grad),
        *_bias_strides(call.bias),
        call.scale * LOG2_E,
        call.scale,
        threshold(call.dropout),
        1.0 / (1.0 - call.dropout),
    )


def _operands(directions: Sequence[tuple[Tensor, ...]]) -> tuple[Tensor | None, ...]:
    """The tensors of the first direction and then of the second, None where there is none."""
    first = directions[0]
    return *first, *(directions[1] if len(directions) == 2 else (None,) * len(first))


def _tiles(call: Call, rows: int) -> tuple[int, int]:
    """Tiles of the longest sequence of queries and of keys; at least one, which finds any lie."""
    return max(1, -(-call.max_query // rows)), max(1, -(-call.max_key // rows))


def _programs(call: Call, tiles: int, tiles_second: int) -> int:
    """One program for each tile of each head of each sequence, both directions in one row."""
    return call.sequences * call.heads * (tiles + (tiles_second if call.pair else 0))


def _halves(number: int) -> tuple[int, int]:
    """The low and the high 32 bits of a number, each as a signed number."""
    low, high = number & 0xFFFFFFFF, (number >> 32) & 0xFFFFFFFF
    return (low ^ 2**31) - 2**31, (high ^ 2**31) - 2**31


def _aligned(directions: tuple[Direction, ...]) -> list[Direction]:
    """Make layouts ones that the kernels take, without a copy where they already are."""
    usable = [Direction(*map(_usable, direction)) for direction in directions]
    if len(usable) == 1:
        return usable
    # Of both directions the queries, then the keys, then the values.
    alike = [_alike(both) for both in zip(*usable, strict=True)]
    return [Direction(*one) for one in zip(*alike, strict=True)]


def _usable(tensor: Tensor) -> Tensor:
    """The tensor itself, or a copy if its layout is none that the kernels take.

    They take heads that are contiguous and begin at multiples of 16 bytes, rows so near that a
    tile spans 32-bit offsets, and heads whose distance is a 32-bit number.
    """
    token, head, element = tensor.stride()
    if not (
        element == 1
        and token % STRIDE_UNIT == 0
        and head % STRIDE_UNIT == 0
        and 0 <= token * LARGEST_TILE < 2**31
        and 0 <= head < 2**31
    ):
        tensor = tensor.contiguous()
    # Whatever begins elsewhere would make another kernel.
    return tensor.clone() if tensor.data_ptr() % ALIGNMENT else tensor


def _alike(tensors: Sequence[Tensor]) -> Sequence[Tensor]:
    """Tensors of both directions with one set of strides, copied only if they differ."""
    if len(tensors) == 1 or tensors[0].stride() == tensors[1].stride():
        return tensors
    return [tensor.contiguous() for tensor in tensors]


def _like(tensor: Tensor) -> Tensor:
    return torch.empty_like(tensor, memory_format=torch.contiguous_format)


def _strides(tensor: Tensor) -> tuple[int, int]:
    """Token and head stride in the kernels' unit."""
    token, head, _ = tensor.stride()
    return token // STRIDE_UNIT, head // STRIDE_UNIT


def _bias_strides(bias: Tensor | None) -> tuple[int, int, int]:
    return (0, 0, 0) if bias is None else (bias.stride(0), bias.stride(1), bias.stride(2))


def _device(tensor: Tensor) -> AbstractContextManager[object]:
    """Make the tensor's GPU the current one, where Triton launches."""
    if not tensor.is_cuda or tensor.device.index == torch.cuda.current_device():
        return nullcontext()
    return torch.cuda.device(tensor.device)

"""From tensors to kernel launches: what is allocated, which kernel runs, with which numbers.

Imported only where Triton runs.
"""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
import triton
from torch import Tensor

from renaissance.compiler.kernels.availability import architecture, interpreting
from renaissance.compiler.kernels.bias_gradient import bias_gradient_kernel
from renaissance.compiler.kernels.call import Call, Direction
from renaissance.compiler.kernels.configurations import (
    NARROW,
    Configuration,
    Kernel,
    choose,
)
from renaissance.compiler.kernels.dropout import threshold
from renaissance.compiler.kernels.forward import forward_kernel
from renaissance.compiler.kernels.key_gradient import key_gradient_kernel
from renaissance.compiler.kernels.query_gradient import query_gradient_kernel
from renaissance.compiler.kernels.short import short_backward_kernel

LOG2_E = 1.4426950408889634
LARGEST_TILE = 128
STRIDE_UNIT = 8
BIAS_PROGRAMS = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Gradients:
    """Gradients of one direction, each in the shape and dtype of what it belongs to."""

    query: Tensor
    key: Tensor
    value: Tensor


def forward(call: Call) -> tuple[list[Tensor], Tensor]:
    """Run the forward kernel.

    Returns:
        One output per direction, contiguous, in the shape and dtype of its query; and the base-2
        log-sum-exp of the scores, float32 `[heads, rows]`, the second direction's rows last.
    """
    directions = _aligned(call.directions)
    first = directions[0]
    outputs = [_like(direction.query) for direction in directions]
    rows = sum(output.shape[0] for output in outputs)
    log_sum = torch.empty((call.heads, rows), dtype=torch.float32, device=first.query.device)
    if call.sequences == 0 or rows == 0:
        return [output.zero_() for output in outputs], log_sum.fill_(float("inf"))
    narrow = call.pair or call.max_query <= NARROW
    long: Kernel = "narrow_forward" if narrow else "forward"
    configuration = _configuration(call, "short_forward" if call.short else long)
    with _device(first.query):
        tiles, tiles_second = _tiles(call.max_query, call.max_key, configuration.block_m)
        forward_kernel[_grid(call, tiles, tiles_second)](
            *_operands(
                (direction.query, direction.key, direction.value, output)
                for direction, output in zip(directions, outputs, strict=True)
            ),
            tiles,
            tiles_second,
            log_sum,
            call.bias,
            call.seed,
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
            **_constants(call, configuration),
            TAIL_N=configuration.tail,
            WHOLE=call.short,
            BIAS=call.bias is not None,
            PAIR=call.pair,
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
    gradients = [
        Gradients(
            query=_like(direction.query), key=_like(direction.key), value=_like(direction.value)
        )
        for direction in directions
    ]
    delta = torch.empty_like(log_sum)
    if call.sequences == 0:
        for gradient in gradients:
            for tensor in (gradient.query, gradient.key, gradient.value):
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
    configuration = _configuration(call, "short_backward")
    short_backward_kernel[_grid(call, 1, 1)](
        *_operands(
            (
                direction.query,
                direction.key,
                direction.value,
                output,
                grad,
                gradient.query,
                gradient.key,
                gradient.value,
            )
            for direction, output, grad, gradient in parts
        ),
        *shared,
        **_constants(call, configuration),
        BIAS=call.bias is not None,
        PAIR=call.pair,
    )


def _query_gradient(call: Call, parts: list[Part], shared: tuple[Any, ...]) -> None:
    """Delta and the query gradients."""
    configuration = _configuration(call, "query_gradient")
    tiles, tiles_second = _tiles(call.max_query, call.max_key, configuration.block_m)
    query_gradient_kernel[_grid(call, tiles, tiles_second)](
        *_operands(
            (direction.query, direction.key, direction.value, output, grad, gradient.query)
            for direction, output, grad, gradient in parts
        ),
        tiles,
        tiles_second,
        *shared,
        **_constants(call, configuration),
        TAIL_N=configuration.tail,
        BIAS=call.bias is not None,
        PAIR=call.pair,
    )


def _key_gradient(call: Call, parts: list[Part], shared: tuple[Any, ...]) -> None:
    """The key and value gradients; delta has been written."""
    configuration = _configuration(call, "key_gradient")
    tiles, tiles_second = _tiles(call.max_key, call.max_query, configuration.block_n)
    key_gradient_kernel[_grid(call, tiles, tiles_second)](
        *_operands(
            (direction.query, direction.key, direction.value, grad, gradient.key, gradient.value)
            for direction, _, grad, gradient in parts
        ),
        tiles,
        tiles_second,
        *shared,
        **_constants(call, configuration),
        TAIL_M=configuration.tail,
        BIAS=call.bias is not None,
        PAIR=call.pair,
    )


def _bias_gradient(
    call: Call, bias: Tensor, direction: Direction, grad: Tensor, log_sum: Tensor, delta: Tensor
) -> Tensor:
    """The bias gradient, summed over the sequences in two passes; delta has been written."""
    configuration = _configuration(call, "bias_gradient")
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
    bias_gradient_kernel[(programs * chunks,)](
        direction.query,
        direction.key,
        direction.value,
        grad,
        log_sum,
        delta,
        bias,
        partial,
        call.seed,
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
        **_constants(call, configuration),
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
        call.seed,
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


def _operands(directions: Iterable[tuple[Tensor, ...]]) -> list[Tensor | None]:
    """The tensors of the first direction and then of the second, None where there is none."""
    listed = list(directions)
    second = listed[1] if len(listed) == 2 else (None,) * len(listed[0])
    return [*listed[0], *second]


def _configuration(call: Call, kernel: Kernel) -> Configuration:
    query = call.directions[0].query
    return choose(
        "interpreter" if interpreting() else architecture(query.device),
        kernel,
        dtype=query.dtype,
        head_dim=query.shape[2],
        max_query=max(call.max_query, call.max_key) if call.pair else call.max_query,
        max_key=max(call.max_query, call.max_key) if call.pair else call.max_key,
        dropout=call.dropout > 0.0,
        bias=call.bias is not None,
    )


def _constants(call: Call, configuration: Configuration) -> dict[str, Any]:
    """The compile-time arguments that every kernel takes."""
    head_dim = call.directions[0].query.shape[2]
    return {
        "HEAD_DIM": head_dim,
        "BLOCK_D": triton.next_power_of_2(head_dim),
        "CHUNK": configuration.chunk,
        "BLOCK_M": configuration.block_m,
        "BLOCK_N": configuration.block_n,
        "DROPOUT": call.dropout > 0.0,
        **configuration.options,
    }


def _tiles(longest: int, longest_second: int, rows: int) -> tuple[int, int]:
    """Tiles of the longest sequence in each direction; at least one, which finds any lie."""
    return max(1, triton.cdiv(longest, rows)), max(1, triton.cdiv(longest_second, rows))


def _grid(call: Call, tiles: int, tiles_second: int) -> tuple[int]:
    """One program for each tile of each head of each sequence, both directions in one row."""
    return (call.sequences * call.heads * (tiles + (tiles_second if call.pair else 0)),)


def _aligned(directions: tuple[Direction, ...]) -> list[Direction]:
    """Make the strides ones that the kernels take, without a copy where they already are."""
    queries = _alike([_usable(direction.query) for direction in directions])
    keys = _alike([_usable(direction.key) for direction in directions])
    values = _alike([_usable(direction.value) for direction in directions])
    return [
        Direction(query=query, key=key, value=value)
        for query, key, value in zip(queries, keys, values, strict=True)
    ]


def _usable(tensor: Tensor) -> Tensor:
    """The tensor itself, or a copy if its strides are none that the kernels take.

    They take heads that are contiguous and begin at multiples of 16 bytes, rows so near that a
    tile spans 32-bit offsets, and heads whose distance is a 32-bit number.
    """
    token, head, element = tensor.stride()
    aligned = token % STRIDE_UNIT == 0 and head % STRIDE_UNIT == 0
    near = 0 <= token * LARGEST_TILE < 2**31 and 0 <= head < 2**31
    return tensor if element == 1 and aligned and near else tensor.contiguous()


def _alike(tensors: list[Tensor]) -> list[Tensor]:
    """Tensors of both directions with one set of strides, copied only if they differ."""
    if len({tensor.stride() for tensor in tensors}) == 1:
        return tensors
    return [tensor.contiguous() for tensor in tensors]


def _like(tensor: Tensor) -> Tensor:
    return torch.empty(tensor.shape, dtype=tensor.dtype, device=tensor.device)


def _strides(tensor: Tensor) -> tuple[int, int]:
    """Token and head stride in the kernels' unit."""
    return tensor.stride(0) // STRIDE_UNIT, tensor.stride(1) // STRIDE_UNIT


def _bias_strides(bias: Tensor | None) -> tuple[int, int, int]:
    return (0, 0, 0) if bias is None else (bias.stride(0), bias.stride(1), bias.stride(2))


def _device(tensor: Tensor) -> AbstractContextManager[object]:
    """Make the tensor's GPU the current one, where Triton launches."""
    if not tensor.is_cuda or tensor.device.index == torch.cuda.current_device():
        return nullcontext()
    return torch.cuda.device(tensor.device)

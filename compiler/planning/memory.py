"""Bytes on the device that trains, from a traced pass."""

from torch import nn

from renaissance.compiler.planning.job_plan import Memory
from renaissance.compiler.planning.tracing import Trace


def accumulate(model: nn.Module) -> None:
    """Give every parameter that learns a gradient, as after a first micro-batch."""
    for parameter in model.parameters():
        if parameter.requires_grad:
            parameter.grad = parameter.new_empty(parameter.shape)


def forget(model: nn.Module) -> None:
    """Take all gradients away, as after a step."""
    for parameter in model.parameters():
        parameter.grad = None


def memory_of(
    model: nn.Module,
    traced: Trace,
    *,
    averages: int,
    averaged: bool,
    momentum: int,
    inputs: int,
    accumulated: bool,
) -> Memory:
    """Return what a step needs.

    Args:
        model: after the traced pass, with the gradients that it left.
        traced: a pass, with its backward pass.
        averages: that the optimizer keeps of each number that learns, in the type of the weights.
        averaged: an average of what learns is kept in float32.
        momentum: bytes of moving copies and queues.
        inputs: bytes of the images of the batch, which the pass did not count.
        accumulated: gradients of an earlier micro-batch were there before the pass.
    """
    tensors = [*model.parameters(), *model.buffers()]
    parameters = sum(part.numel() * part.element_size() for part in tensors)
    learning = [part for part in model.parameters() if part.requires_grad]
    gradients = sum(
        part.grad.numel() * part.grad.element_size() for part in learning if part.grad is not None
    )
    optimizer = averages * sum(
        part.numel() * part.element_size() for part in learning if part.grad is not None
    )
    average = 4 * averaged * sum(part.numel() for part in learning)
    moving = traced.peak + (gradients if accumulated else 0)
    return Memory(
        parameters=parameters,
        optimizer=optimizer,
        average=average,
        momentum=momentum,
        gradients=gradients,
        inputs=inputs,
        activations=traced.activations,
        temporary=moving - traced.activations,
        peak=parameters + optimizer + average + momentum + inputs + moving,
    )

"""A running average of the weights that learn, which is measured and handed on in their place."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.distributed.tensor import DTensor

from renaissance.runtime.errors import CheckpointError
from renaissance.runtime.training.sharding import split_like


def share_kept(decay: float, step: int) -> float:
    """Return what is left of an average after the step of a number, counted from 0.

    An average of few steps would otherwise be that of the first weights. Source: the `num_updates`
    of TensorFlow's `tf.train.ExponentialMovingAverage`.
    """
    return min(decay, (1 + step) / (10 + step))


class Average:
    """An exponential moving average of what learns, in its type, float32, and split as it is.

    What does not learn yet is its own average, so that one begins where it begins to learn. Buffers
    are those of the last step. Source: Polyak & Juditsky 1992, of the idea.

    Args:
        decay: share of the average that a step leaves, once there were enough of them.
        names: of the parameters that learn now.
    """

    def __init__(self, decay: float, names: Mapping[str, nn.Parameter]) -> None:
        """Begin with the present weights."""
        self._decay = decay
        self._names: dict[str, nn.Parameter] = {}
        self._means: dict[str, Tensor] = {}
        self.extend(names)

    def extend(self, names: Mapping[str, nn.Parameter]) -> None:
        """Add parameters that are not averaged yet."""
        for name, parameter in names.items():
            if name not in self._names:
                self._names[name] = parameter
                self._means[name] = parameter.detach().clone()

    def update(self, step: int) -> None:
        """Take in the weights that the step of a number, counted from 0, has left."""
        self.follow(1 - share_kept(self._decay, step))

    @torch.no_grad()
    def follow(self, share: float) -> None:
        """Take in a share of the present weights."""
        if self._names:
            torch._foreach_lerp_(_here(self._means), _here(self._names), share)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Let the model have the average meanwhile, in the same memory."""
        self._swap()
        try:
            yield
        finally:
            self._swap()

    def state(self) -> dict[str, Tensor]:
        """Return the averages by name of the parameter."""
        return dict(self._means)

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Take up what `state` returned.

        Raises:
            CheckpointError: if it is not of what learns here.
        """
        shapes = {name: mean.shape for name, mean in self._means.items()}
        if shapes != {name: tensor.shape for name, tensor in state.items()}:
            raise CheckpointError("its average of the weights is not of what learns at this step")
        self._means = {
            name: split_like(state[name], parameter) for name, parameter in self._names.items()
        }

    @torch.no_grad()
    def _swap(self) -> None:
        """Swap weights and averages, one after the other, so that little memory is needed."""
        for weight, mean in zip(_here(self._names), _here(self._means), strict=True):
            before = weight.clone()
            weight.copy_(mean)
            mean.copy_(before)


def _here(tensors: Mapping[str, Tensor]) -> list[Tensor]:
    """Return the parts of tensors that this process holds."""
    return [t.to_local() if isinstance(t, DTensor) else t for t in tensors.values()]

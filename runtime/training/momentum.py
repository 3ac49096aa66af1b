"""Moving copies of a model, whose vectors those of the model are compared with.

A copy follows the model and never learns: it has no gradients, stays in evaluation mode, and is no
part of the model. Source: He et al. 2020, Momentum Contrast, equation 2; Li et al. 2021, ALBEF.
"""

from collections.abc import Callable, Iterable, Mapping

import torch
from torch import Tensor, nn

from renaissance.compiler.batch import Batch
from renaissance.compiler.comparing import Exchange, Rows
from renaissance.compiler.moving import copied
from renaissance.compiler.step import Objectives
from renaissance.runtime.precision import Precision
from renaissance.runtime.processes import Processes
from renaissance.runtime.training.average import Average
from renaissance.runtime.training.comparing import exchange_of
from renaissance.runtime.training.key_queue import KeyQueue
from renaissance.runtime.training.sharding import gathered

_COPY, _QUEUE = "copy", "queue"


class Momentum:
    """The copies of a job and what they remember, the same in all processes.

    Args:
        objectives: the model with its losses; some of them compare with a moving copy.
        names: of the parameters that learn now.
        precision: of the forward pass.
        processes: that share a global batch.
    """

    def __init__(
        self,
        objectives: Objectives,
        names: Mapping[str, nn.Parameter],
        precision: Precision,
        processes: Processes,
    ) -> None:
        """Begin with copies of the present weights, and nothing to remember."""
        self._objectives = objectives
        self._precision = precision
        self._device = processes.device
        self._exchange: Exchange = exchange_of(processes)
        self._moving = objectives.moving
        self._copies = {
            head: Average(one.momentum, copied(objectives.model, head, names))
            for head, one in self._moving.items()
        }
        self._queues = {head: KeyQueue(one.queue) for head, one in self._moving.items()}
        self._latest: dict[str, Rows] = {}

    def extend(self, names: Mapping[str, nn.Parameter]) -> None:
        """Copy also what begins to learn."""
        for head, copy in self._copies.items():
            copy.extend(copied(self._objectives.model, head, names))

    def keys(self, batches: Callable[[], Iterable[Batch]]) -> dict[str, Rows]:
        """Return what the rows of a step are compared with, by head; all processes come together.

        Args:
            batches: gives those of this process, on the device, one a pass.

        Returns:
            The copy's vectors of the global batch in its order, and behind them those of the queue.
        """
        self._latest = {head: self._vectors(head, batches()) for head in self._copies}
        return {head: self._queues[head].behind(rows) for head, rows in self._latest.items()}

    def update(self) -> None:
        """Let copies follow the weights that a step has left, and queues take up its vectors."""
        for head, copy in self._copies.items():
            copy.follow(1 - self._moving[head].momentum)
            self._queues[head].add(self._latest.pop(head))

    def state(self) -> dict[str, Tensor]:
        """Return copies and queues, as `head/copy/parameter` and `head/queue/part`."""
        state: dict[str, Tensor] = {}
        for head in self._copies:
            for part, own in ((_COPY, self._copies[head]), (_QUEUE, self._queues[head])):
                state |= {f"{head}/{part}/{name}": tensor for name, tensor in own.state().items()}
        return state

    def load(self, state: Mapping[str, Tensor], *, remember: bool) -> None:
        """Take up what `state` returned.

        Args:
            state: of the step that the training goes on from.
            remember: the data are the same, so that queues mean what they meant.

        Raises:
            CheckpointError: if it is not of what learns here.
        """
        for head, copy in self._copies.items():
            copy.load(_inside(state, f"{head}/{_COPY}/"))
            if remember:
                self._queues[head].load(_inside(state, f"{head}/{_QUEUE}/"), self._device)

    def _vectors(self, head: str, batches: Iterable[Batch]) -> Rows:
        """Return the vectors that a copy makes of the global batch."""
        parts: list[Rows] = []
        with self._copies[head].in_place(), gathered(self._objectives):
            self._objectives.eval()
            try:
                for batch in batches:
                    with torch.no_grad(), self._precision.forward():
                        parts.append(self._objectives(batch, only_vectors=True)[head])
            finally:
                self._objectives.train()
        everything, _ = self._exchange.gathered(Rows.joined(parts))
        return everything.moved()


def _inside(state: Mapping[str, Tensor], root: str) -> dict[str, Tensor]:
    return {name.removeprefix(root): t for name, t in state.items() if name.startswith(root)}

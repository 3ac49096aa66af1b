"""Losses and accuracies over many batches, kept on the device until they are asked for."""

from collections.abc import Mapping

import torch
from torch import Tensor

from renaissance.runtime.processes import Processes
from renaissance.runtime.scoring import Scored

METRICS = {"mlm": "mlm_accuracy", "itm": "itm_accuracy", "answer": "accuracy"}
"""Name of the accuracy of each head."""


class Accuracies:
    """Share of items whose highest score is the true one, for each head.

    Args:
        heads: names of the heads.
        processes: over all of which is counted.
    """

    def __init__(self, heads: tuple[str, ...], processes: Processes) -> None:
        """Start with nothing counted."""
        self._heads = heads
        self._processes = processes
        self._reset()

    def update(self, scored: Mapping[str, Scored]) -> None:
        """Count a batch; waits for no device."""
        for head, of_head in scored.items():
            self._items[head] += len(of_head.labels)
            self._right[head] += (of_head.scores.argmax(-1) == of_head.labels).sum()

    def take(self) -> dict[str, float]:
        """Return the accuracies so far by name, over all processes, and start anew."""
        counts = [*torch.stack([*self._right.values()]).tolist(), *self._items.values()]
        sums = self._processes.sums([float(count) for count in counts])
        right, items = sums[: len(self._heads)], sums[len(self._heads) :]
        self._reset()
        return {
            METRICS[head]: of_head / total
            for head, of_head, total in zip(self._heads, right, items, strict=True)
            if total
        }

    def _reset(self) -> None:
        device = self._processes.device
        self._items = dict.fromkeys(self._heads, 0)
        self._right = {
            head: torch.zeros((), dtype=torch.int64, device=device) for head in self._heads
        }


class StepLosses:
    """Losses of the steps since they were last taken.

    Args:
        heads: names of the losses, in the order of the vectors.
        weights: factor of each in the sum.
        processes: over all of which is summed.
    """

    def __init__(self, heads: tuple[str, ...], weights: Mapping[str, float], processes: Processes):
        """Start with no step."""
        self._heads = heads
        self._weights = torch.tensor([weights[head] for head in heads])
        self._processes = processes
        self._steps: list[int] = []
        self._vectors: list[Tensor] = []

    def add(self, step: int, losses: Tensor) -> None:
        """Keep this process's part of a step's losses `[heads]`, on its device."""
        self._steps.append(step)
        self._vectors.append(losses)

    def __len__(self) -> int:
        """Return the number of steps that wait."""
        return len(self._steps)

    def take(self) -> tuple[float, dict[str, float], int | None]:
        """Return the weighted sum, the losses by name, and the first step that is not finite.

        Losses are means over the steps; the step is None where all are finite.
        """
        losses = torch.stack(self._vectors).cpu().double()  # [steps, heads]
        if self._processes.ranks > 1:
            shape = losses.shape
            sums = self._processes.sums(losses.flatten().tolist())
            losses = torch.tensor(sums, dtype=torch.float64).view(shape)
        finite = losses.isfinite().all(dim=1).tolist()
        broken = next((s for s, fine in zip(self._steps, finite, strict=True) if not fine), None)
        mean = losses.mean(dim=0)
        self._steps, self._vectors = [], []
        total = float(mean @ self._weights.double())
        return total, dict(zip(self._heads, mean.tolist(), strict=True)), broken

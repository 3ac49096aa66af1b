"""Losses and accuracies over many batches, kept on the device until they are asked for."""

import warnings
from collections.abc import Mapping

import torch
from torch import Tensor
from torchmetrics.classification import MulticlassAccuracy

from renaissance.runtime.objectives import Scored
from renaissance.runtime.processes import Processes

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
        # Micro averaging compares numbers of classes, so their count has no effect here.
        self._of = {
            head: MulticlassAccuracy(num_classes=2, average="micro", validate_args=False).to(
                processes.device
            )
            for head in heads
        }
        self._processes = processes
        self._items = dict.fromkeys(heads, 0)

    def update(self, scored: Mapping[str, Scored]) -> None:
        """Count a batch; waits for no device."""
        for head, of_head in scored.items():
            if len(of_head.labels):
                self._items[head] += len(of_head.labels)
                self._of[head].update(of_head.scores.argmax(-1), of_head.labels)

    def take(self) -> dict[str, float]:
        """Return the accuracies so far by name, over all processes, and start anew."""
        taken = {}
        totals = self._processes.sums([float(items) for items in self._items.values()])
        for (head, metric), total in zip(self._of.items(), totals, strict=True):
            if total:
                with warnings.catch_warnings():
                    # A process may have had no item while others had some.
                    warnings.filterwarnings("ignore", "The ``compute`` method")
                    taken[METRICS[head]] = float(metric.compute())
            metric.reset()
            self._items[head] = 0
        return taken


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

"""Losses and accuracies over many batches, kept on the device until they are asked for."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from renaissance.compiler.losses import Scored
from renaissance.runtime.processes import Processes


class Accuracies:
    """Mean credit of items, for each head: mostly the share whose highest score is the true one.

    Args:
        metrics: what it is called, by name of the head.
        processes: over all of which is counted.
        further: names of what else heads may be right about.
    """

    def __init__(
        self, metrics: Mapping[str, str], processes: Processes, further: Sequence[str] = ()
    ) -> None:
        """Start with nothing counted."""
        self._metrics = metrics
        self._names = (*metrics.values(), *further)
        self._processes = processes
        self._reset()

    def update(self, scored: Mapping[str, Scored]) -> None:
        """Count a batch; waits for no device."""
        for head, of_head in scored.items():
            credits = {self._metrics[head]: of_head.credit, **of_head.further}
            for name, credit in credits.items():
                if credit is not None:
                    # Of items without credit nobody knows what is right.
                    sums = [credit.double().nansum(), credit.isfinite().sum()]
                    self._counts[name] += torch.stack(sums)

    def take(self) -> dict[str, float]:
        """Return the means so far by name, over all processes, and start anew."""
        counts = torch.stack([*self._counts.values()])  # [heads, 2]
        sums = self._processes.sums(counts.flatten().tolist())
        self._reset()
        return {
            name: credit / items
            for name, credit, items in zip(self._names, sums[::2], sums[1::2], strict=True)
            if items
        }

    def _reset(self) -> None:
        device = self._processes.device
        self._counts = {
            name: torch.zeros(2, dtype=torch.float64, device=device) for name in self._names
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

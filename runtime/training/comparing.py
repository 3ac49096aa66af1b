"""Comparing the rows of a global batch that several passes or processes make."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

import torch
import torch.distributed as dist
from torch import Tensor

from renaissance.compiler.batch import Batch
from renaissance.compiler.comparing import (
    Compare,
    Compared,
    Exchange,
    Rows,
    compare,
    each_its_own,
)
from renaissance.compiler.losses import Scored, unmeasured
from renaissance.compiler.step import Objectives
from renaissance.runtime.precision import Precision
from renaissance.runtime.processes import Processes


class Comparison:
    """Compares all rows of a step, though each pass of the model sees only some of them.

    Args:
        objectives: the model with its losses.
        processes: that share a global batch.
    """

    def __init__(self, objectives: Objectives, processes: Processes) -> None:
        """Take note of who takes part."""
        self._objectives = objectives
        self._exchange = exchange_of(processes)

    def at_once(self, keys: Mapping[str, Rows]) -> Compare:
        """Return what compares the rows of a process's only pass with those of the others.

        All processes run it together.

        Args:
            keys: what rows are compared with in the place of all rows, by head; where there are.
        """

        def compared(name: str, rows: Rows) -> Scored:
            [found] = self._compared(name, [rows.detached()], keys.get(name))
            return found.carried_by(rows, self._objectives.model.heads[name])

        return compared

    def beforehand(
        self,
        batches: Iterable[Batch],
        precision: Precision,
        seed: Callable[[int], None],
        keys: Mapping[str, Rows] = MappingProxyType({}),
    ) -> list[Compare]:
        """Make all passes once without gradients, and return what each needs the second time.

        Args:
            batches: of this process, on the device, one a pass.
            precision: of the forward pass.
            seed: sets the random state with which a pass of some number begins, both times.
            keys: what rows are compared with in the place of all rows, by head; where there are.
        """
        passes: list[dict[str, Rows]] = []
        for number, batch in enumerate(batches):
            seed(number)
            with torch.no_grad(), precision.forward():
                passes.append(self._objectives(batch, only_vectors=True))
        found = {
            name: self._compared(name, [one[name] for one in passes], keys.get(name))
            for name in passes[0]
        }
        heads = dict(self._objectives.model.heads.items())
        return [
            each_its_own({name: parts[number] for name, parts in found.items()}, heads)
            for number in range(len(passes))
        ]

    def _compared(self, name: str, parts: Sequence[Rows], keys: Rows | None) -> list[Compared]:
        def loss(own: Rows, everything: Rows, first: int) -> Scored:
            return self._objectives.compared(name, own, everything, first)

        return compare(loss, self._objectives.model.heads[name], parts, self._exchange, keys)


class Collected:
    """Collects the rows of passes outside of training, until they can be compared.

    Args:
        objectives: the model with its losses, as it is evaluated.
    """

    def __init__(self, objectives: Objectives) -> None:
        """Start with no rows."""
        self._objectives = objectives
        self._parts: dict[str, list[Rows]] = {}

    def __call__(self, name: str, rows: Rows) -> Scored:
        """Take up the rows of a pass; nothing is said about them yet."""
        self._parts.setdefault(name, []).append(rows)
        return unmeasured(rows.text)

    def take(self) -> dict[str, Scored]:
        """Return what is said of all rows since this was last asked, by name of the head."""
        found = {}
        for name, parts in self._parts.items():
            rows = Rows.joined(parts)
            found[name] = self._objectives.compared(name, rows, rows, 0)
        self._parts = {}
        return found


class Gathering(Exchange):
    """Brings the rows of all processes together, by rank.

    Args:
        processes: that come here together.
    """

    def __init__(self, processes: Processes) -> None:
        """Take note of them."""
        self._processes = processes

    def gathered(self, rows: Rows) -> tuple[Rows, int]:
        """Return the rows of all processes, and the place of the first of this one's."""
        counts = self._processes.of_all((rows.rows, len(rows.truth.pairs)))
        of_rows, of_pairs = ([count[place] for count in counts] for place in (0, 1))
        truth = rows.truth
        everything = Rows(
            text=_gathered(rows.text, of_rows),
            image=_gathered(rows.image, of_rows),
            truth=replace(
                truth,
                text=_gathered(truth.text, of_rows),
                image=_gathered(truth.image, of_rows),
                pairs=_gathered(truth.pairs, of_pairs),
            ),
        )
        return everything, sum(of_rows[: self._processes.rank])

    def summed(self, gradient: Tensor) -> Tensor:
        """Add up what processes say of the rows of all of them."""
        dist.all_reduce(gradient)
        return gradient


def exchange_of(processes: Processes) -> Exchange:
    """Return what brings the rows of all processes together."""
    return Exchange() if processes.ranks == 1 else Gathering(processes)


def _gathered(part: Tensor, counts: Sequence[int]) -> Tensor:
    """Return the rows `[n, ...]` of all processes, each of which has as many as `counts` says."""
    most = max(counts)
    padded = part.new_zeros((most, *part.shape[1:]))
    padded[: len(part)] = part
    parts = [torch.empty_like(padded) for _ in counts]
    dist.all_gather(parts, padded)
    return torch.cat([each[:count] for each, count in zip(parts, counts, strict=True)])

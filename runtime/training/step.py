"""One training step: micro-batches forward and backward, clipping, update."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributed.fsdp import FSDPModule
from torch.nn.parallel import DistributedDataParallel

from renaissance.compiler.batch import Batch
from renaissance.compiler.comparing import Compare, Rows
from renaissance.compiler.losses import Scored
from renaissance.compiler.step import Objectives
from renaissance.runtime.data.moving import Mover, moved_with_following
from renaissance.runtime.precision import Precision
from renaissance.runtime.processes import Processes
from renaissance.runtime.training.average import Average
from renaissance.runtime.training.comparing import Comparison
from renaissance.runtime.training.measures import Accuracies
from renaissance.runtime.training.momentum import Momentum
from renaissance.runtime.training.optimization import Optimization
from renaissance.runtime.training.sharding import gathered, share_gradients


@dataclass(frozen=True, slots=True, kw_only=True)
class Stepped:
    """What a step leaves.

    Attributes:
        losses: `[heads]` float32 on the device: this process's part of the losses of the global
            batch; the parts of all processes add up to them.
        texts: texts of the global batch.
        stop: whether any process was asked to stop.
        report: whether any process wants a line in the log.
        save: whether any process wants a checkpoint.
    """

    losses: Tensor
    texts: int
    stop: bool
    report: bool
    save: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _OfAll:
    """What all processes bring to a step and ask for.

    Attributes:
        items: that each loss is a mean over, by head.
        texts: of the global batch.
        passes: forward and backward.
        stop: whether any process was asked to stop.
        report: whether any process wants a line in the log.
        save: whether any process wants a checkpoint.
    """

    items: Mapping[str, float]
    texts: int
    passes: int
    stop: bool
    report: bool
    save: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Passes:
    """What the passes of a step need where rows of all of them are compared.

    Attributes:
        compare: of each pass; none where a pass compares its own rows, or none at all.
        begin: sets the random state of a pass of some number, where that matters.
    """

    compare: tuple[Compare, ...] = ()
    begin: Callable[[int], None] = lambda number: None


class TrainingStep:
    """The step of a job.

    A loss is a mean over the items of the global batch: sums over micro-batches and processes,
    divided by the number of items in all of them. A loss without items is 0.

    Args:
        objectives: the model with its losses.
        optimization: what updates the weights.
        precision: of forward and backward.
        weights: factor of each loss in the sum.
        clip: largest norm of the gradient; None for no clipping.
        seed: of dropout.
        processes: that share a global batch.
        accuracies: are told every batch.
        average: of the weights, which takes in every step; None for none.
        momentum: moving copies that rows are compared with; None for none.

    Attributes:
        norm: of the gradient of the last step before clipping, on the device; None where it was
            neither clipped nor reported.
    """

    def __init__(
        self,
        *,
        objectives: Objectives,
        optimization: Optimization,
        precision: Precision,
        weights: Mapping[str, float],
        clip: float | None,
        seed: int,
        processes: Processes,
        accuracies: Accuracies,
        average: Average | None = None,
        momentum: Momentum | None = None,
    ) -> None:
        """Keep the parts; the model is shared among the processes at the first step."""
        self._objectives = objectives
        self._optimization = optimization
        self._precision = precision
        self._weights = weights
        self._clip = clip
        self._seed = seed
        self._processes = processes
        self._accuracies = accuracies
        self._average = average
        self._momentum = momentum
        self._comparison = Comparison(objectives, processes)
        self._wrapped: nn.Module | None = None
        self.norm: Tensor | None = None
        self._mover = Mover(processes.device)

    @property
    def looks_ahead(self) -> bool:
        """Whether a step gains from knowing what follows it."""
        return self._mover.ahead

    def regroup(self) -> None:
        """Take note that other parameters learn than before."""
        self._wrapped = None

    def __call__(
        self,
        batches: Sequence[Batch],
        *,
        step: int,
        rate: float,
        stop: bool = False,
        report: bool = False,
        save: bool = False,
        following: Batch | None = None,
    ) -> Stepped:
        """Do one step.

        Args:
            batches: this process's micro-batches.
            step: its number, counted from 0.
            rate: learning rate before factors by address.
            stop: this process was asked to stop; all of them learn it with the counts.
            report: this process wants a line in the log; likewise.
            save: this process wants a checkpoint; likewise.
            following: the first batch of the next step, which may come to the device meanwhile.
        """
        of_all = self._sum_up(batches, stop=stop, report=report, save=save)
        torch.manual_seed(seed_of_step(self._seed, step, self._processes.rank))
        if self._wrapped is None:
            self._wrapped = self._wrap(self._mover(batches[0]))
        several = of_all.passes > self._processes.ranks
        keys = self._keys(batches)
        with gathered(self._objectives) if several else nullcontext():
            passes = self._passes(batches, step, keys, several=several)
            losses = self._learn(self._wrapped, batches, following, of_all.items, passes)
        self._update(rate, measure=of_all.report)
        if self._average is not None:
            self._average.update(step)
        if self._momentum is not None:
            self._momentum.update()
        return Stepped(
            losses=losses,
            texts=of_all.texts,
            stop=of_all.stop,
            report=of_all.report,
            save=of_all.save,
        )

    def _sum_up(
        self, batches: Sequence[Batch], *, stop: bool, report: bool, save: bool
    ) -> "_OfAll":
        """Count over all processes what this one brings and asks for."""
        items = dict.fromkeys(self._weights, 0)
        for batch in batches:
            for head, of_head in batch.items.items():
                items[head] += of_head.known
        texts = sum(batch.rows for batch in batches)
        *sums, all_texts, passes, stops, reports, saves = self._processes.sums(
            [*items.values(), texts, len(batches), float(stop), float(report), float(save)]
        )
        return _OfAll(
            items=dict(zip(items, sums, strict=True)),
            texts=round(all_texts),
            passes=round(passes),
            stop=stops > 0,
            report=reports > 0,
            save=saves > 0,
        )

    def _keys(self, batches: Sequence[Batch]) -> dict[str, Rows]:
        """Return what moving copies make of the global batch and have made before, by head."""
        if self._momentum is None:
            return {}
        return self._momentum.keys(lambda: moved_with_following(self._mover, batches, batches[0]))

    def _passes(
        self, batches: Sequence[Batch], step: int, keys: Mapping[str, Rows], *, several: bool
    ) -> "_Passes":
        """Return how the passes of this process begin, and compare their rows with all rows.

        Where there are several, the rows are looked at beforehand, with the same random numbers.
        """
        alone = self._processes.ranks == len(batches) == 1 and not keys
        if not self._objectives.compares or alone:
            return _Passes()
        if not several:
            return _Passes(compare=(self._comparison.at_once(keys),))
        first = seed_of_step(self._seed, step, self._processes.rank)

        def begin(number: int) -> None:
            torch.manual_seed(seed_of_step(first, number, 0))

        moved = moved_with_following(self._mover, batches, batches[0])
        compare = self._comparison.beforehand(moved, self._precision, begin, keys)
        return _Passes(compare=tuple(compare), begin=begin)

    def _learn(
        self,
        wrapped: nn.Module,
        batches: Sequence[Batch],
        following: Batch | None,
        items: Mapping[str, float],
        passes: "_Passes",
    ) -> Tensor:
        """Add up the gradients of all passes; return this process's part of the losses `[heads]`.

        Args:
            wrapped: the model with its losses, as processes share it.
            batches: this process's micro-batches, one a pass.
            following: the first batch of the next step.
            items: of the global batch, by head.
            passes: how they begin and compare.
        """
        losses: list[Tensor] = []
        # One batch is on the device, and the next one on its way.
        on_device = moved_with_following(self._mover, batches, following)
        for number, moved in enumerate(on_device):
            last = number == len(batches) - 1
            share_gradients(self._objectives, last)
            passes.begin(number)
            with self._gradients_stay_here(not last):
                with self._precision.forward():
                    scored = wrapped(moved, *passes.compare[number : number + 1])
                self._precision.backward(self._loss(scored, items))
            self._accuracies.update(scored)
            losses.append(
                torch.stack([scored[h].loss.detach() / max(items[h], 1) for h in self._weights])
            )
        return losses[0] if len(losses) == 1 else torch.stack(losses).sum(dim=0)

    def _update(self, rate: float, *, measure: bool) -> None:
        """Let the weights follow their gradients, and forget these.

        Without clipping the norm of the gradient costs a pass over it: only lines of the log ask.
        """
        optimization = self._optimization
        optimization.set_rate(rate)
        if optimization.torch is not None:
            self.norm = self._precision.step(
                optimization.torch, optimization.parameters, self._clip, measure=measure
            )
            for head in self._objectives.model.heads.values():
                getattr(head, "stay_in_bounds", _free)()
        optimization.clear()

    def _loss(self, scored: Mapping[str, Scored], items: Mapping[str, float]) -> Tensor:
        # Gradients are averaged over the processes, where the sum is wanted.
        scale = self._processes.ranks
        parts = [
            of_head.loss * (self._weights[head] * scale / max(items[head], 1))
            for head, of_head in scored.items()
        ]
        return torch.stack(parts).sum() if len(parts) > 1 else parts[0]

    def _gradients_stay_here(self, yes: bool) -> AbstractContextManager[Any]:
        if yes and isinstance(self._wrapped, DistributedDataParallel):
            return self._wrapped.no_sync()
        return nullcontext()

    def _wrap(self, batch: Batch) -> nn.Module:
        """Let the processes share gradients of exactly the parameters that losses reach."""
        if self._processes.ranks == 1 or isinstance(self._objectives, FSDPModule):
            return self._objectives
        with self._precision.forward():
            reached = _reached(self._objectives, batch)
        ignored = [
            name
            for name, parameter in self._objectives.named_parameters()
            if id(parameter) not in reached
        ]
        DistributedDataParallel._set_params_and_buffers_to_ignore_for_model(  # type: ignore[no-untyped-call]
            self._objectives, ignored
        )
        return DistributedDataParallel(self._objectives, gradient_as_bucket_view=True)


def _free() -> None:
    """Do nothing for a head whose weights have no bounds."""


def _reached(objectives: Objectives, batch: Batch) -> set[int]:
    """Return the identities of the parameters that gradients of a batch's losses come to."""
    objectives.eval()
    with torch.enable_grad():
        losses = [scored.loss for scored in objectives(batch).values()]
    objectives.train()
    reached: set[int] = set()
    seen: set[object] = set()
    waiting = [loss.grad_fn for loss in losses]
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        variable = getattr(node, "variable", None)
        if variable is not None:
            reached.add(id(variable))
        waiting.extend(following for following, _ in node.next_functions)
    return reached


def seed_of_step(seed: int, step: int, rank: int) -> int:
    """Return the seed of a step's dropout, a different one for each step and process.

    Source: Steele et al. 2014, SplitMix64, whose mixing function is used here.
    """
    mask = (1 << 64) - 1
    mixed = (seed * 0x9E3779B97F4A7C15 + (step << 16) + rank + 1) & mask
    mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & mask
    mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & mask
    return (mixed ^ (mixed >> 31)) >> 1

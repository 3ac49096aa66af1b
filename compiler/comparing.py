"""Comparing all rows of a global batch, though passes and processes see only parts of it.

The vectors of all rows are collected first, without what autograd keeps of them. The loss over all
of them gives a gradient of each vector, and each pass takes its own part of it backward: the
numbers are those of one large batch. Source: Gao et al. 2021, Scaling Deep Contrastive Learning
Batch Size under Memory Limited Setup (gradient cache).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from renaissance.compiler.batch import Movable, Truth
from renaissance.compiler.losses import Scored


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows(Movable):
    """Texts and their images, as one vector each.

    Attributes:
        text: `[rows, width]`.
        image: `[rows, width]`, likewise.
        truth: which text is known to be true of which image.
        moving: a moving copy of the model made the vectors.
    """

    text: Tensor
    image: Tensor
    truth: Truth
    moving: bool = False

    @property
    def rows(self) -> int:
        """How many there are."""
        return len(self.text)

    def detached(self) -> "Rows":
        """Return the same vectors without what they were computed from."""
        return replace(self, text=self.text.detach(), image=self.image.detach())

    def moved(self) -> "Rows":
        """Return the same vectors as those of a moving copy."""
        return replace(self, moving=True)

    def part(self, first: int, rows: int) -> "Rows":
        """Return the vectors of consecutive rows."""
        return replace(
            self,
            text=self.text.narrow(0, first, rows),
            image=self.image.narrow(0, first, rows),
            truth=self.truth.part(first, rows),
        )

    @staticmethod
    def joined(parts: Sequence["Rows"]) -> "Rows":
        """Return the rows of all parts, one part behind the other."""
        if len(parts) == 1:
            return parts[0]
        return replace(
            parts[0],
            text=torch.cat([part.text for part in parts]),
            image=torch.cat([part.image for part in parts]),
            truth=Truth.joined([part.truth for part in parts]),
        )


Loss = Callable[[Rows, Rows, int], Scored]
"""Compares some rows with all rows, among which they stand from a place on. Where all rows are
vectors of a moving copy, those of earlier steps may stand behind them."""

Compare = Callable[[str, Rows], Scored]
"""Compares the rows of a pass, for the head of a name, with all rows of the global batch; what it
returns has the gradients that go back through this pass."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """What the comparison of all rows says about those of one pass.

    Attributes:
        scored: of these rows.
        text: `[rows, width]`, the gradient of the loss of *all* rows with respect to their texts.
        image: `[rows, width]`, likewise of their images.
        parameters: gradients of the loss of these rows with respect to parameters of the head; None
            for one that it does not depend on.
    """

    scored: Scored
    text: Tensor
    image: Tensor
    parameters: tuple[Tensor | None, ...]

    def carried_by(self, rows: Rows, head: nn.Module) -> Scored:
        """Return what is known of the rows, with a loss that sends the gradients back.

        Args:
            rows: computed once more, or for the first time, with what autograd keeps.
            head: whose parameters have the gradients.
        """
        tensors = [rows.text, rows.image]
        gradients = [self.text, self.image]
        for parameter, gradient in zip(learning(head), self.parameters, strict=True):
            if gradient is not None:
                tensors.append(parameter)
                gradients.append(gradient)
        loss = _Carried.apply(self.scored.loss, tuple(gradients), *tensors)
        return replace(self.scored, loss=loss)


class Exchange:
    """Brings the rows of all processes together; here there is only one."""

    def gathered(self, rows: Rows) -> tuple[Rows, int]:
        """Return the rows of all processes, and the place of the first of these."""
        return rows, 0

    def summed(self, gradient: Tensor) -> Tensor:
        """Add up what processes say of the rows of all of them."""
        return gradient


def compare(
    loss: Loss,
    head: nn.Module,
    parts: Sequence[Rows],
    exchange: Exchange,
    keys: Rows | None = None,
) -> list[Compared]:
    """Compare the rows of all passes and processes.

    Args:
        loss: of some rows among all.
        head: that it uses.
        parts: the rows of each pass of this process, on the device, without their graphs.
        exchange: with the other processes, which come here together.
        keys: what a moving copy makes of all rows in their order, and maybe more behind them, to
            compare with in the place of all rows; no gradients go there.

    Returns:
        What it says about each part. One part at a time is compared with all rows.
    """
    gathered, first = exchange.gathered(Rows.joined(parts))
    vectors = [part.detach().requires_grad_() for part in (gathered.text, gathered.image)]
    text, image = vectors
    parameters = learning(head)
    sums = [torch.zeros_like(part) for part in vectors]
    scored: list[Scored] = []
    of_parameters: list[tuple[Tensor | None, ...]] = []
    with torch.enable_grad():
        # Views: hooks of modules, as those that count operations, take no leaves inside of `grad`.
        everything = replace(gathered, text=text.view_as(text), image=image.view_as(image))
        among = everything if keys is None else keys
        place = first
        for part in parts:
            said = loss(everything.part(place, part.rows), among, place)
            place += part.rows
            found = torch.autograd.grad(said.loss, [*vectors, *parameters], allow_unused=True)
            for total, gradient in zip(sums, found, strict=False):
                if gradient is not None:
                    total += gradient
            scored.append(replace(said, loss=said.loss.detach()))
            of_parameters.append(found[2:])
    sums = [exchange.summed(total) for total in sums]
    rows = [part.rows for part in parts]
    own = [torch.split(total.narrow(0, first, sum(rows)), rows) for total in sums]
    return [
        Compared(scored=said, text=text, image=image, parameters=gradients)
        for said, text, image, gradients in zip(scored, *own, of_parameters, strict=True)
    ]


def learning(head: nn.Module) -> list[nn.Parameter]:
    """Return the parameters of a head that take gradients."""
    return [parameter for parameter in head.parameters() if parameter.requires_grad]


def each_its_own(found: Mapping[str, Compared], heads: Mapping[str, nn.Module]) -> Compare:
    """Return what takes the gradients of a comparison that has been made back through a pass."""
    return lambda name, rows: found[name].carried_by(rows, heads[name])


class _Carried(torch.autograd.Function):
    """A number with gradients that are known already."""

    @staticmethod
    def forward(ctx: Any, value: Tensor, gradients: tuple[Tensor, ...], *tensors: Tensor) -> Tensor:
        ctx.save_for_backward(*gradients)
        ctx.types = tuple(tensor.dtype for tensor in tensors)
        return value.clone()

    @staticmethod
    def backward(ctx: Any, factor: Tensor) -> tuple[Tensor | None, ...]:
        gradients = zip(ctx.saved_tensors, ctx.types, strict=True)
        return (None, None, *((factor * gradient).to(kind) for gradient, kind in gradients))

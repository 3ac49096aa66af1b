"""What goes into a model while it trains, seen at the boundary that versions share.

That is: what the towers in `streams` take, the rows that `fusion` joins, and the labels that a
cross entropy is given. Rows before the fusion are known again by their bits, which are copies of
what a tower returned. Sets, since versions may put a batch in another order or pass an input once
that another passes twice.
"""

import gc
import hashlib
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

PARTS = frozenset({"streams", "fusion", "heads"})
UNKNOWN = "unknown"


class Boundary:
    """Notes what goes into the one model in memory.

    Attributes:
        steps: for each step, what went in: sorted digests of `images`, `texts` and `pairs`, and
            sorted `labels of` each number of classes.
    """

    def __init__(self) -> None:
        self.steps: list[dict[str, list[Any]]] = []
        self._rows: dict[str, str] = {}
        self._noted: dict[str, list[Any]] = defaultdict(list)
        self._cross_entropy = F.cross_entropy

    def watch(self) -> None:
        """Begin to look at the model that has been built."""
        (model,) = [
            thing
            for thing in gc.get_objects()
            if issubclass(type(thing), nn.Module)
            and set(thing._modules) >= PARTS
            and not any(parameter.is_meta for parameter in thing.parameters())
        ]
        for name, tower in model.streams.items():
            tower.forward = self._encoding(name, tower.forward)
        for name in ("forward", "read"):
            if hasattr(model.fusion, name):
                setattr(model.fusion, name, self._joining(getattr(model.fusion, name)))
        F.cross_entropy = self._labelled

    def step(self) -> None:
        """Note that a step is over."""
        noted = self._noted
        step: dict[str, list[Any]] = {
            name: sorted(set(noted[name])) for name in ("images", "texts", "pairs")
        }
        step |= {name: sorted(noted[name]) for name in noted if name.startswith("labels")}
        self.steps.append(step)
        self._noted = defaultdict(list)
        self._rows = {}

    def close(self) -> None:
        """Look no more."""
        F.cross_entropy = self._cross_entropy

    def _encoding(self, stream: str, forward: Callable[..., Any]) -> Callable[..., Any]:
        def encode(inputs: Any, *others: Any, **named: Any) -> Any:
            features = forward(inputs, *others, **named)
            if isinstance(inputs, Tensor):
                given = [f"image {digest(image)}" for image in inputs]
                self._noted["images"] += given
            else:
                given = [f"text {digest(row)}" for row in rows(inputs.input_ids, inputs)]
                self._noted["texts"] += given
            found = [digest(row) for row in rows(features.tokens, features)]
            for row, known in zip(found, given, strict=True):
                self._rows[row] = known
            return features

        return encode

    def _joining(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def join(features: Mapping[str, Any], *others: Any, **named: Any) -> Any:
            sides = [
                [self._rows.get(digest(row), UNKNOWN) for row in rows(stream.tokens, stream)]
                for stream in features.values()
            ]
            self._noted["pairs"] += [", ".join(pair) for pair in zip(*sides, strict=True)]
            return method(features, *others, **named)

        return join

    def _labelled(self, scores: Tensor, labels: Tensor, *others: Any, **named: Any) -> Tensor:
        self._noted[f"labels of {scores.shape[-1]}"] += labels[labels >= 0].tolist()
        return self._cross_entropy(scores, labels, *others, **named)


def rows(tokens: Tensor, of: Any) -> list[Tensor]:
    """Return the rows of a stream without their padding.

    Args:
        tokens: `[rows, n, …]`, or packed `[tokens, …]`.
        of: what says how they are packed or masked.
    """
    packing = getattr(of, "packing", None)
    if packing is not None:
        return list(torch.split(tokens, packing.cumulative.diff().tolist()))
    mask = getattr(of, "mask", getattr(of, "attention_mask", None))
    if mask is None:
        return list(tokens)
    return [row[kept.bool()] for row, kept in zip(tokens, mask, strict=True)]


def digest(tensor: Tensor) -> str:
    """Return a short digest of the bits of a tensor."""
    values = tensor.detach().contiguous().cpu().numpy()
    return hashlib.blake2b(values.tobytes(), digest_size=6).hexdigest()

"""Asking a model for classes that it never learned: which of some texts goes with an image?

Source: Radford et al. 2021, CLIP, section 3.1: the vectors of the prompts of a class are averaged,
and the average brought to length 1.
"""

from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from renaissance.compiler.batch import Batch
from renaissance.compiler.losses import Scored, cross_entropy, unmeasured
from renaissance.compiler.matching import Matching
from renaissance.compiler.model.features import Features
from renaissance.compiler.step import Objectives
from renaissance.grammar.kinds.data import TaskBlock
from renaissance.grammar.kinds.registry import optional_facet
from renaissance.grammar.names import listing
from renaissance.runtime.data import DataError, JobData
from renaissance.runtime.tasks.prompts import Prompted

TEXTS_AT_ONCE = 256
"""Texts that are encoded at once, at most."""


def scoring(
    task: TaskBlock, objectives: Objectives, data: JobData, split: str, device: torch.device
) -> Callable[[Batch], Scored]:
    """Return what scores the images of a batch with the texts that stand for each class.

    Where the pretraining compares vectors, they are compared; where a head scores joined pairs,
    each image is joined with each text, and the log odds of the prompts of a class are averaged.

    Args:
        task: that has prompts.
        objectives: the model with what it was pretrained for.
        data: of the task.
        split: that is measured.
        device: of the model.

    Raises:
        DataError: if rows say more than an image does.
    """
    assert isinstance(task, Prompted)  # as checked
    part = data.part(split)
    if any(text for text in part.texts):
        raise DataError(
            f"rows of `{split}` have texts beside their images, which classes in words do not "
            "know of: learn the task, or leave the texts out"
        )
    classes = Classes(task.asked(data.answers), objectives, data, device)
    loss = optional_facet(task, "loss")
    head = task.head_name()

    def score(batch: Batch) -> Scored:
        items = batch.items[head]
        scores = classes.scores(objectives.encode_images(batch.images).select(items.image))
        if items.target is None:
            return unmeasured(scores)
        if loss is None:
            return cross_entropy(scores, items.target)
        scored: Scored = loss.loss(task, scores, items)
        return scored

    return score


class Classes:
    """Texts that stand for classes, encoded once.

    Args:
        prompts: texts of each class, equally many.
        objectives: the model with what it was pretrained for.
        data: has the tokenizer.
        device: of the model.
    """

    def __init__(
        self, prompts: list[list[str]], objectives: Objectives, data: JobData, device: torch.device
    ) -> None:
        self._matching = Matching(objectives)
        texts = [text for of_class in prompts for text in of_class]
        self._shape = (len(prompts), len(prompts[0]))
        encoded = [
            objectives.encode_texts(data.texts(texts[start : start + TEXTS_AT_ONCE]).to(device))
            for start in range(0, len(texts), TEXTS_AT_ONCE)
        ]
        if self._matching.compares:
            vectors = [self._matching.vectors("text", some) for some in encoded]
            self._vectors = _averaged(torch.cat(vectors).view(*self._shape, -1))
        else:
            self._texts = [some.packed() for some in encoded]

    def scores(self, images: Features) -> Tensor:
        """Return `[images, classes]` float32."""
        if self._matching.compares:
            vectors = self._matching.vectors("vision", images)
            return self._matching.compared(vectors, self._vectors)
        found = [self._with_each(images, image) for image in range(images.rows)]
        return torch.stack(found).view(images.rows, *self._shape).mean(-1)

    def _with_each(self, images: Features, image: int) -> Tensor:
        """Return the log odds of one image with every text, `[texts]`."""
        found = []
        for text in self._texts:
            index = torch.full((text.rows,), image, device=images.tokens.device)
            found.append(self._matching.joined(text, images.select(index)))
        return torch.cat(found)


def _averaged(vectors: Tensor) -> Tensor:
    """Return `[classes, width]` of length 1 for vectors `[classes, prompts, width]` of length 1."""
    return F.normalize(vectors.mean(1), dim=-1)


def sentences(task: TaskBlock, objectives: Objectives, data: JobData) -> Iterator[str]:
    """Say what is compared with what, and which classes nothing can tell apart."""
    assert isinstance(task, Prompted)
    classes, prompts = len(data.answers), np.size(task.prompts)
    how = (
        "by the product of their vectors"
        if Matching(objectives).compares
        else "each joined with it, by the head that says whether they belong together"
    )
    yield (
        f"nothing of `{task.word()}` was learned: an image is given the class whose texts go best "
        f"with it ({classes} classes, {prompts} each), {how}"
    )
    alike: dict[tuple[bytes, ...], list[str]] = {}
    for name, texts in zip(data.answers, task.asked(data.answers), strict=True):
        alike.setdefault(data.spelled(texts), []).append(name)
    for names in alike.values():
        if len(names) > 1:
            yield f"to the tokenizer the texts of {listing(names, between=' and ')} are the same"

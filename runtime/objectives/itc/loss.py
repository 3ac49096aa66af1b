"""How wrong `itc` is about which text and which image belong together."""

import torch
from torch import Tensor
from torch.nn import functional as F

from renaissance.compiler.comparing import Rows
from renaissance.compiler.losses import Scored
from renaissance.runtime.objectives.itc.head import ContrastHead
from renaissance.runtime.objectives.itc.schema import Itc


def loss(block: Itc, head: ContrastHead, own: Rows, everything: Rows, first: int) -> Scored:
    """Compare rows with all rows of the global batch; sums over all rows are the loss of these.

    Args:
        block: the objective.
        head: gives logits.
        own: `n` of the rows.
        everything: all rows, `[k]`, those `n` from place `first` on, or what a moving copy makes of
            them, with rows of earlier steps behind.
        first: this place.

    Returns:
        The sum over the `n` rows: of the mean of both directions, or of the sigmoid losses of each
        text with all images. Credit is the mean of both directions.
    """
    place = torch.arange(own.rows, device=own.text.device) + first  # [n] of the own pair
    images = head(own.text, everything.image)  # [n, k]
    if block.loss == "sigmoid":
        with torch.no_grad():
            texts = head(own.image, everything.text)  # [n, k]
    else:
        texts = head(own.image, everything.text)  # [n, k]
    others_images = _other_truths(own.truth.of_images(everything.truth), place)
    others_texts = _other_truths(own.truth.of_texts(everything.truth), place)
    found = (
        _credit(images, others_images, place),
        _credit(texts, others_texts, place),
    )
    if block.loss == "sigmoid":
        total = _sigmoid(images, others_images, place)
    else:
        wanted = _wanted(block, head, everything, first, (others_images, others_texts))
        total = (
            _softmax(images, others_images, place, block.soft_targets, wanted[0])
            + _softmax(texts, others_texts, place, block.soft_targets, wanted[1])
        ) / 2
    return Scored(
        loss=total,
        scores=images.detach().gather(1, place[:, None]),  # of the own pair
        target=None,
        credit=(found[0] + found[1]) / 2,
        further=dict(zip(block.further_metrics, found, strict=True)),
    )


def _other_truths(true: Tensor, place: Tensor) -> Tensor:
    """Return where `[n, k]` there is a true pair that is not the row's own."""
    return true.scatter(1, place[:, None], False)


@torch.no_grad()
def _wanted(
    block: Itc,
    head: ContrastHead,
    everything: Rows,
    first: int,
    left_out: tuple[Tensor, Tensor],
) -> tuple[Tensor | None, Tensor | None]:
    """Return what the moving copy says of images and of texts, `[n, k]` shares each.

    Source: Li et al. 2021, ALBEF, equation 6.
    """
    if not (block.soft_targets and everything.moving):
        return None, None
    own = everything.part(first, len(left_out[0]))
    said = head(own.text, everything.image), head(own.image, everything.text)
    images, texts = (
        logits.masked_fill(others, -torch.inf).softmax(1)
        for logits, others in zip(said, left_out, strict=True)
    )
    return images, texts


def _softmax(
    logits: Tensor, left_out: Tensor, place: Tensor, share: float, wanted: Tensor | None
) -> Tensor:
    """Sum cross entropies with the own pair, and a share of them with `[n, k]` that is wanted."""
    logits = logits.masked_fill(left_out, -torch.inf)
    hard = F.cross_entropy(logits, place, reduction="sum")
    if wanted is None:
        return hard
    soft = -(wanted * logits.log_softmax(1).masked_fill(left_out, 0.0)).sum()
    return (1 - share) * hard + share * soft


def _sigmoid(logits: Tensor, left_out: Tensor, place: Tensor) -> Tensor:
    """Sum -log sigmoid(z · logit) over all pairs, z = 1 for the own one and -1 for others."""
    sign = torch.full_like(logits, -1.0).scatter(1, place[:, None], 1.0)
    return -F.logsigmoid(sign * logits).masked_fill(left_out, 0.0).sum()


def _credit(logits: Tensor, left_out: Tensor, place: Tensor) -> Tensor:
    """Return `[n]` float32, 1 where the own pair has the highest logit of those that count."""
    best = logits.detach().masked_fill(left_out, -torch.inf).argmax(1)
    return (best == place).float()

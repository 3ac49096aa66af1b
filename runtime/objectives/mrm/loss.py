"""How wrong `mrm` is about hidden regions."""

from torch import Tensor
from torch.nn import functional as F

from renaissance.compiler.batch import Items
from renaissance.compiler.losses import Scored
from renaissance.runtime.objectives.mrm.schema import Mrm

LEAST = 1e-12
"""What the squared length of features is taken for at least."""


def loss(block: Mrm, scores: Tensor, items: Items) -> Scored:
    """Compare what is predicted of regions with what the detector made of them.

    The credit of a region is the share of the squared length of its features that is predicted: 1
    where all is right, 0 where zeros are said. Cross entropy with the detector's probabilities has
    the gradients of the Kullback-Leibler divergence; where one class is certain by a share, it is
    its cross entropy times that share.

    Args:
        block: the objective.
        scores: `[items, channels + classes]`.
        items: with a target of that shape.
    """
    assert items.target is not None  # it is known what was hidden
    scores, target = scores.float(), items.target.float()
    channels = scores.shape[1] - block.classes
    said, wanted = scores[:, :channels], target[:, :channels]
    compared = F.mse_loss if block.loss == "l2" else F.smooth_l1_loss
    lost = compared(said, wanted, reduction="none").mean(1)  # [items]
    further = {}
    if block.classes:
        logits, probabilities = scores[:, channels:], target[:, channels:]
        lost = lost - (probabilities * logits.log_softmax(1)).sum(1)
        right = logits.detach().argmax(1) == probabilities.argmax(1)
        further = dict(zip(block.further_metrics, (right.float(),), strict=True))
    missed = (said.detach() - wanted).square().sum(1)
    return Scored(
        loss=lost.sum(),
        scores=scores.detach(),
        target=target,
        credit=1 - missed / wanted.square().sum(1).clamp(min=LEAST),
        further=further,
    )

"""Other images for texts, drawn by how well they seem to match.

Source: Li et al. 2021, ALBEF, section 3.2 (contrastive hard negative mining).
"""

from dataclasses import replace

import torch
from torch import Tensor

from renaissance.compiler.batch import Items
from renaissance.compiler.comparing import Rows


@torch.no_grad()
def with_hard_negatives(items: Items, compared: Items, logits: Tensor, rows: Rows) -> Items:
    """Put images that seem to match in the place of those that were drawn without looking.

    An image is drawn with the softmax of its logit among the distinct images of the pass of which
    the text is not known to be true, without repetition. Where there are none, the image stays that
    was drawn beforehand.

    Args:
        items: pairs, some of which say that their image may be drawn.
        compared: the texts and images that were compared, `n` rows of this pass.
        logits: `[n, n]`, how well the text of a row and the image of another match.
        rows: the vectors that they are made of, with what is known to be true.

    Returns:
        The same items with other images.
    """
    drawn = items.drawn
    assert drawn is not None  # the caller looks for those that have one
    shown = compared.image if compared.image.ndim == 1 else compared.image[:, 0]  # [n]
    again = (shown[:, None] == shown).tril(-1).any(1)  # [n]: an earlier row shows the image
    keys = logits - torch.empty_like(logits).exponential_().log()  # highest first: a draw each
    keys = keys.masked_fill(rows.truth.of_images(rows.truth) | again, -torch.inf)
    ranked = keys.sort(dim=1, descending=True)
    turn = drawn.turn.clamp(min=0, max=len(shown) - 1)  # [pairs]
    row = ranked.indices[drawn.row, turn]  # [pairs], the row whose image is shown
    there = (drawn.turn == turn) & ranked.values[drawn.row, turn].isfinite()
    if items.image.ndim > 1:
        there = there[:, None]
    return replace(items, image=torch.where(there, compared.image[row], items.image))

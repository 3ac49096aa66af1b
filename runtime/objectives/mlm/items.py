"""Which tokens `mlm` hides and asks for."""

from dataclasses import dataclass

import numpy as np

from renaissance.compiler.expected import SPECIAL_TOKENS, Expected, Shape
from renaissance.runtime.data.errors import DataError
from renaissance.runtime.data.tokenizer import Tokenizer
from renaissance.runtime.data.tokens import Padded
from renaissance.runtime.data.wanted import Context, Wanted
from renaissance.runtime.objectives.mlm.masking import Chances, mask_words
from renaissance.runtime.objectives.mlm.schema import Mlm


def expected(block: Mlm, shape: Shape) -> Expected:
    """Return what a pass is asked for: each text with its image, and some of its tokens."""
    words = shape.rows * max(shape.tokens - SPECIAL_TOKENS, 1)
    chosen = max(round(block.probability * words), 1)
    return Expected(pairs=shape.rows, changed=True, positions=chosen, items=chosen)


def check(block: Mlm, tokenizer: Tokenizer, job: str) -> None:
    """Refuse a tokenizer with which nothing can be hidden; raises DataError."""
    if tokenizer.mask_id is None:
        raise DataError("the tokenizer has no mask token, which the objective `mlm` needs")
    if tokenizer.wordless:
        raise DataError(
            f"the texts of job `{job}` hold no character that can be seen: there is no "
            "word for `mlm` to hide"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskedWords:
    """Masks words of texts.

    Attributes:
        block: the objective.
        context: what it learns from.
    """

    block: Mlm
    context: Context

    def draw(self, rows: np.ndarray, *, purpose: str, step: int) -> Chances:
        """Draw as many numbers for each text as the longest of all has tokens.

        What a text gets does not depend on the texts beside it.
        """
        widest = int(self.context.split.corpus.tokens.lengths.max())
        return Chances.draw(len(rows), widest, self.context.seed, f"mask {purpose}", step)

    def items(self, rows: np.ndarray, text: Padded, part: np.ndarray, drawn: Chances) -> Wanted:
        """Mask words of each text beside its own image."""
        tokenizer = self.context.tokenizer
        assert tokenizer.mask_id is not None  # checked before
        masked = mask_words(
            text,
            drawn.part(part),
            probability=self.block.probability,
            whole_word=self.block.whole_word,
            random=self.block.random,
            keep=self.block.keep,
            mask_id=tokenizer.mask_id,
            ordinary_ids=tokenizer.ordinary_ids,
        )
        return Wanted(
            text=np.arange(len(rows)),
            image=self.context.split.corpus.image_of_row[rows],
            ids=masked.ids,
            positions=masked.positions,
            target=masked.labels,
        )


def prepare(block: Mlm, context: Context) -> MaskedWords:
    """Return what makes the items."""
    return MaskedWords(block=block, context=context)

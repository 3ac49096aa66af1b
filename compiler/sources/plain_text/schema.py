"""Keys of `plain_text`."""

from typing import ClassVar, Literal

from renaissance.grammar.declaration import key
from renaissance.grammar.kinds.source import Position, StackDimensions


class PlainText(StackDimensions):
    """A text encoder with a word-piece vocabulary learned from the data of the first job."""

    positions: ClassVar[frozenset[Position]] = frozenset({"backbone"})

    source: Literal["plain_text"] = "plain_text"
    max_tokens: int = key(
        50,
        doc="longest text, special tokens included; longer texts are cut",
        impact="weights",
        unit="tokens",
        ge=3,
        le=8192,
    )
    vocabulary: int = key(
        8192,
        doc="most word pieces that the learned vocabulary may hold",
        impact="weights",
        unit="word pieces",
        ge=64,
        le=1_000_000,
    )

    @property
    def learned_vocabulary(self) -> int:
        """Most word pieces of the vocabulary."""
        return self.vocabulary

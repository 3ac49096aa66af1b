"""Keys of `wordpiece`."""

from typing import ClassVar, Literal

from renaissance.grammar.declaration import key
from renaissance.grammar.kinds.source import Position, SourceBlock


class Wordpiece(SourceBlock):
    """Word and position embeddings of a one-tower model."""

    positions: ClassVar[frozenset[Position]] = frozenset({"embed"})

    source: Literal["wordpiece"] = "wordpiece"
    id: str | None = key(
        None,
        doc="hub id or folder whose tokenizer is used; without it a vocabulary is learned",
        impact="weights",
        positional=True,
    )
    max_tokens: int = key(
        40,
        doc="longest text, special tokens included; longer texts are cut",
        impact="weights",
        unit="tokens",
        ge=3,
        le=8192,
    )
    vocabulary: int | None = key(
        None,
        doc="most word pieces of a learned vocabulary",
        impact="weights",
        unit="word pieces",
        ge=64,
        le=1_000_000,
    )
    width: int | None = key(
        None,
        doc="embedding size; projected where it differs from the stack's width",
        impact="weights",
        unit="channels",
        ge=1,
        le=65_536,
    )

    eps: float = key(
        1e-5,
        doc="added to the variance that the norm divides by; that of `weights` if absent",
        impact="numerics",
        gt=0,
        le=0.1,
    )
    token_types: int = key(
        0,
        doc="vectors of segments, of which the first is added to each token before the norm; BERT "
        "and ViLT have 2",
        impact="weights",
        ge=0,
        le=1024,
    )
    weights: str | None = key(
        None,
        doc="hub id or folder of a model whose words, positions and norm they start from; random "
        "ones if absent",
        impact="training",
    )

    @property
    def weights_of(self) -> str | None:
        """The hub id or folder whose embeddings it starts from."""
        return self.weights

    @property
    def identifier(self) -> str | None:
        """The hub id or folder whose tokenizer is used."""
        return self.id

    @property
    def learned_vocabulary(self) -> int | None:
        """Most word pieces of a learned vocabulary."""
        return self.vocabulary

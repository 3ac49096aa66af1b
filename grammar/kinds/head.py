"""What a job puts on top of a model, as far as names and sizes go."""

from collections.abc import Mapping
from typing import Literal

from renaissance.grammar.record import Record

UNKNOWN = -100
"""Class of an item whose answer is none of those that can be given: it has no loss, and whatever
is predicted is wrong. torch's cross entropy leaves it out."""

Form = Literal["lm", "linear", "mlp", "own"]
"""`lm`: scores of tokens, as in BERT. `linear`: one linear map. `mlp`: two with a norm between.
`own`: a module that `head.py` of the kind builds."""


Reads = Literal["tokens", "patches", "pooled", "text", "streams"]
"""What a head reads: see `Head`."""


class Head(Record):
    """A head of a model.

    Attributes:
        name: its address is `heads.NAME`.
        reads: tokens of the text stream at some positions, of the vision stream at hidden patches
            or regions, one pooled vector a pair, or one vector before the fusion, which then takes
            no part: of the text stream, or of each `streams`.
        form: what it is made of.
        outputs: scores that it gives; None for as many as the text stream has word pieces.
        views: pairs whose pooled vectors it reads as one.
        numbers: that are known of each pair and are joined to its pooled vector.
        tied: an `lm` head scores with the word embeddings of the text stream.
        predicts: of a patch its pixels, or the features that the vision tower gives of it where
            nothing is hidden; of regions what a detector made of them; None of a head that reads
            no patches.
        inherits: another head and the number of one of its outputs, of which this one, which has
            one output, starts where a job starts from one that has learned that head.
    """

    name: str
    reads: Reads
    form: Form
    outputs: int | None = None
    views: int = 1
    numbers: int = 0
    tied: bool = False
    predicts: Literal["pixels", "features", "regions"] | None = None
    inherits: tuple[str, int] | None = None


_PLAIN = ((), ("bias",))
_NORMED = (*_PLAIN, ("norm",), ("norm", "bias"))

PARAMETERS: Mapping[Form, tuple[tuple[str, ...], ...]] = {
    "lm": _NORMED,
    "linear": _PLAIN,
    "mlp": _NORMED,
    "own": _NORMED,
}
"""Kinds of parameters of each form, beside plain weights."""

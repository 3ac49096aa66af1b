"""Keys of `cosine`."""

from typing import ClassVar, Literal

from renaissance.grammar.kinds.optimizer import DecayBlock


class Cosine(DecayBlock):
    """Falls along half a cosine."""

    called: ClassVar[tuple[str, ...]] = (
        "cosine_with_warmup",
        "cosine_decay",
        "cosineannealinglr",
        "cosineannealing",
        "cosine_schedule",
    )

    schedule: Literal["cosine"] = "cosine"

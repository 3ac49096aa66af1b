"""Keys of `single_stream`."""

from typing import ClassVar, Literal, Self

from renaissance.grammar.declaration import key
from renaissance.grammar.kinds.fusion import TypedStreams
from renaissance.grammar.kinds.source import SourceBlock


class SingleStream(TypedStreams):
    """One tower: one stack over the joint sequence of all embedded inputs."""

    called: ClassVar[tuple[str, ...]] = (
        "vilt",
        "uniter",
        "visualbert",
        "concat",
        "merged_tower",
        "one_tower",
    )
    accepts: ClassVar[Literal["backbone", "embed"]] = "embed"
    joins_several: ClassVar[bool] = True

    topology: Literal["single_stream"] = "single_stream"
    inputs: tuple[str, ...] = key(
        doc="the embedded streams, in the order of the joint sequence",
        impact="weights",
        positional=True,
    )
    encoder: SourceBlock = key(
        doc="the stack, taken from a text or a vision model", impact="weights", position="encoder"
    )

    @property
    def stack(self) -> SourceBlock:
        """The stack of layers that all streams run through together."""
        return self.encoder

    def with_stack(self, stack: SourceBlock) -> Self:
        """Return the same fusion over another stack."""
        return self.model_copy(update={"encoder": stack})

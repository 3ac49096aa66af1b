"""What checks look at: a model of which parts may be missing."""

from renaissance.grammar.kinds.fusion import FusionBlock
from renaissance.grammar.kinds.source import SourceBlock
from renaissance.grammar.places import Path
from renaissance.grammar.record import Record
from renaissance.grammar.schema.model import Adapt, Freeze, Model
from renaissance.grammar.source import Span


class PartialModel(Record):
    """A model of which parts may be missing because they are wrong.

    Attributes:
        name: name of the model.
        path: where it stands in the spec.
        span: of its name.
        streams: every declared stream; None for one that could not be made.
        embedded: names of the streams that are declared as `embed`.
        fusion_name: name of the fusion; empty where none is declared.
        fusion: the fusion; None where it could not be made.
        inputs: names of the streams that the fusion joins, as far as they can be read.
        pool: how streams are pooled; None where that is wrong.
        pooler: what a pooled vector goes through; None where that is wrong.
        weights: folder of a published model that it starts from; None for none.
        attention: implementation of attention; None where that is wrong.
        lower: whether lowerings apply; None where that is wrong.
        freeze: directives that could be read.
        adapt: likewise.
        broken: part of the text could not be read: nothing is known to be missing.
        sound: everything that was said could be read.
    """

    name: str
    path: Path
    span: Span
    streams: dict[str, SourceBlock | None]
    embedded: frozenset[str]
    fusion_name: str
    fusion: FusionBlock | None
    inputs: tuple[str, ...]
    pool: str | None
    pooler: str | None
    weights: str | None
    attention: str | None
    lower: str | None
    freeze: tuple[Freeze, ...]
    adapt: tuple[Adapt, ...]
    broken: bool
    sound: bool

    def content(self) -> tuple[object, ...]:
        """Return what another model of the very same parts has in common with it."""
        return (
            *self.streams,
            *map(id, self.streams.values()),
            self.embedded,
            self.fusion_name,
            id(self.fusion),
            self.inputs,
            self.pool,
            self.pooler,
            self.weights,
            self.attention,
            self.lower,
            tuple(map(id, self.freeze)),
            tuple(map(id, self.adapt)),
            self.broken,
            self.sound,
        )

    def model(self) -> Model | None:
        """Return the model, or None if a part of it is missing."""
        if not self.sound or self.broken or self.fusion is None or None in self.streams.values():
            return None
        return Model.model_validate(
            {
                "name": self.name,
                "streams": self.streams,
                "fusion_name": self.fusion_name,
                "fusion": self.fusion,
                "pool": self.pool,
                "pooler": self.pooler,
                "weights": self.weights,
                "attention": self.attention,
                "lower": self.lower,
                "freeze": self.freeze,
                "adapt": self.adapt,
            }
        )

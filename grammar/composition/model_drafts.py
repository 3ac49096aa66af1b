"""Models as files state them, before types and defaults."""

from renaissance.grammar import tree
from renaissance.grammar.composition.drafts import Choice, Setting
from renaissance.grammar.record import Record, field


class StreamDraft(Record):
    """`backbone text = …` or `embed text = …`."""

    keyword: tree.Name
    name: tree.Name
    choice: Choice | None


class ModelDraft(Record, many=True):
    """A model as files state it, parents included.

    Attributes:
        name: place and text of its name.
        streams: inputs by name, in order.
        fusion_name: what the fusion is called; None where none is declared.
        fusion: kind and keys of the fusion.
        keys: keys of the model itself.
        freeze: directives; a child's replace its parent's.
        adapt: likewise.
        broken: part of it could not be read: say nothing about what is missing.
    """

    name: tree.Name
    streams: dict[str, StreamDraft] = field(default_factory=dict)
    fusion_name: tree.Name | None = None
    fusion: Choice | None = None
    keys: dict[str, Setting] = field(default_factory=dict)
    freeze: tuple[tree.Freeze, ...] = ()
    adapt: tuple[tree.Freeze, ...] = ()
    broken: bool = False

    def roots(self) -> tuple[str, ...]:
        """Return the names that addresses of this model start with."""
        fusion = (self.fusion_name.text,) if self.fusion_name else ()
        return (*self.streams, *fusion)

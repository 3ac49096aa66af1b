"""From a plan to what is drawn of it: columns of blocks, their sizes and what is frozen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import BaseModel, ConfigDict

from renaissance.runtime.report.figures import TIMES


class Component(BaseModel):
    """A component as a plan lists it; together they hold every parameter once."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    address: str
    kind: str
    input: tuple[int, ...] | None = None
    output: tuple[int, ...] | None = None
    parameters: int
    trainable: int
    read: bool = True

    @property
    def root(self) -> str:
        """The stream, the fusion, `pool` or `heads`."""
        return self.address.partition(".")[0]


class Described(BaseModel):
    """A model as a plan describes it.

    Attributes:
        name: of the model.
        streams: names of what is joined, in order.
        fusion: root address of what joins them.
        heads: what each head reads, by name.
        components: in the order of the model.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str
    streams: tuple[str, ...]
    fusion: str
    heads: Mapping[str, str]
    components: tuple[Component, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A component, or several equal ones in a row.

    Attributes:
        address: in the model, such as `text.layers[0:4]`.
        name: the part of the address that is written into the block, such as `layers[0:4]`.
        repeats: how many equal components it stands for.
        parameters: of all of them together.
        learning: how many of the parameters learn.
        unread: how many of them nothing reads.
        shape: of what comes out, such as `[16, 192]` in words; empty where the plan does not say.
    """

    address: str
    name: str
    repeats: int
    parameters: int
    learning: int
    unread: int
    shape: str

    @property
    def frozen(self) -> float:
        """Share of the parameters that are held though they are read; 0 where there are none."""
        held = self.parameters - self.learning - self.unread
        return held / self.parameters if self.parameters else 0.0

    @property
    def held(self) -> float:
        """Share of the parameters that do not learn; 0 where there are none."""
        return 1 - self.learning / self.parameters if self.parameters else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """What happens to one input before the fusion, the first block first."""

    name: str
    shape: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Architecture:
    """A model as it is drawn, from the inputs up."""

    name: str
    streams: tuple[Stream, ...]
    fusion: tuple[Block, ...]
    pool: tuple[Block, ...]
    token_heads: tuple[Block, ...]
    heads: tuple[Block, ...]

    @property
    def blocks(self) -> tuple[Block, ...]:
        """Every block."""
        streams = (block for stream in self.streams for block in stream.blocks)
        return (*streams, *self.fusion, *self.pool, *self.token_heads, *self.heads)


def architecture(model: Mapping[str, Any]) -> Architecture:
    """Read what is drawn from an entry of a plan's `models`.

    Raises:
        ValueError: if the entry lists no components.
        ValidationError: if it lists something else.
    """
    described = Described.model_validate(model)
    if not described.components:
        raise ValueError("the plan lists no components")
    roots: dict[str, list[Component]] = {}
    for component in described.components:
        roots.setdefault(component.root, []).append(component)
    fusion, streams = described.fusion, described.streams
    joined = [part for part in roots.get(fusion, []) if part.kind != "projection"]
    # One by one: jobs may have heads of one name and of different sizes.
    heads = [
        block
        for part in roots.get("heads", [])
        for block in _whole([part], part.address, part.address.partition(".")[2])
    ]
    return Architecture(
        name=described.name,
        streams=tuple(_stream(name, roots, fusion) for name in streams),
        # No column says whose blocks these are, so their names do.
        fusion=tuple(
            replace(block, name=block.address) for block in _blocks(joined, fusion, streams)
        ),
        pool=_whole(roots.get("pool", []), "pool", "pool", streams),
        token_heads=tuple(head for head in heads if described.heads.get(head.name) == "tokens"),
        heads=tuple(head for head in heads if described.heads.get(head.name) != "tokens"),
    )


def _stream(name: str, roots: Mapping[str, Sequence[Component]], fusion: str) -> Stream:
    """Return the column of a stream.

    A projection belongs to the fusion by its address, and to one stream by what it does.
    """
    own = roots.get(name, [])
    address = f"{fusion}.projection.{name}"
    projections = [part for part in roots.get(fusion, []) if part.address == address]
    return Stream(
        name=name,
        shape=_entry_shape(own),
        blocks=(*_blocks(own, name), *_whole(projections, address, "projection")),
    )


def spell_shape(shape: Sequence[int] | None) -> str:
    """Spell sizes with a cross between them; nothing where there is no shape."""
    return f" {TIMES} ".join(str(size) for size in shape or ())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Unit:
    """The component that a block stands for, with everything inside it."""

    stem: str
    index: int | None
    parameters: int
    learning: int
    unread: int
    shape: str

    def continues(self, other: "_Unit") -> bool:
        """Whether this is the next of several equal layers."""
        return (
            other.index is not None
            and self.index == other.index + 1
            and replace(self, index=None) == replace(other, index=None)
        )


def _blocks(
    components: Sequence[Component], root: str, streams: Sequence[str] = ()
) -> tuple[Block, ...]:
    """Make a block of each component directly below a root, of equal neighbouring layers one."""
    inside: dict[str, list[Component]] = {}
    for component in components:
        child = component.address[len(root) + 1 :].partition(".")[0]
        inside.setdefault(child, []).append(component)
    runs: list[list[_Unit]] = []
    for child, members in inside.items():
        unit = _unit(child, members, streams)
        if runs and unit.continues(runs[-1][-1]):
            runs[-1].append(unit)
        else:
            runs.append([unit])
    stems = [run[0].stem for run in runs]
    return tuple(_block(run, root, alone=stems.count(run[0].stem) == 1) for run in runs)


def _whole(
    components: Sequence[Component], root: str, name: str, streams: Sequence[str] = ()
) -> tuple[Block, ...]:
    """Make one block of a root with everything inside it."""
    if not components:
        return ()
    unit = _unit("", components, streams)
    return (replace(_block([unit], root, alone=True), name=name),)


def _unit(name: str, members: Sequence[Component], streams: Sequence[str]) -> _Unit:
    stem, _, index = name.rstrip("]").partition("[")
    return _Unit(
        stem=stem,
        index=int(index) if index.isdecimal() else None,
        parameters=sum(member.parameters for member in members),
        learning=sum(member.trainable for member in members),
        unread=sum(member.parameters for member in members if not member.read),
        shape=_outgoing(members, streams),
    )


def _outgoing(members: Sequence[Component], streams: Sequence[str]) -> str:
    """Spell what leaves a block: one shape, or one of each stream that has parts in it."""
    if members[-1].kind == "type_embedding":
        # Added to every stream, whatever its shape.
        return ""
    last = {
        stream: member.output
        for member in members
        for stream in streams
        if stream in member.address.split(".")
    }
    shapes = [last[stream] for stream in streams if stream in last] or [members[-1].output]
    return ", ".join(filter(None, map(spell_shape, shapes)))


def _block(run: Sequence[_Unit], root: str, *, alone: bool) -> Block:
    """Join equal layers; their numbers are spelled out where others have the same name."""
    first, last = run[0], run[-1]
    name = first.stem
    if not alone and first.index is not None:
        end = f":{first.index + len(run)}" if len(run) > 1 else ""
        name += f"[{first.index}{end}]"
    return Block(
        address=f"{root}.{name}".rstrip("."),
        name=name,
        repeats=len(run),
        parameters=sum(unit.parameters for unit in run),
        learning=sum(unit.learning for unit in run),
        unread=sum(unit.unread for unit in run),
        shape=last.shape,
    )


def _entry_shape(components: Sequence[Component]) -> str:
    return next((spell_shape(part.input) for part in components if part.input is not None), "")

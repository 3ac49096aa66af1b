"""The syntax tree: what a `.vl` file says, before it is known what it means.

Nodes carry the span they were read from; spans do not take part in comparison, so that two trees
are equal when they say the same.
"""

from dataclasses import dataclass, field

from renaissance.grammar.source import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A piece of a file and its place."""

    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Name(Node):
    """An identifier: `frozen_vision`."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Number(Node):
    """A count or a measure: `12`, `1e-4`, `50k`; `spelling` is kept as written."""

    value: int | float
    spelling: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Percentage(Node):
    """A share of something: `15%` has `percent` 15."""

    percent: float
    spelling: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Duration(Node):
    """A time by the clock: `15min` has `minutes` 15, `2h` has 120."""

    minutes: float
    spelling: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Text(Node):
    """A quoted string; `value` is what it means, `spelling` what stands in the file."""

    value: str
    spelling: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Boolean(Node):
    """`true` or `false`."""

    value: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice(Node):
    """`[3]` (`start` 3, `single`), `[:4]`, `[2:]`, `[-2:]`: counted as Python counts."""

    start: int | None
    stop: int | None
    single: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Address(Node):
    """A dotted place in a model: `text.layers[:4]`, `vision.image_size`, or a plain name."""

    parts: tuple[Name | Slice, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sequence(Node):
    """`[a, b]`."""

    items: tuple["Value", ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Node):
    """`timm("deit") { … }`, `random { … }`, `cross_attention(text, vision)`.

    A bare name with neither parentheses nor a body is an `Address`, not a call.
    """

    function: Name
    arguments: tuple["Value", ...] | None
    body: "Body | None"


Value = Number | Percentage | Duration | Text | Boolean | Address | Sequence | Call


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment(Node):
    """`image_size = 224`, or an override by address: `vision.image_size = 384`."""

    address: Address
    value: Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation(Node):
    """`extends base`, `on model`, `from job`, `of job`."""

    word: Name
    target: Name


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration(Node):
    """A keyword with what belongs to it.

    `model m extends base { … }`, `pretrain p on m { … }`, `backbone text = timm("…") { … }` (the
    braces belong to the call), `objective mlm { … }`, `fusion joint { … }`, `model { … }`.
    """

    keyword: Name
    name: Name | None
    relations: tuple[Relation, ...]
    value: Value | None
    body: "Body | None"


@dataclass(frozen=True, slots=True, kw_only=True)
class Freeze(Node):
    """`freeze text.layers[:4], vision except norm until 30%`; `freeze nothing` has no selectors."""

    selectors: tuple[Address, ...]
    excluded: tuple[Address, ...]
    until: Number | Percentage | Address | None
    body: "Body | None"


@dataclass(frozen=True, slots=True, kw_only=True)
class Import(Node):
    """`import "towers.vl"`."""

    path: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Let(Node):
    """`let width = 256`."""

    name: Name
    value: Value


Statement = Assignment | Declaration | Freeze | Import | Let


@dataclass(frozen=True, slots=True, kw_only=True)
class Body(Node):
    """Statements between braces. A broken body had a syntax error: what is missing may be there."""

    statements: tuple[Statement, ...]
    broken: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class File(Node):
    """A whole file."""

    statements: tuple[Statement, ...]
    broken: bool = field(default=False, compare=False)

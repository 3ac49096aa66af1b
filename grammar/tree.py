"""The syntax tree: what a `.vl` file says, before it is known what it means.

Nodes carry the span they were read from; spans do not take part in comparison, so that two trees
are equal when they say the same.
"""

from renaissance.grammar.record import Record, field
from renaissance.grammar.source import Span


class Node(Record, many=True):
    """A piece of a file and its place."""

    span: Span = field(compare=False, repr=False)


class Name(Node):
    """An identifier: `frozen_vision`."""

    text: str


class Number(Node):
    """A count or a measure: `12`, `1e-4`, `50k`; `spelling` is kept as written."""

    value: int | float
    spelling: str


class Percentage(Node):
    """A share of something: `15%` has `percent` 15."""

    percent: float
    spelling: str


class Duration(Node):
    """A time by the clock: `15min` has `minutes` 15, `2h` has 120."""

    minutes: float
    spelling: str


class Text(Node):
    """A quoted string; `value` is what it means, `spelling` what stands in the file."""

    value: str
    spelling: str


class Boolean(Node):
    """`true` or `false`."""

    value: bool


class Slice(Node):
    """`[3]` (`start` 3, `single`), `[:4]`, `[2:]`, `[-2:]`: counted as Python counts."""

    start: int | None
    stop: int | None
    single: bool


class Address(Node):
    """A dotted place in a model: `text.layers[:4]`, `vision.image_size`, or a plain name."""

    parts: tuple[Name | Slice, ...]


class Sequence(Node):
    """`[a, b]`."""

    items: tuple["Value", ...]


class Call(Node):
    """`timm("deit") { … }`, `random { … }`, `cross_attention(text, vision)`.

    A bare name with neither parentheses nor a body is an `Address`, not a call.
    """

    function: Name
    arguments: tuple["Value", ...] | None
    body: "Body | None"


Value = Number | Percentage | Duration | Text | Boolean | Address | Sequence | Call


class Assignment(Node):
    """`image_size = 224`, or an override by address: `vision.image_size = 384`."""

    address: Address
    value: Value


class Relation(Node):
    """`extends base`, `on model`, `from job`, `of job`."""

    word: Name
    target: Name


class Declaration(Node):
    """A keyword with what belongs to it.

    `model m extends base { … }`, `pretrain p on m { … }`, `backbone text = timm("…") { … }` (the
    braces belong to the call), `objective mlm { … }`, `fusion joint { … }`, `model { … }`. In a
    study also `factor freeze { … }`, and names of levels and blocks as keywords: `vision { … }`.
    """

    keyword: Name
    name: Name | None
    relations: tuple[Relation, ...]
    value: Value | None
    body: "Body | None"


class Freeze(Node):
    """`freeze text.layers[:4], vision except norm until 30%`; `freeze nothing` has no selectors."""

    selectors: tuple[Address, ...]
    excluded: tuple[Address, ...]
    until: Number | Percentage | Address | None
    body: "Body | None"


class Adapt(Freeze):
    """`adapt text.attention except norm { rank = 8 }`; `adapt nothing` has no selectors."""


class Import(Node):
    """`import "towers.vl"`."""

    path: Text


class Let(Node):
    """`let width = 256`."""

    name: Name
    value: Value


Statement = Assignment | Declaration | Freeze | Import | Let


class Body(Node):
    """Statements between braces. A broken body had a syntax error: what is missing may be there."""

    statements: tuple[Statement, ...]
    broken: bool = field(default=False, compare=False)


class File(Node):
    """A whole file."""

    statements: tuple[Statement, ...]
    broken: bool = field(default=False, compare=False)

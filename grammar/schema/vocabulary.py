"""What the schema's classes say about a file: which words, keys and kinds of value there are."""

import types
from collections.abc import Collection, Iterator, Mapping
from functools import cache, partial
from inspect import get_annotations
from typing import Annotated, Any, ClassVar, Literal, Union, get_args, get_origin

from pydantic import PydanticUserError
from pydantic.fields import FieldInfo

from renaissance.grammar.declaration import Block, Impact, Minutes, Share, WordBlock
from renaissance.grammar.kinds.block import KindBlock
from renaissance.grammar.kinds.registry import FAMILIES, KindError, Kinds, origin
from renaissance.grammar.kinds.source import Position, SourceBlock
from renaissance.grammar.record import Record, field
from renaissance.grammar.schema.jobs import Evaluate, Finetune, Pretrain
from renaissance.grammar.schema.model import Adapt, Freeze, Model
from renaissance.grammar.schema.study import StudyKeys

JOBS: Mapping[str, type[Pretrain | Finetune | Evaluate]] = {
    "pretrain": Pretrain,
    "finetune": Finetune,
    "evaluate": Evaluate,
}

# Not written as keys: what a job relates to stands beside its name, statements of their own
# declare streams, fusion and freezing.
_NOT_KEYS: Mapping[type[Block], frozenset[str]] = {
    Pretrain: frozenset({"name", "on", "source"}),
    Finetune: frozenset({"name", "on", "source"}),
    Evaluate: frozenset({"name", "of"}),
    Model: frozenset({"name", "streams", "fusion_name", "fusion", "freeze", "adapt"}),
    Freeze: frozenset({"selectors", "excluded", "until"}),
    Adapt: frozenset({"selectors", "excluded"}),
}


class Kind(Record):
    """Which values a key takes; several may apply: `warmup` is a share or a count.

    Attributes:
        count: whole numbers.
        number: numbers with a fraction.
        share: percentages.
        minutes: times by the clock.
        boolean: `true` and `false`.
        text: quoted strings.
        name: text that is written as a plain name where it can be: `split = test`.
        none: the word `none`, as a value of its own.
        absent: it may be left out and is nothing then; `none` says so above what says something.
        words: a closed set of names.
        item: kind of the items of a list.
        length: number of items; any if absent.
        table: kind of the values of a table by component address.
        blocks: block by its word: `adamw { … }`; a kind is imported when its word is looked up.
    """

    count: bool = False
    number: bool = False
    share: bool = False
    minutes: bool = False
    boolean: bool = False
    text: bool = False
    name: bool = False
    none: bool = False
    absent: bool = False
    words: Collection[str] = ()
    item: "Kind | None" = None
    length: int | None = None
    table: "Kind | None" = None
    blocks: Mapping[str, type[Block]] = field(default_factory=dict)

    @property
    def choices(self) -> tuple[str, ...]:
        """The words, and those of blocks that stand beside them."""
        return (*self.words, *self.blocks) if self.words else ()

    def takes(self, word: str) -> bool:
        """Tell whether a name means one of the words, or a block."""
        return word in self.words or word in self.blocks

    def means_nothing(self, word: str) -> bool:
        """Tell whether a name is `none` where that says something."""
        return word == "none" and word not in self.words and (self.none or self.absent)


@cache
def tag_of(block: type[Block]) -> tuple[str, str]:
    """Return the key that tells a block from others, and its word.

    Raises:
        TypeError: if the block stands for no single word.
    """
    if issubclass(block, KindBlock):
        return FAMILIES[block.family].tag, block.word()
    for name, declared in block.model_fields.items():
        if get_origin(declared.annotation) is Literal and len(get_args(declared.annotation)) == 1:
            return name, str(get_args(declared.annotation)[0])
    raise TypeError(f"{block.__name__} has no tag")


@cache
def keys_of(block: type[Block]) -> Mapping[str, FieldInfo]:
    """Return what may be assigned between the braces of a block, in the order of declaration."""
    hidden = set(_NOT_KEYS.get(block, ()))
    if block not in (Model, Freeze, Adapt, StudyKeys):
        hidden.add(tag_of(block)[0])
    fields = block.model_fields.items()
    return {name: info for name, info in fields if name not in hidden and not positional(info)}


@cache
def names_of(block: type[Block]) -> Mapping[str, str]:
    """Return the names of the keys of a block by how a file spells them."""
    return {spelling_of(name, info): name for name, info in keys_of(block).items()}


@cache
def required_keys(block: type[Block]) -> tuple[str, ...]:
    """Return the keys that a file has to set."""
    return tuple(name for name, info in keys_of(block).items() if info.is_required())


@cache
def positional_key(block: type[Block]) -> str | None:
    """Return the key whose value stands between parentheses, if there is one."""
    return next((name for name, info in block.model_fields.items() if positional(info)), None)


def positional(info: FieldInfo) -> bool:
    """Tell whether a key is given between parentheses."""
    return bool(_extra(info).get("positional"))


def unit_of(info: FieldInfo) -> str:
    """Return what the value counts, such as `tokens`; empty where it has no unit."""
    return str(_extra(info).get("unit", ""))


def default_of(info: FieldInfo) -> Any:
    """Return the value where a file says nothing; `...` where it has to say something."""
    return ... if info.is_required() else info.get_default(call_default_factory=True)


def kind_of(info: FieldInfo) -> Kind:
    """Return which values a key takes."""
    annotation: Any = info.annotation
    extra = _extra(info)
    none = info.default is not None
    return _kind(annotation, bool(extra.get("name")), none, extra.get("position"))


def spelling_of(name: str, info: FieldInfo) -> str:
    """Return how a file spells a key."""
    spelled: str | None = _extra(info).get("spelled")
    return name if spelled is None else spelled


@cache
def path_keys(block: type[Block]) -> Mapping[str, str]:
    """Return `file` or `folder` by the keys of a block whose value is the path of one."""
    paths = {name: _extra(info).get("path") for name, info in block.model_fields.items()}
    return {name: str(what) for name, what in paths.items() if what is not None}


def check_declared(kind: type[KindBlock]) -> None:
    """Refuse the class of another package that leaves out, or misspells, what a kind declares.

    Raises:
        KindError: says what is wrong, in one sentence.
    """
    if origin(kind) is None:
        return  # ours are tested
    name = f"`{kind.__module__}.{kind.__name__}`"
    for base in kind.__mro__:
        for needed, declared in get_annotations(base).items():
            form: Any = get_origin(declared)
            if form is ClassVar and not hasattr(kind, needed):
                raise KindError(f"{name} states no `{needed}`", f"a {kind.family} has one")
    try:
        kind.model_rebuild()
        for key, info in keys_of(kind).items():
            if _extra(info).get("impact") not in get_args(Impact):
                raise KindError(
                    f"{name} does not declare `{key}` as a key",
                    f'write `{key}: … = key(…, doc="…", impact="training")`',
                )
            kind_of(info)
    except (TypeError, NameError, PydanticUserError) as problem:
        text = str(problem).partition("\n")[0]
        raise KindError(f"{name} cannot be read: {text}") from problem


def paths_in(block: Block) -> Iterator[tuple[str, str, str]]:
    """Yield key, `file` or `folder`, and path of each file and folder that a block names."""
    for name, what in path_keys(type(block)).items():
        value = getattr(block, name)
        for path in value if isinstance(value, tuple) else (value,):
            # A split may be a share of another one instead.
            if isinstance(path, str):
                yield name, what, path


def sources(position: Position) -> Kinds[SourceBlock]:
    """Return the sources that can stand somewhere, by word."""
    return Kinds(SourceBlock, partial(_stands, position))


def _stands(position: Position, kind: type[SourceBlock]) -> bool:
    return position in kind.positions


def _extra(info: FieldInfo) -> dict[str, Any]:
    return info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}


@cache
def _kind(annotation: Any, name: bool, none: bool, position: Position | None = None) -> Kind:
    found: dict[str, Any] = {}
    for option in _options(annotation):
        origin, arguments = get_origin(option), get_args(option)
        if option is type(None):
            # Where the default is nothing, a file mostly says so by leaving the key out.
            found |= {"none": none, "absent": not none}
        elif option is bool:
            found["boolean"] = True
        elif option is int:
            found["count"] = True
        elif option is Share:
            found["share"] = True
        elif option is Minutes:
            found["minutes"] = True
        elif option is float:
            found["number"] = True
        elif option is str:
            found |= {"text": True, "name": name}
        elif origin is Literal:
            found["words"] = tuple(str(word) for word in arguments)
        elif origin is tuple:
            found["item"] = _kind(arguments[0], name, True)
            found["length"] = None if arguments[-1] is Ellipsis else len(arguments)
        elif origin is dict:
            found["table"] = _kind(arguments[1], name, True)
        elif isinstance(option, type) and issubclass(option, KindBlock):
            found["blocks"] = sources(position) if position else Kinds(option)
        elif isinstance(option, type) and issubclass(option, WordBlock):
            found["blocks"] = {**found.get("blocks", {}), tag_of(option)[1]: option}
        elif isinstance(option, type) and issubclass(option, Block):
            pass  # models and jobs are statements of their own
        else:
            raise TypeError(f"the language has no spelling for {option}")
    return Kind(**found)


def _options(annotation: Any) -> tuple[Any, ...]:
    """Return the members of a union, or the type itself."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _options(get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        return tuple(part for option in get_args(annotation) for part in _options(option))
    return (annotation,)

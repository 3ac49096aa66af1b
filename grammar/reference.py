"""The reference of the language, generated from the schema.

`python -m renaissance.grammar.reference` writes `docs/language.md` to standard output.
"""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from pydantic.fields import FieldInfo

from renaissance.grammar.declaration import Block, impact_of
from renaissance.grammar.kinds.augmentation import AugmentationBlock
from renaissance.grammar.kinds.block import KindBlock
from renaissance.grammar.kinds.data import FormatBlock, TaskBlock
from renaissance.grammar.kinds.fusion import FusionBlock
from renaissance.grammar.kinds.objective import ObjectiveBlock
from renaissance.grammar.kinds.optimizer import OptimizerBlock, ScheduleBlock
from renaissance.grammar.kinds.registry import Kinds
from renaissance.grammar.kinds.source import Fit, Position, SourceBlock
from renaissance.grammar.names import listing
from renaissance.grammar.schema.model import Adapt, Freeze, Model
from renaissance.grammar.schema.study import StudyKeys
from renaissance.grammar.schema.vocabulary import (
    JOBS,
    Kind,
    default_of,
    keys_of,
    kind_of,
    positional_key,
    sources,
    spelling_of,
    unit_of,
)
from renaissance.grammar.spelling import head_text, spelled_word, value_text

_INTRODUCTION = Path(__file__).parent / "introduction.md"
_HEADS = {
    "fusion": "fusion name = ",
    "format": "format = ",
    "task": "task = ",
    "augmentation": "augment ",
}
"""What stands before a word where that is not the name of its family."""
_POSITIONS: Mapping[Position, str] = {
    "backbone": "backbone name = ",
    "embed": "embed name = ",
    "encoder": "encoder = ",
}
TABLE = "| key | value | default | impact | meaning |\n|---|---|---|---|---|"
"""What a table of keys begins with."""
_CHOSEN = ("optimizer", "schedule", "objectives", "augment")


def reference() -> str:
    """Return the documentation of the language as Markdown."""
    text = _INTRODUCTION.read_text(encoding="utf-8").rstrip() + "\n\n"
    text += "# Reference\n\nGenerated from the schema; a key without default has to be set.\n\n"
    return text + "\n".join(_sections()).rstrip() + "\n"


def head_of(kind: type[KindBlock]) -> str:
    """Return how a file writes a kind, such as `task = nlvr`."""
    head = _HEADS.get(kind.family, f"{kind.family} ")
    if issubclass(kind, SourceBlock):
        head = next(text for position, text in _POSITIONS.items() if position in kind.positions)
    return f"{head}{_spelled(kind)}"


def _sections() -> Iterator[str]:
    yield from section("`model`", Model, "##")
    backbones = sources("backbone")
    yield from _family("`backbone`", _POSITIONS["backbone"], backbones)
    yield from _family("`embed`", _POSITIONS["embed"], sources("embed"))
    yield from section("`resize = fit`", Fit, "##")
    yield from _family("`fusion`", _HEADS["fusion"], Kinds(FusionBlock))
    stacks = sources("encoder")
    plain = {word: block for word, block in stacks.items() if word not in backbones}
    yield from _family("`encoder`", _POSITIONS["encoder"], plain)
    yield "The other encoders are written as for `backbone`, without lengths and image sizes.\n"
    yield from section("`freeze …`", Freeze, "##")
    yield from section("`adapt …`", Adapt, "##")
    yield from _family("`data`", _HEADS["format"], Kinds(FormatBlock))
    for word, job in JOBS.items():
        yield from section(f"`{word}`", job, "##")
    yield from section("`study`", StudyKeys, "##")
    yield from _family("`objective`", "objective ", Kinds(ObjectiveBlock))
    yield from _family("`augment`", _HEADS["augmentation"], Kinds(AugmentationBlock))
    yield from _family("`optimizer`", "optimizer ", Kinds(OptimizerBlock))
    yield from _family("`schedule`", "schedule ", Kinds(ScheduleBlock))
    yield from _family("`task`", _HEADS["task"], Kinds(TaskBlock))


def _family(title: str, head: str, blocks: Mapping[str, type[Block]]) -> Iterator[str]:
    yield f"## {title}\n"
    for block in blocks.values():
        yield from section(f"`{head}{_spelled(block)}`", block, "###")


def _spelled(block: type[Block]) -> str:
    word = spelled_word(block)
    name = positional_key(block)
    if name is None:
        return word
    several = kind_of(block.model_fields[name]).item is not None
    return f"{word}(text, vision)" if several else f'{word}("…")'


def section(title: str, block: type[Block], level: str) -> Iterator[str]:
    """Yield the lines about a block: what it is, and a table of its keys."""
    yield f"{level} {title}\n"
    yield " ".join((block.__doc__ or "").split()) + "\n"
    name = positional_key(block)
    if name is not None:
        yield f"Between the parentheses: {block.model_fields[name].description}.\n"
    rows = [row_of(key, info) for key, info in keys_of(block).items()]
    if rows:
        yield TABLE
        yield from rows
        yield ""


def row_of(name: str, info: FieldInfo) -> str:
    """Return the line of a table about a key."""
    kind = kind_of(info)
    if name in _CHOSEN:
        spelled = f"{name.removesuffix('s')} …"
        value = _blocks(kind.item.blocks if kind.item else kind.blocks)
    else:
        spelled, value = spelling_of(name, info), value_of_key(info)
    meaning = (info.description or "").replace("|", "\\|")
    return f"| `{spelled}` | {value} | {default_text(info)} | {impact_of(info)} | {meaning} |"


def value_of_key(info: FieldInfo) -> str:
    """Return in words what a key takes."""
    return _value(kind_of(info), unit_of(info))


def default_text(info: FieldInfo) -> str:
    """Return the default of a key, or `absent`; empty where it has to be set."""
    default = default_of(info)
    return "absent" if default is None else _default(default, kind_of(info))


def _default(default: object, kind: Kind) -> str:
    if default is ...:
        return ""
    if isinstance(default, dict):
        return "absent"
    return f"`{head_text(default) if isinstance(default, Block) else value_text(default, kind)}`"


def _value(kind: Kind, unit: str) -> str:
    options = []
    if kind.count:
        options.append(f"count of {unit}" if unit else "whole number")
    if kind.number:
        options.append("number")
    if kind.share:
        options.append("percentage")
    if kind.minutes:
        options.append("time such as `15min`")
    if kind.boolean:
        options.append("`true`, `false`")
    if kind.text:
        options.append("name" if kind.name else "string")
    options += [f"`{word}`" for word in kind.words]
    if kind.none:
        options.append("`none`")
    if kind.item:
        options.append("list of " + _value(kind.item, unit) + "s")
    if kind.table:
        options.append("numbers by address")
    if kind.blocks:
        options.append(_blocks(kind.blocks))
    return " or ".join(options) if not kind.words else ", ".join(options)


def _blocks(blocks: Mapping[str, type[Block]]) -> str:
    spelled = dict.fromkeys(map(spelled_word, blocks.values()))
    return listing(spelled)


if __name__ == "__main__":
    sys.stdout.write(reference())

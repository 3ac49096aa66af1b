"""What there is to say of a word: of a statement, of a kind, or of a key.

Prose and examples of statements stand in `statements/`, all else follows from the schema.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from renaissance.grammar.borrowed import ours, statement
from renaissance.grammar.catalogue.page import CATALOGUE, catalogue_page, encoder_page
from renaissance.grammar.declaration import Block
from renaissance.grammar.glossary import glossary_page, glossary_words
from renaissance.grammar.kinds.block import KindBlock, kind_called
from renaissance.grammar.kinds.data import TaskBlock
from renaissance.grammar.kinds.registry import FAMILIES, origin, schema, words
from renaissance.grammar.kinds.source import Fit
from renaissance.grammar.names import listing, nearest
from renaissance.grammar.reference import TABLE, head_of, row_of, section
from renaissance.grammar.schema.model import Adapt, Freeze, Model
from renaissance.grammar.schema.study import StudyKeys
from renaissance.grammar.schema.vocabulary import (
    JOBS,
    check_declared,
    keys_of,
    kind_of,
    sources,
    spelling_of,
)

STATEMENTS = Path(__file__).parent / "statements"
BLOCKS: Mapping[str, type[Block]] = {
    "model": Model,
    "freeze": Freeze,
    "adapt": Adapt,
    **JOBS,
    "study": StudyKeys,
    "fit": Fit,
}
"""Statements, and words with braces, that are one block."""
PART_OF = {
    "nothing": "freeze",
    "until": "freeze",
    "except": "freeze",
    "only": "study",
    "level": "factor",
    "on": "pretrain",
    "from": "finetune",
    "of": "evaluate",
}
"""Words that stand inside a statement, whose page explains them."""
FAMILY_OF = {
    "fusion": "fusion",
    "data": "format",
    "format": "format",
    "objective": "objective",
    "augment": "augmentation",
    "optimizer": "optimizer",
    "schedule": "schedule",
    "task": "task",
}
"""Statements that take one of some kinds."""
POSITIONS = ("backbone", "embed", "encoder")
"""Statements that take a source."""


def pages_of(name: str) -> tuple[str, ...]:
    """Return what there is to say of a name, each page as Markdown; nothing of unknown ones.

    Args:
        name: of a statement, a kind or a key, `STATEMENT.KEY` or `KIND.KEY`, that of a known
            encoder, or `catalogue`, which lists these.

    Raises:
        KindError: if a package that brings it cannot be used.
    """
    if name == CATALOGUE:
        return (catalogue_page(),)
    return _pages_of_word(name) or tuple(filter(None, (encoder_page(name),))) or _borrowed(name)


def _pages_of_word(name: str) -> tuple[str, ...]:
    owner, dot, key = name.partition(".")
    if dot and (blocks := _blocks_of(owner)):
        return tuple(_key_page(key, {owner: blocks}))
    found = [_statement(name)] if name in statements() else []
    found += [_kind_page(kind) for kind in _kinds(name)]
    if not found and name in PART_OF:
        found = [_statement(PART_OF[name])]
    if found and name not in PART_OF:
        return tuple(found)
    keys = tuple(_key_page(name, {each: _blocks_of(each) for each in _owners()}))
    meaning = glossary_page(name)
    return (*found, *filter(None, (meaning,)), *keys)


def _borrowed(name: str) -> tuple[str, ...]:
    """Return the pages of what is meant by a word of other frameworks or papers."""
    kinds = (kind_called(name, _of_family(family)) for family in FAMILIES)
    for meant in filter(None, (statement(name), *kinds, *ours(name))):
        if pages := _pages_of_word(meant):
            return (f"`{name}` is called `{meant}` here.\n", *pages)
    return ()


def close_to(name: str) -> tuple[str, ...]:
    """Return what a name that is none may have been meant for."""
    owner, dot, key = name.partition(".")
    if dot and (blocks := _blocks_of(owner)):
        keys = dict.fromkeys(key for block in blocks for key in _spelled_keys(block))
        near = tuple(f"{owner}.{meant}" for meant in nearest(key, keys))
        return near or ((key,) if _pages_of_word(key) else ())
    kinds = (word for family in FAMILIES for word in words(family))
    return nearest(name, [*statements(), *PART_OF, *kinds, *glossary_words()])


@cache
def statements() -> tuple[str, ...]:
    """Return the statements that have a page."""
    return tuple(sorted(path.stem for path in STATEMENTS.glob("*.md")))


def _statement(name: str) -> str:
    """Return the page of a statement: its prose with an example, and its keys or its kinds."""
    text = (STATEMENTS / f"{name}.md").read_text(encoding="utf-8")
    block = BLOCKS.get(name)
    if block is not None:
        return text + "\n" + "\n".join(section(f"Keys of `{name}`", block, "##"))
    blocks = _blocks_of(name)
    lines = [f"| `{_word(kind)}` | {_sentence(kind)} |" for kind in blocks]
    if not lines:
        return text
    return "\n".join([text, "| word | what it is |\n|---|---|", *lines, ""])


def _kind_page(kind: type[KindBlock]) -> str:
    """Return the page of a kind: its keys; of a task also splits, metrics and its file."""
    text = "\n".join(section(f"`{head_of(kind)}`", kind, "#"))
    if issubclass(kind, TaskBlock):
        text += "\n".join(_of_task(kind))
    brought = origin(kind)
    return text if brought is None else f"{text.rstrip()}\n\nBrought by {brought}.\n"


def _of_task(kind: type[TaskBlock]) -> Iterator[str]:
    task = example_task(kind)
    chosen = [
        f"`{spelling_of(name, info)} = {getattr(task, name)}`"
        for name, info in keys_of(kind).items()
        if info.is_required() and kind_of(info).words
    ]
    if chosen:
        yield f"\nSplits and metrics of {', '.join(chosen)}:"
    uses = {"train": "learned from", "select": "selects the best checkpoint", "report": "measured"}
    yield "\n| split | what it is for |\n|---|---|"
    for name, split in task.splits().items():
        use = uses[split.use] if split.labelled else "predicted; what is right is not published"
        where = f", where the key `{name}` says where it lies" if name in kind.split_keys else ""
        yield f"| `{name}` | {use}{where} |"
    if task.open_splits:
        yield "| any other folder | measured |"
    yield f"\nAn `evaluate` measures {listing(dict.fromkeys(task.evaluated()))}.\n"
    yield f"`select` takes {listing(dict.fromkeys(task.selectable()))}.\n"
    yield (
        f'`evaluate NAME of JOB {{ write = "FILE" }}` writes, and `{_score_of(kind)}` measures: '
        f"{task.result_file.described}.\n"
    )


def _score_of(kind: type[TaskBlock]) -> str:
    """Return the command that measures a file, with all that has to be said."""
    said = ["renaissance score", kind.word(), "FILE"]
    for name, info in keys_of(kind).items():
        spelled = spelling_of(name, info)
        if info.is_required() and spelled not in kind.learning_keys:
            words = kind_of(info).words
            value = next(iter(words), "VALUE")
            said.append("--root DIR" if spelled == "root" else f"--set {spelled}={value}")
    said += [f"--set {name}=TABLE" for name in kind.split_keys]
    return " ".join([*said, "--split", *(kind.split_keys or ("NAME",))])


def example_task(kind: type[TaskBlock]) -> TaskBlock:
    """Return a task with all splits and the first value of each key without a default."""
    values: dict[str, Any] = dict.fromkeys((*kind.split_keys, *kind.needed_to_learn), "…")
    for name, info in kind.model_fields.items():
        if info.is_required():
            takes = kind_of(info)
            values[name] = takes.words[0] if takes.words else 2 if takes.count else "…"  # type: ignore[index]
    return kind(**values)


def _key_page(key: str, owners: Mapping[str, tuple[type[Block], ...]]) -> Iterator[str]:
    """Yield a page on a key, if any of some owners has it: a line for each that differs."""
    rows: dict[str, list[str]] = {}
    for owner, blocks in owners.items():
        for block in blocks:
            for name, info in keys_of(block).items():
                if spelling_of(name, info) == key:
                    where = f"`{_word(block)}`" if issubclass(block, KindBlock) else f"`{owner}`"
                    rows.setdefault(row_of(name, info), []).append(where)
    for row, found in rows.items():
        yield f"# `{key}` of {', '.join(dict.fromkeys(found))}\n\n{TABLE}\n{row}\n"


def _owners() -> tuple[str, ...]:
    return (*BLOCKS, *FAMILY_OF, *POSITIONS)


def _blocks_of(owner: str) -> tuple[type[Block], ...]:
    """Return the blocks that a statement or a word may stand for."""
    if owner in BLOCKS:
        return (BLOCKS[owner],)
    if owner in FAMILY_OF:
        return tuple(_of_family(FAMILY_OF[owner]).values())
    if owner in POSITIONS:
        return tuple(sources(owner).values())  # type: ignore[arg-type]
    return tuple(_kinds(owner))


def _of_family(family: str) -> dict[str, type[Block]]:
    """Return the kinds of a family by their words."""
    found = {word: schema(family, word) for word in words(family)}
    return {word: kind for word, kind in found.items() if kind is not None}


def _kinds(word: str) -> list[type[KindBlock]]:
    """Return the kinds of a word, of each family that has it."""
    found = [kind for family in FAMILIES if (kind := schema(family, word)) is not None]
    for kind in found:
        check_declared(kind)
    return found


def _spelled_keys(block: type[Block]) -> Iterator[str]:
    return (spelling_of(name, info) for name, info in keys_of(block).items())


def _word(block: type[Block]) -> str:
    return block.word() if issubclass(block, KindBlock) else block.__name__.lower()


def _sentence(block: type[Block]) -> str:
    """Return the first sentence of what the block says of itself."""
    return re.split(r"(?<=[.?])\s", " ".join((block.__doc__ or "").split()))[0].replace("|", "\\|")

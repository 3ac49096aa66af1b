"""Levels of factors: what each changes, and how it is laid over what a file declares."""

from collections.abc import Iterable, Iterator

from renaissance.grammar import tree
from renaissance.grammar.composition.drafts import misplaced, plain_text
from renaissance.grammar.composition.job_drafts import CHOSEN, SEVERAL, TABLES
from renaissance.grammar.composition.job_mistakes import (
    BLOCKS_OF_A_JOB,
    EXAMPLES,
    freeze_in_job,
)
from renaissance.grammar.composition.scope import Scope
from renaissance.grammar.composition.settings import block_of, change
from renaissance.grammar.findings import Findings
from renaissance.grammar.record import Record
from renaissance.grammar.schema.vocabulary import JOBS
from renaissance.grammar.source import Span

RESERVED = (*JOBS, *CHOSEN, *SEVERAL, *TABLES, "model", "data", "study", "factor")
"""Words that are no names of blocks."""


class Override(Record):
    """One key that a level states.

    Attributes:
        what: `job`, `model`, `data` or `value`.
        name: of the block or value.
        key: address of the key in the block; empty for a value.
        block: address of the block of a kind that the key is in, `optimizer`; empty outside.
        word: of that kind, `adamw`.
        place: where the level states it.
    """

    what: str
    name: str
    key: str
    block: str = ""
    word: str = ""
    place: Span

    @property
    def address(self) -> str:
        """What tells it from others; a job is `on` its model."""
        return f"{self.name}.{self.key}" if self.key else self.name

    @property
    def spelled(self) -> str:
        """What `--set` calls it."""
        return f"{self.name}.model" if self.key == "on" else self.address

    @property
    def outside(self) -> str:
        """The address of the block of a kind that the key is in, or of the key."""
        return f"{self.name}.{self.block}" if self.block else self.address


class LevelReader:
    """Lays the statements of levels over a scope."""

    def __init__(self, scope: Scope, roots: tuple[str, ...], findings: Findings) -> None:
        """Change `scope`; what is said of the model in general is meant for the jobs `roots`."""
        self._scope = scope
        self._roots = roots
        self._findings = findings

    def apply(self, level: tree.Declaration) -> tuple[Override, ...]:
        """Lay a level over the scope; return what it states."""
        found: list[Override] = []
        for statement in level.body.statements if level.body else ():
            found.extend(self._statement(statement))
        return tuple(found)

    def _statement(self, statement: tree.Statement) -> Iterator[Override]:
        match statement:
            case tree.Assignment(address=tree.Address(parts=(tree.Name(text="model"),))):
                yield from self._of_roots(statement)
            case tree.Assignment():
                yield from self._assignment(statement)
            case tree.Declaration(keyword=tree.Name(text="model"), name=None, body=tree.Body()):
                yield from self._of_roots(statement)
            case tree.Declaration(keyword=word, name=None, body=tree.Body() as body) if (
                word.text not in RESERVED
            ):
                what = block_of(word, None, self._scope, self._findings)
                if what is not None:
                    self._scope.set_from_outside(what, word.text, body)
                    yield from _stated(what, word.text, body.statements)
            case tree.Freeze():
                self._findings.add(freeze_in_job("level", statement))
            case tree.Declaration(keyword=tree.Name(text=word), name=tree.Name(text=name)) if (
                word in (*JOBS, "model", "data")
            ):
                self._findings.add(
                    misplaced(statement, "not part of a level", f"write `{name} {{ … }}`")
                )
            case tree.Declaration(keyword=tree.Name(text=word)) if word in BLOCKS_OF_A_JOB:
                example = EXAMPLES[word].strip("`")
                meant = f"`{next(iter(self._roots), 'JOB')} {{ {example} }}`"
                self._findings.add(
                    misplaced(statement, "not part of a level", f"it belongs to a job: {meant}")
                )
            case _:
                self._findings.add(
                    misplaced(
                        statement,
                        "not part of a level",
                        "a level changes blocks by name, `base { batch = 64 }`, keys by address, "
                        "`base.batch = 64`, or the model, `model { freeze vision }`",
                    )
                )

    def _of_roots(self, statement: tree.Assignment | tree.Declaration) -> Iterator[Override]:
        """Change the model of every job that starts from a model."""
        for name in self._roots:
            body = tree.Body(span=statement.span, statements=(statement,))
            self._scope.set_from_outside("job", name, body)
            yield from _stated("job", name, body.statements)

    def _assignment(self, statement: tree.Assignment) -> Iterator[Override]:
        change(self._scope, statement, self._findings)
        root, *rest = statement.address.parts
        if not isinstance(root, tree.Name):
            return
        if not rest:
            yield Override(what="value", name=root.text, key="", place=statement.span)
            return
        what = block_of(root, rest[0], self._scope, Findings())
        if what is not None:
            inner = tree.Address(span=statement.address.span, parts=tuple(rest))
            alone = tree.Assignment(span=statement.span, address=inner, value=statement.value)
            yield from _stated(what, root.text, (alone,))


def _stated(what: str, name: str, statements: Iterable[tree.Statement]) -> Iterator[Override]:
    """Yield the keys of a block that statements set."""
    for statement in statements:
        place = statement.span
        match statement:
            case tree.Assignment(address=address):
                key = plain_text(address)
                # A job is `on` its model; `model.…` are keys of that.
                key = "on" if what == "job" and key == "model" else key
                yield Override(what=what, name=name, key=key, place=place)
            case tree.Adapt():
                yield Override(what=what, name=name, key="adapt", place=place)
            case tree.Freeze():
                yield Override(what=what, name=name, key="freeze", place=place)
            case tree.Declaration(keyword=tree.Name(text=word)) if statement.body or statement.name:
                yield from _stated_in_block(what, name, word, statement)


def _stated_in_block(
    what: str, name: str, word: str, statement: tree.Declaration
) -> Iterator[Override]:
    kind = statement.name.text if statement.name else ""
    inner = statement.body.statements if statement.body else ()
    if word in ("model", *TABLES):
        block = word
        kind = ""
    elif word in CHOSEN:
        block = word
    elif word in SEVERAL:
        block = f"{word}.{kind}"
        kind = "none" if statement.value is not None else kind
    else:
        block, kind = kind, ""  # `fusion cross { … }` of a model
    keys = tuple(_stated(what, name, inner))
    if not keys or kind == "none":
        yield Override(
            what=what, name=name, key=block, block=block, word=kind, place=statement.span
        )
    for key in keys:
        yield Override(
            what=what,
            name=name,
            key=f"{block}.{key.key}",
            block=block if kind else "",
            word=kind,
            place=key.place,
        )

"""What each token of a spec stands for, also while a statement is being typed.

A syntax tree has no statement that is not finished; tokens are there. One pass goes through them
with the blocks that are open, and what the schema says of each.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from pydantic.fields import FieldInfo

from renaissance.editor.owners import block_of_stream, job_of
from renaissance.grammar.composition.scope import Scope
from renaissance.grammar.declaration import Block
from renaissance.grammar.kinds.registry import KindError, schema
from renaissance.grammar.schema.model import Adapt, Freeze, Model
from renaissance.grammar.schema.study import StudyKeys
from renaissance.grammar.schema.vocabulary import JOBS, Kind, keys_of, kind_of, spelling_of
from renaissance.grammar.syntax.tokens import Token, tables

What = Literal["statement", "relation", "key", "kind", "word", "declares", "refers", "address"]
Family = Literal["model", "data", "job", "study", "value", "stream", ""]

TOP = ("model", "data", *JOBS, "study")
CHOOSING: Mapping[str, str] = {
    "objective": "objective",
    "augment": "augmentation",
    "optimizer": "optimizer",
    "schedule": "schedule",
}
"""Statements whose next word is a kind of a family."""
PARTS = ("backbone", "embed", "fusion")
"""Statements that name a part of a model."""
RELATIONS: Mapping[str, Family] = {"on": "model", "from": "job", "of": "job"}
_WORDS = ("NAME", "TRUE", "FALSE", "NOTHING", "EXCEPT")


class Role(NamedTuple):
    """A token and what it stands for.

    Attributes:
        token: the word.
        text: its characters.
        what: kind of thing.
        block: whose key it is, or the class of the kind that it names.
        family: of the name that is declared or referred to.
        owner: model, job or study that a stream's name belongs to, as `Frame.owner`.
        address: of a part of a selector, everything up to it.
    """

    token: Token
    text: str
    what: What
    block: type[Block] | None = None
    family: Family = ""
    owner: tuple[str, str] = ("", "")
    address: str = ""


@dataclass(slots=True)
class Frame:
    """A block that is open.

    Attributes:
        word: that opened it; empty for the file.
        block: whose keys it takes, where that is known.
        owner: the statement of the file that it is in, and its name.
        keys: that were set in it.
        statement: tokens of the statement that is being read.
        table: it assigns numbers to addresses.
    """

    word: str = ""
    block: type[Block] | None = None
    owner: tuple[str, str] = ("", "")
    keys: set[str] = field(default_factory=set)
    statement: list[Token] = field(default_factory=list)
    table: bool = False


class Reading:
    """One pass over the tokens of a text.

    Attributes:
        roles: of all words whose meaning is known, by place.
        frames: blocks that are open at the end, outermost first.
    """

    def __init__(self, text: str, tokens: Iterable[Token], scope: Scope) -> None:
        """Read everything.

        Args:
            text: of the file.
            tokens: all of them, or those before a place.
            scope: what the file and its imports declare.
        """
        self.text = text
        self.scope = scope
        self.roles: list[Role] = []
        self.frames = [Frame()]
        self._tokens = [token for token in tokens if token.type not in ("COMMENT", "$END")]
        for index, token in enumerate(self._tokens):
            self._take(index, token)

    def spelled(self, token: Token) -> str:
        """Return the characters of a token."""
        return self.text[token.start : token.end]

    def words(self) -> list[str]:
        """Return the tokens of the statement that is open at the end, as they are spelled."""
        return [self.spelled(token) for token in self.frames[-1].statement]

    def at(self, offset: int) -> Role | None:
        """Return the word at a place, or right before it."""
        return next((r for r in self.roles if r.token.start <= offset <= r.token.end), None)

    def _take(self, index: int, token: Token) -> None:
        frame = self.frames[-1]
        if token.type == "LBRACE":
            self.frames.append(self._opened(index))
            return
        if token.type == "RBRACE":
            if len(self.frames) > 1:
                self.frames.pop()
            return
        if token.type in ("NL", "COMMA") and not self._goes_on(token):
            frame.statement = []
            return
        if token.type in _WORDS or token.type in tables().keywords.values():
            role = self._role(index, token)
            if role is not None:
                self.roles.append(role)
        if token.type != "NL":
            frame.statement.append(token)

    def _goes_on(self, token: Token) -> bool:
        """Tell whether a statement goes on behind a line end or a comma."""
        statement = self.frames[-1].statement
        kinds = [one.type for one in statement]
        if depth(kinds) > 0:
            return True
        if token.type == "COMMA":
            return bool(kinds) and kinds[0] in ("FREEZE", "ADAPT")
        return bool(kinds) and kinds[-1] == "COMMA"

    def _next(self, index: int) -> str:
        return self._tokens[index + 1].type if index + 1 < len(self._tokens) else "NL"

    def _role(self, index: int, token: Token) -> Role | None:
        frame, text = self.frames[-1], self.spelled(token)
        before = self.words()
        if not before:
            return self._first(index, token, text)
        first = before[0]
        if "=" in before:
            return self._in_value(token, text, before)
        if before[-1] == ".":
            address = "".join(before) + text
            if first in ("freeze", "adapt") or frame.table:
                address = selector(before, text)
                return Role(token, text, "address", owner=frame.owner, address=address)
            return Role(token, text, "key", self.block_before_key(before), address=address)
        if first in ("freeze", "adapt"):
            if text in ("nothing", "except", "until"):
                return Role(token, text, "relation")
            return Role(token, text, "address", owner=frame.owner, address=text)
        if first == "let":
            return Role(token, text, "declares", family="value")
        if first in TOP:
            return self._in_head(token, text, before)
        if first in PARTS and len(before) == 1:
            owner = frame.owner
            return Role(token, text, "declares", family="stream", owner=owner)
        if first in CHOOSING and len(before) == 1:
            return Role(token, text, "kind", kind_named(CHOOSING[first], text))
        if first == "factor":
            return Role(token, text, "word")
        return None

    def _first(self, index: int, token: Token, text: str) -> Role | None:
        """Return the role of the first word of a statement."""
        frame = self.frames[-1]
        following = self._next(index)
        assigned = following in ("EQUAL", "DOT", "LSQB")
        if frame.table:
            return Role(token, text, "address", owner=frame.owner, address=text)
        if token.type != "NAME" and not (assigned and token.type in tables().blocks):
            return Role(token, text, "statement")
        if following == "DOT":
            if frame.word in ("", *PARTS):
                return None
            inside = frame.owner[0] == "study"
            if inside and (family := named_block(self.scope, text)):
                return Role(token, text, "refers", family=family)
            if frame.block is Model or block_of_stream(self.scope, frame.owner, text):
                return Role(token, text, "refers", family="stream", owner=frame.owner)
            return Role(token, text, "key", frame.block)
        if assigned:
            frame.keys.add(text)
            if frame.block is None and text in self.scope.lets:
                return Role(token, text, "refers", family="value")
            return Role(token, text, "key", frame.block)
        if following == "LBRACE" and frame.owner[0] == "study":
            family = named_block(self.scope, text)
            return Role(token, text, "refers", family=family) if family else None
        known = frame.block is not None and key_of(frame.block, text) is not None
        return Role(token, text, "key", frame.block) if known else None

    def _in_head(self, token: Token, text: str, before: list[str]) -> Role | None:
        """Return the role of a word between the first one of a block and its brace."""
        first = before[0]
        own: Family = "job" if first in JOBS else first  # type: ignore[assignment]
        if len(before) == 1:
            return Role(token, text, "declares", family=own)
        if before[-1] in RELATIONS or before[-1] == "extends":
            return Role(token, text, "refers", family=RELATIONS.get(before[-1], own))
        return Role(token, text, "relation")

    def _in_value(self, token: Token, text: str, before: list[str]) -> Role | None:
        frame, first = self.frames[-1], before[0]
        behind = before[before.index("=") + 1 :]
        if "(" in behind and behind.count("(") > behind.count(")"):
            if first == "fusion":
                return Role(token, text, "refers", family="stream", owner=frame.owner)
            return None
        if frame.word == "data" and first == "format":
            return Role(token, text, "kind", kind_named("format", text))
        kind = self.kind_of_value(before)
        if first in PARTS or (kind is not None and kind.blocks and not behind):
            found = self.block_of_value(before, text)
            if found is not None:
                return Role(token, text, "kind", found)
        if frame.word == "pretrain" and first == "data":
            return Role(token, text, "refers", family="data")
        if frame.word == "study" and first == "of":
            return Role(token, text, "refers", family="job")
        if frame.word == "study" or (frame.owner[0] == "study" and first == "model"):
            return Role(token, text, "refers", family="model") if first == "model" else None
        if kind is not None and (
            kind.takes(text) or (kind.item is not None and kind.item.takes(text))
        ):
            return Role(token, text, "word", frame.block)
        if text in self.scope.lets:
            return Role(token, text, "refers", family="value")
        return Role(token, text, "word", frame.block)

    def kind_of_value(self, before: list[str]) -> Kind | None:
        """Return what the key takes that a statement assigns to, where that is known."""
        name = before[before.index("=") - 1]
        info = key_of(self.block_before_key(before[: before.index("=") - 1]), name)
        return None if info is None else kind_of(info)

    def block_of_value(self, before: list[str], word: str) -> type[Block] | None:
        """Return the block that a word stands for behind what a statement says so far."""
        first = before[0]
        if first == "fusion":
            return kind_named("fusion", word)
        if first in ("backbone", "embed"):
            return kind_named("source", word)
        kind = self.kind_of_value(before)
        try:
            return None if kind is None or word not in kind.blocks else kind.blocks[word]
        except KindError:
            return None

    def block_before_key(self, before: list[str]) -> type[Block] | None:
        """Return the block whose key follows on an address such as `vision.` or on nothing."""
        frame = self.frames[-1]
        if not before or before[-1] != ".":
            return frame.block
        name = before[0]
        inner = block_of_stream(self.scope, frame.owner, name)
        if inner is not None or frame.owner[0] != "study":
            return inner
        job = job_of(self.scope, name)
        return None if job is None or len(before) > 2 else JOBS[job.keyword.text]

    def _opened(self, index: int) -> Frame:
        """Return the block that a brace opens behind the statement so far."""
        frame, before = self.frames[-1], self.words()
        first = before[0] if before else ""
        named = before[1] if len(before) > 1 else ""
        if "=" in before:
            word = next((w for w in before[before.index("=") + 1 :]), "")
            return Frame(
                first, self.block_of_value(before[: before.index("=") + 1], word), frame.owner
            )
        if not frame.word and first in TOP:
            known: Mapping[str, type[Block]] = {"model": Model, "study": StudyKeys, **JOBS}
            block = self._format(index) if first == "data" else known.get(first)
            return Frame(first, block, (first, named))
        if first in CHOOSING:
            return Frame(first, kind_named(CHOOSING[first], named), frame.owner)
        if first in ("freeze", "adapt"):
            return Frame(first, Freeze if first == "freeze" else Adapt, frame.owner)
        if first in ("scale_lr", "decay_lr"):
            return Frame(first, None, frame.owner, table=True)
        if first == "model":
            return Frame(first, Model, frame.owner)
        if first in PARTS:
            return Frame(first, block_of_stream(self.scope, frame.owner, named), frame.owner)
        if frame.owner[0] == "study" and first not in ("factor",):
            job = job_of(self.scope, first)
            return Frame(first, None if job is None else JOBS[job.keyword.text], frame.owner)
        return Frame(first, None, frame.owner)

    def _format(self, index: int) -> type[Block] | None:
        """Return the format that a `data` block goes on to say."""
        spelled = [self.spelled(token) for token in self._tokens[index : index + 400]]
        for place in range(len(spelled) - 2):
            if spelled[place] == "}":
                return None
            if spelled[place : place + 2] == ["format", "="]:
                return kind_named("format", spelled[place + 2])
        return None


def depth(kinds: Iterable[str]) -> int:
    """Return how many parentheses and brackets are open behind some tokens, given their types."""
    steps = {"LPAR": 1, "LSQB": 1, "RPAR": -1, "RSQB": -1}
    return sum(steps.get(kind, 0) for kind in kinds)


def selector(before: list[str], text: str = "") -> str:
    """Return the address that a statement ends in, a last word included."""
    start = len(before)
    while start > 0 and before[start - 1] not in (",", "freeze", "adapt", "except", "until"):
        start -= 1
    return "".join(before[start:]) + text


def key_of(block: type[Block] | None, spelled: str) -> FieldInfo | None:
    """Return the declaration of a key, by how a file spells it."""
    if block is None:
        return None
    found = (info for name, info in keys_of(block).items() if spelling_of(name, info) == spelled)
    return next(found, None)


def kind_named(family: str, word: str) -> type[Block] | None:
    """Return the class of a word of a family; None where there is none that can be used."""
    try:
        return schema(family, word)
    except KindError:
        return None


def named_block(scope: Scope, name: str) -> Family:
    """Return which family of names of blocks has one."""
    families: Mapping[Family, Mapping[str, object]] = {
        "job": scope.jobs,
        "model": scope.models,
        "data": scope.data,
    }
    return next((family for family, names in families.items() if name in names), "")

"""What can be written where the cursor stands."""

from collections.abc import Iterable, Iterator, Mapping, Set
from itertools import pairwise

from attrs import evolve
from lsprotocol import types

from renaissance.editor.documents import Analysis, Documents
from renaissance.editor.hover import about_key, anatomy_at
from renaissance.editor.navigation import parts_of_model
from renaissance.editor.places import Columns
from renaissance.editor.quoted import quote_before, quoted
from renaissance.editor.reading import (
    CHOOSING,
    TOP,
    Frame,
    Reading,
    Role,
    depth,
    kind_named,
    selector,
)
from renaissance.grammar.anatomy.selectors import KINDS
from renaissance.grammar.declaration import Block
from renaissance.grammar.kinds.registry import words
from renaissance.grammar.reference import default_text
from renaissance.grammar.schema.model import Model
from renaissance.grammar.schema.spec import Spec
from renaissance.grammar.schema.vocabulary import (
    Kind,
    default_of,
    keys_of,
    kind_of,
    sources,
    spelling_of,
)
from renaissance.grammar.source import Source
from renaissance.grammar.syntax.tokens import Token

_OF_MODEL = ("backbone", "embed", "fusion", "freeze", "adapt")
_OF_TRAINING = ("optimizer", "schedule", "augment", "model")
_CHOSEN = ("optimizer", "schedule", "objectives", "augment")
_NAMED_BY: Mapping[str, str] = {"on": "models", "from": "jobs", "of": "jobs"}
_KIND = types.CompletionItemKind


def completions(
    documents: Documents, analysis: Analysis, offset: int, columns: Columns
) -> list[types.CompletionItem]:
    """Return what can be written at a place, keys with what they mean."""
    text = analysis.source.text
    at = next((t for t in analysis.tokens if t.start < offset <= t.end), None)
    if at is not None and at.type == "COMMENT":
        return []
    quote = quote_before(text, offset)
    if quote is not None:
        return list(quoted(analysis, quote, offset, columns))
    typed = at is not None and text[at.start : at.end].isidentifier()
    start = at.start if at is not None and typed else offset
    unique: dict[str, types.CompletionItem] = {}
    for item in _Completion(documents, analysis, start).items():
        unique.setdefault(item.label, item)
    return list(unique.values())


class _Completion:
    """What can be written at one place."""

    def __init__(self, documents: Documents, analysis: Analysis, start: int) -> None:
        before = [token for token in analysis.tokens if token.end <= start]
        self._documents = documents
        self._analysis = analysis
        self._reading = Reading(analysis.source.text, before, analysis.scope)
        self._start = start
        self._frame: Frame = self._reading.frames[-1]
        self._scope = analysis.scope

    def items(self) -> Iterator[types.CompletionItem]:
        before = self._reading.words()
        if not before:
            return self._statements()
        first = before[0]
        if "=" in before:
            return self._values(before)
        if first in ("freeze", "adapt") or self._frame.table:
            return self._addresses(before)
        if first in TOP and before[-1] in (*_NAMED_BY, "extends"):
            return self._names(first, before[-1])
        if first in TOP and len(before) == 2:
            return self._relations(first)
        if first in CHOOSING and len(before) == 1:
            return _kinds(CHOOSING[first], words(CHOOSING[first]))
        if before[-1] == "." and (block := self._reading.block_before_key(before)) is not None:
            return self._keys(block, frozenset())
        return iter(())

    def _statements(self) -> Iterator[types.CompletionItem]:
        """Yield what a statement can begin with."""
        frame = self._frame
        if not frame.word:
            yield from _words(("import", "let", *TOP), _KIND.Keyword)
        elif frame.table:
            yield from self._addresses([])
        elif frame.block is not None:
            yield from self._keys(frame.block, frame.keys | set(self._keys_behind()))
            if frame.block is Model:
                yield from _words(_OF_MODEL, _KIND.Keyword)
                for name in parts_of_model(self._scope, frame.owner):
                    yield _item(name, _KIND.Field)
            elif frame.word in ("pretrain", "finetune"):
                more = ("objective",) if frame.word == "pretrain" else ()
                yield from _words((*_OF_TRAINING, *more), _KIND.Keyword)
            elif frame.word == "study":
                yield from _words(("factor", "except", "only"), _KIND.Keyword)
        elif frame.word == "data":
            yield _item("format", _KIND.Property)
        elif frame.owner[0] == "study":
            yield from _words((*self._scope.jobs, "model"), _KIND.Variable)

    def _keys(self, block: type[Block], said: Set[str]) -> Iterator[types.CompletionItem]:
        """Yield the keys of a block that were not said; those without a default first."""
        for name, info in keys_of(block).items():
            spelled = spelling_of(name, info)
            if name in _CHOSEN or spelled in said:
                continue
            needed = default_of(info) is ...
            table = kind_of(info).table is not None
            about = "needed" if needed else default_text(info).strip("`")
            yield types.CompletionItem(
                label=spelled,
                kind=_KIND.Property,
                label_details=types.CompletionItemLabelDetails(
                    description=None if about == "absent" else about
                ),
                insert_text=f"{spelled} {{ " if table else f"{spelled} = ",
                sort_text=f"{0 if needed else 1}{spelled}",
                documentation=_markdown(
                    about_key(Role(Token("NAME", 0, 0), spelled, "key", block))
                ),
            )

    def _keys_behind(self) -> Iterator[str]:
        """Yield the keys that are set further down in the block that is open."""
        tokens = [t for t in self._analysis.tokens if t.start >= self._start]
        open_blocks = 0
        for token, following in pairwise(tokens):
            open_blocks += (token.type == "LBRACE") - (token.type == "RBRACE")
            if open_blocks < 0:
                return
            if open_blocks == 0 and following.type == "EQUAL":
                yield self._reading.spelled(token)

    def _values(self, before: list[str]) -> Iterator[types.CompletionItem]:
        reading, first = self._reading, before[0]
        frame = self._frame
        head = before[: before.index("=") + 1]
        behind = before[len(head) :]
        called = behind.count("(") > behind.count(")")
        if called:
            if first == "fusion":
                parts = parts_of_model(self._scope, frame.owner)
                streams = [name for name, word in parts.items() if word != "fusion"]
                yield from _words(streams, _KIND.Field)
            return
        if behind and behind[-1] not in ("[", ","):
            return
        if first in ("backbone", "embed"):
            yield from _kinds("source", sources(first))  # type: ignore[arg-type]
        elif first == "fusion":
            yield from _kinds("fusion", words("fusion"))
        elif first == "format" and frame.word == "data":
            yield from _kinds("format", words("format"))
        elif first == "data" and frame.word == "pretrain":
            yield from _words(self._scope.data, _KIND.Variable)
        elif first == "of" and frame.word == "study":
            yield from _words(self._scope.jobs, _KIND.Variable)
        else:
            kind = reading.kind_of_value(head)
            if kind is not None:
                yield from _of_kind(kind)
            if first == "select" or first == "split":
                yield from _words(self._of_task(first), _KIND.EnumMember)
            if first != "let":
                yield from _words(self._scope.lets, _KIND.Constant)

    def _of_task(self, key: str) -> Iterable[str]:
        """Return splits, or metrics that select, of the task of the job around."""
        spec = self._spec()
        name = self._frame.owner[1]
        if spec is None or name not in spec.jobs:
            return ()
        task = getattr(spec.data_job(name), "task", None)
        if task is None:
            return ()
        return task.splits() if key == "split" else dict.fromkeys((task.metric, *task.metrics))

    def _relations(self, first: str) -> Iterator[types.CompletionItem]:
        said = {"model": ("extends",), "pretrain": ("on", "from", "extends")}
        said |= {"finetune": ("from", "on", "extends"), "evaluate": ("of", "extends")}
        return _words(said.get(first, ()), _KIND.Keyword)

    def _names(self, first: str, relation: str) -> Iterator[types.CompletionItem]:
        if relation == "extends":
            relation = "on" if first == "model" else "from"
        if relation == "on":
            return _words(self._scope.models, _KIND.Variable)
        jobs = (n for n, job in self._scope.jobs.items() if job.keyword.text != "evaluate")
        return _words(jobs, _KIND.Variable)

    def _addresses(self, before: list[str]) -> Iterator[types.CompletionItem]:
        """Yield the next parts of an address: streams, what they consist of, and kinds."""
        said = selector(before)
        if not before or not said:
            if before[-1:] in (["freeze"], ["adapt"]):
                yield _item("nothing", _KIND.Keyword)
            parts = (*parts_of_model(self._scope, self._frame.owner), "pool", "heads")
            yield from _in_front(_words(parts, _KIND.Field))
            yield from _words(KINDS, _KIND.EnumMember)
            return
        if not said.endswith("."):
            if depth(token.type for token in self._frame.statement) == 0 and before[0] == "freeze":
                yield from _words(("except", "until"), _KIND.Keyword)
            return
        spec = self._spec()
        anatomy = anatomy_at(spec, self._scope, self._frame.owner)
        if anatomy is None:
            return
        names = said[:-1].count(".") + 1
        for leaf in anatomy.select(said[:-1]).leaves:
            rest = leaf.address.split(".")[names:]
            if rest:
                yield from _in_front([_item(rest[0].partition("[")[0], _KIND.Field)])
            yield from _words(sorted(leaf.kinds), _KIND.EnumMember)

    def _spec(self) -> Spec | None:
        """Return what the file means, without the line that is being typed if need be."""
        name, text = self._analysis.source.name, self._analysis.source.text
        if self._analysis.resolution.spec is not None:
            return self._analysis.resolution.spec
        start = text.rfind("\n", 0, self._start) + 1
        end = text.find("\n", self._start)
        rest = "" if end < 0 else text[end:]
        without = self._documents.analysed(Source(name=name, text=text[:start] + rest))
        return self._documents.spec(without)


def _of_kind(kind: Kind) -> Iterator[types.CompletionItem]:
    yield from _words(kind.words, _KIND.EnumMember)
    if kind.boolean:
        yield from _words(("true", "false"), _KIND.EnumMember)
    if kind.none:
        yield _item("none", _KIND.EnumMember)
    if kind.blocks:
        yield from _words(kind.blocks, _KIND.Class)
    if kind.item is not None:
        yield from _of_kind(kind.item)


def _kinds(family: str, found: Iterable[str]) -> Iterator[types.CompletionItem]:
    """Yield the words of a family with what each is."""
    for word in found:
        about = " ".join((getattr(kind_named(family, word), "__doc__", None) or "").split())
        yield types.CompletionItem(label=word, kind=_KIND.Class, documentation=_markdown(about))


def _words(found: Iterable[str], kind: types.CompletionItemKind) -> Iterator[types.CompletionItem]:
    return (_item(word, kind) for word in found)


def _in_front(found: Iterable[types.CompletionItem]) -> Iterator[types.CompletionItem]:
    """Yield items that an editor shows before those that are sorted by their labels."""
    return (evolve(item, sort_text=f"0{item.label}") for item in found)


def _item(word: str, kind: types.CompletionItemKind) -> types.CompletionItem:
    return types.CompletionItem(label=word, kind=kind)


def _markdown(text: str) -> types.MarkupContent:
    return types.MarkupContent(kind=types.MarkupKind.Markdown, value=text)

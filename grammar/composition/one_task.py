"""A task that stands in no file: its word and keys as a command line gives them."""

from collections.abc import Collection, Mapping

from pydantic.fields import FieldInfo

from renaissance.grammar import tree
from renaissance.grammar.composition.drafts import choice_of
from renaissance.grammar.composition.reader import Reader
from renaissance.grammar.composition.scope import Scope
from renaissance.grammar.diagnostics import SpecError
from renaissance.grammar.findings import Findings
from renaissance.grammar.kinds.data import TaskBlock
from renaissance.grammar.kinds.registry import KindError, Kinds
from renaissance.grammar.names import listing
from renaissance.grammar.places import Places
from renaissance.grammar.schema.vocabulary import default_of, keys_of, kind_of, spelling_of
from renaissance.grammar.source import Source, SourceError
from renaissance.grammar.spelling import quoted
from renaissance.grammar.syntax.parser import parse

_TASKS = Kinds(TaskBlock)


def read_task(word: str, keys: Mapping[str, str], split: str) -> TaskBlock:
    """Return a task that is not learned as if a file said `task = WORD { KEY = VALUE, … }`.

    Args:
        word: of the task.
        keys: values as a file spells them; texts may do without quotes.
        split: what of it is measured; keys without which that can be done may be left out.

    Raises:
        SourceError: if a key is left out that is needed.
        SpecError: if a file could not say that either.
    """
    keys = {**keys, **_only_learned(word, {*keys, split})}
    needed = [name for name, info in _known(word).items() if default_of(info) is ...]
    if absent := [name for name in needed if name not in keys]:
        options = ("--root DIR" if name == "root" else f"--set {name}=VALUE" for name in absent)
        raise SourceError(
            f"task `{word}` needs {listing(absent)}: add {listing(options, between=' and ')}"
        )
    settings = ", ".join(f"{name} = {_spelled(word, name, value)}" for name, value in keys.items())
    source = Source(name="<command line>", text=f"let task = {word} {{ {settings} }}\n")
    file, mistakes = parse(source)
    if mistakes:
        raise SpecError(mistakes)
    findings = Findings()
    task = None
    for statement in file.statements:
        if isinstance(statement, tree.Let):
            reader = Reader(scope=Scope(), findings=findings, places=Places())
            choice = choice_of(statement.value, findings)
            task = choice and reader.choice(choice, _TASKS, ("task",), "task")
    if not isinstance(task, TaskBlock) or findings.has_errors():
        raise SpecError(findings.ordered())
    return task


def _only_learned(word: str, said: Collection[str]) -> dict[str, str]:
    """Return what stands for the keys without a default that say how to learn a task."""
    known = _known(word)
    return {
        name: value
        for name, value in (_TASKS[word].learning_keys.items() if known else ())
        if name in known and name not in said and default_of(known[name]) is ...
    }


def _known(word: str) -> dict[str, FieldInfo]:
    """Return the keys of a task as a file spells them; none of a task that there is not."""
    try:
        return {spelling_of(key, info): info for key, info in keys_of(_TASKS[word]).items()}
    except (KeyError, KindError):
        return {}


def _spelled(word: str, name: str, value: str) -> str:
    """Return a value with quotes where the key takes a text and the value is nothing else."""
    if value.startswith('"'):
        return value
    info = _known(word).get(name)
    if info is None:
        return quoted(value)
    kind = kind_of(info)
    none = kind.none and value == "none"
    other = none or (kind.share and value.endswith("%")) or kind.takes(value)
    return quoted(value) if kind.text and not other else value

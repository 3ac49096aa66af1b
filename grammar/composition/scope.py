"""The names that a file and its imports declare."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from renaissance.grammar import tree
from renaissance.grammar.borrowed import ours
from renaissance.grammar.composition.files import Files
from renaissance.grammar.composition.mistakes import place_of
from renaissance.grammar.diagnostics import Diagnostic, Edit, Label
from renaissance.grammar.findings import Findings
from renaissance.grammar.names import listing
from renaissance.grammar.schema.vocabulary import JOBS
from renaissance.grammar.source import Source, SourceError, Span
from renaissance.grammar.syntax.parser import parse

BLOCKS = ("model", "data", *JOBS)
"""Keywords of blocks that may stand at the top of a file."""

SETTINGS = "--set"
"""The name of what is set from outside of all files, where findings and origins name a file."""

_DEEPEST = 50


@dataclass(slots=True, kw_only=True)
class Scope:
    """Declarations by name; each kind of block has names of its own, all jobs share theirs.

    Attributes:
        lets: named values.
        models: `model` blocks.
        data: `data` blocks.
        jobs: `pretrain`, `finetune` and `evaluate` blocks, in order.
        studies: `study` blocks.
        main: name of the file that was asked for.
        incomplete: a statement of a file could not be read, so that names may be missing.
        imports: where each other file was imported first, by its name.
        settings: what is set from outside of the files, by kind and name of the block.
        used_lets: names of values that were asked for.
        used_models: names of models that a job or another model asked for.
        used_data: names of data that a job asked for.
    """

    lets: dict[str, tree.Let] = field(default_factory=dict)
    models: dict[str, tree.Declaration] = field(default_factory=dict)
    data: dict[str, tree.Declaration] = field(default_factory=dict)
    jobs: dict[str, tree.Declaration] = field(default_factory=dict)
    studies: dict[str, tree.Declaration] = field(default_factory=dict)
    main: str = ""
    incomplete: bool = False
    imports: dict[str, Span] = field(default_factory=dict)
    settings: dict[tuple[str, str], tuple[tree.Body, ...]] = field(default_factory=dict)
    used_lets: set[str] = field(default_factory=set)
    used_models: set[str] = field(default_factory=set)
    used_data: set[str] = field(default_factory=set)

    def settings_of(self, what: str, name: str) -> tuple[tree.Body, ...]:
        """Return what is set from outside of a block, the first one below the others.

        Args:
            what: `model`, `data` or `job`.
            name: of the block.
        """
        return self.settings.get((what, name), ())

    def copy(self) -> "Scope":
        """Return a scope of the same declarations, in which others can be set and used."""
        return replace(
            self,
            lets=dict(self.lets),
            settings=dict(self.settings),
            used_lets=set(),
            used_models=set(),
            used_data=set(),
        )

    def uses(self, other: "Scope") -> None:
        """Count what a copy uses as used."""
        self.used_lets |= other.used_lets
        self.used_models |= other.used_models
        self.used_data |= other.used_data

    def set_from_outside(self, what: str, name: str, body: tree.Body) -> None:
        """Set keys of a block from outside of it, above what was set before."""
        self.settings[what, name] = (*self.settings_of(what, name), body)

    @property
    def started_by_levels(self) -> frozenset[str]:
        """Names that levels of studies give as the model of a job: of models, or of other jobs."""
        bodies = (study.body for study in self.studies.values() if study.body is not None)
        return frozenset(name for body in bodies for name in _models_in(body))

    def own(self, node: tree.Node) -> bool:
        """Tell whether a node stands in the file that was asked for, not in an import."""
        return node.span.source.name == self.main


def _other_name(name: str, second: tree.Node) -> str:
    """Say how two of one name are told apart; an evaluation may have meant to name its job."""
    match second:
        case tree.Declaration(keyword=tree.Name(text="evaluate"), relations=()):
            return f"write `evaluate {name}_test of {name} {{ … }}`"
    return "choose another name, or leave one of them out"


def _models_in(body: tree.Body) -> Iterator[str]:
    for statement in body.statements:
        match statement:
            case tree.Assignment(
                address=tree.Address(parts=(*_, tree.Name(text="model"))),
                value=tree.Address(parts=(tree.Name(text=name),)),
            ):
                yield name
            case tree.Declaration(body=tree.Body() as inner):
                yield from _models_in(inner)


def gather(source: Source, files: Files, findings: Findings) -> Scope:
    """Read a file and everything that it imports.

    Args:
        source: the file that was asked for.
        files: where imports are read from.
        findings: receives what is wrong.
    """
    scope = Scope(main=source.name)
    _Gatherer(scope, files, findings).file(source, ())
    return scope


class _Gatherer:
    def __init__(self, scope: Scope, files: Files, findings: Findings) -> None:
        self._scope = scope
        self._files = files
        self._findings = findings
        self._read: set[str] = set()

    def file(self, source: Source, importers: tuple[tree.Import, ...]) -> None:
        """Read a file that `importers` lead to, outermost first."""
        self._read.add(source.name)
        file, found = parse(source)
        self._findings.extend(found)
        self._scope.incomplete |= file.broken or any(f.severity == "error" for f in found)
        imported: dict[str, tree.Import] = {}
        for statement in file.statements:
            if isinstance(statement, tree.Import):
                self._import(statement, importers, imported)
        for statement in file.statements:
            self._statement(statement)

    def _import(
        self,
        statement: tree.Import,
        importers: tuple[tree.Import, ...],
        imported: dict[str, tree.Import],
    ) -> None:
        path = statement.path
        importer = path.span.source.name
        target = self._files.beside(importer, path.value)
        chain = (*importers, statement)
        if target in (importer, *(step.path.span.source.name for step in importers)):
            self._cycle(target, chain)
            return
        if len(importers) == _DEEPEST:
            self._scope.incomplete = True
            self._findings.add(
                Diagnostic(
                    code="VL101",
                    message=f"`{path.value}` is not imported",
                    span=path.span,
                    label=f"{_DEEPEST} files import one another already",
                )
            )
            return
        if target in imported:
            self._findings.add(
                Diagnostic(
                    code="VL103",
                    message=f"`{path.value}` is imported twice",
                    span=path.span,
                    severity="warning",
                    label="has no effect",
                    related=(Label(span=imported[target].path.span, text="imported here"),),
                    help=("leave it out",),
                )
            )
            return
        imported[target] = statement
        if target in self._read:
            return
        try:
            source = self._files.read(target)
        except SourceError as problem:
            self._scope.incomplete = True
            self._findings.add(
                Diagnostic(
                    code="VL101",
                    message=f"`{path.value}` cannot be imported",
                    span=path.span,
                    label=str(problem),
                    notes=("a path starts at the folder of the file that imports it",),
                )
            )
            return
        self._read.add(target)
        self._scope.imports.setdefault(source.name, path.span)
        self.file(source, chain)

    def _cycle(self, target: str, chain: tuple[tree.Import, ...]) -> None:
        *steps, last = chain
        start = next(
            (i for i, step in enumerate(steps) if step.path.span.source.name == target), len(steps)
        )
        alone = target == last.path.span.source.name
        message = "a file imports itself" if alone else "files import each other in a circle"
        self._findings.add(
            Diagnostic(
                code="VL102",
                message=message,
                span=last.path.span,
                label="closes the circle",
                related=tuple(
                    Label(span=step.path.span, text="imported here") for step in steps[start:]
                ),
                help=("leave it out" if alone else "move what both files need into a third one",),
            )
        )

    def _statement(self, statement: tree.Statement) -> None:
        match statement:
            case tree.Let():
                self._declare("value", self._scope.lets, statement.name, statement)
            case tree.Declaration(keyword=keyword) if keyword.text in BLOCKS:
                self._block(statement)
            case tree.Declaration(keyword=tree.Name(text="study")):
                self._block(statement)
            case tree.Declaration(keyword=keyword):
                self._misplaced(keyword.span, f"`{keyword.text}` does not stand on its own")
            case tree.Freeze(span=span):
                word = "adapt" if isinstance(statement, tree.Adapt) else "freeze"
                first = Span(source=span.source, start=span.start, end=span.start + len(word))
                self._misplaced(first, f"`{word}` does not stand on its own")
            case tree.Assignment():
                self._assigned_outside(statement)

    def _assigned_outside(self, statement: tree.Assignment) -> None:
        """Report a value outside of any block; its name stands for it all the same."""
        span, parts = statement.address.span, statement.address.parts
        message = f"`{span.text}` is assigned outside of any block"
        if len(parts) > 1 or not isinstance(parts[0], tree.Name):
            self._misplaced(span, message, "a named value is written `let name = value`")
            return
        name = parts[0]
        start = Span(source=span.source, start=span.start, end=span.start)
        belongs = place_of((name.text, *ours(name.text)))
        self._misplaced(
            span,
            message,
            *filter(None, (belongs, f"a named value is written `let {name.text} = …`")),
            edits=() if belongs else (Edit(span=start, text="let "),),
        )
        let = tree.Let(span=statement.span, name=name, value=statement.value)
        self._scope.lets.setdefault(name.text, let)
        self._scope.used_lets.add(name.text)

    def _misplaced(
        self, span: Span, message: str, *help: str, edits: tuple[Edit, ...] = ()
    ) -> None:
        self._findings.add(
            Diagnostic(
                code="VL109",
                message=message,
                span=span,
                label="not part of any block",
                help=help or ("it belongs between the braces of a model or a job",),
                notes=("a file consists of `import`, `let`, " + listing((*BLOCKS, "study")),),
                edits=edits,
            )
        )

    def _block(self, statement: tree.Declaration) -> None:
        word = statement.keyword.text
        if statement.name is None:
            self._findings.add(
                Diagnostic(
                    code="VL112",
                    message=f"`{word}` has no name",
                    span=statement.keyword.span,
                    help=(f"write `{word} some_name {{ … }}`",),
                )
            )
            return
        if statement.value is not None:
            self._misplaced(
                statement.value.span,
                f"`{word}` takes braces, not a value",
                f"write `{word} {statement.name.text} {{ … }}`",
            )
            self._scope.incomplete = True
            return
        scope = self._scope
        known = {"model": scope.models, "data": scope.data, "study": scope.studies}
        names = known.get(word, scope.jobs)
        what = word if word in known else "job"
        self._declare(what, names, statement.name, statement)

    def _declare(
        self,
        what: str,
        names: dict[str, "tree.Declaration"] | dict[str, tree.Let],
        name: tree.Name,
        statement: tree.Declaration | tree.Let,
    ) -> None:
        known = names.get(name.text)
        if known is None:
            names[name.text] = statement  # type: ignore[assignment]
            return
        assert known.name is not None
        # Another one was meant to have another name.
        self._scope.incomplete = True
        self._findings.add(
            Diagnostic(
                code="VL105",
                message=f"{what} `{name.text}` is defined twice",
                span=name.span,
                label="defined again",
                related=(Label(span=known.name.span, text="first defined here"),),
                help=("an imported name cannot be redefined; choose another one",)
                if known.span.source != name.span.source
                else (_other_name(name.text, statement),),
            )
        )

"""Compose models: what a block says, over what its parents say, under what a job overrides."""

from renaissance.grammar import tree
from renaissance.grammar.anatomy.selectors import KINDS
from renaissance.grammar.composition.drafts import (
    Choice,
    Setting,
    assignments,
    choice_of,
    misplaced,
    plain_text,
    put,
)
from renaissance.grammar.composition.lets import follow
from renaissance.grammar.composition.mistakes import (
    encoder_in,
    no_key_of_a_model,
    states_a_stream,
)
from renaissance.grammar.composition.overrides import set_inside
from renaissance.grammar.composition.scope import Scope
from renaissance.grammar.diagnostics import Diagnostic, Edit, Label
from renaissance.grammar.findings import Findings
from renaissance.grammar.names import listing, suggestion, with_article
from renaissance.grammar.record import Record, field, replace
from renaissance.grammar.schema.model import Model
from renaissance.grammar.schema.vocabulary import keys_of
from renaissance.grammar.source import Span

RESERVED = frozenset({"fusion", "pool", "heads", "layers", "nothing", "none", *KINDS})
"""Names that streams and fusions cannot have: they mean something else in an address."""


_THIRD_PERSON = {"freeze": "freezes", "adapt": "adapts"}


class StreamDraft(Record):
    """`backbone text = …` or `embed text = …`."""

    keyword: tree.Name
    name: tree.Name
    choice: Choice | None


class ModelDraft(Record, many=True):
    """A model as files state it, parents included.

    Attributes:
        name: place and text of its name.
        streams: inputs by name, in order.
        fusion_name: what the fusion is called; None where none is declared.
        fusion: kind and keys of the fusion.
        keys: keys of the model itself.
        freeze: directives; a child's replace its parent's.
        adapt: likewise.
        broken: part of it could not be read: say nothing about what is missing.
    """

    name: tree.Name
    streams: dict[str, StreamDraft] = field(default_factory=dict)
    fusion_name: tree.Name | None = None
    fusion: Choice | None = None
    keys: dict[str, Setting] = field(default_factory=dict)
    freeze: tuple[tree.Freeze, ...] = ()
    adapt: tuple[tree.Freeze, ...] = ()
    broken: bool = False

    def roots(self) -> tuple[str, ...]:
        """Return the names that addresses of this model start with."""
        fusion = (self.fusion_name.text,) if self.fusion_name else ()
        return (*self.streams, *fusion)


class Overridable(Record):
    """What a body may override.

    Attributes:
        parent: there is something: a parent, or the model of a job.
        complete: all of it could be read, so that what is not there is not there.
    """

    parent: bool
    complete: bool


class Composer:
    """Builds the drafts of all models, each once."""

    def __init__(self, scope: Scope, findings: Findings) -> None:
        """Look names up in `scope`, report to `findings`."""
        self._scope = scope
        self._findings = findings
        self._drafts: dict[str, ModelDraft | None] = {}

    def draft(self, name: str) -> ModelDraft | None:
        """Return the draft of a declared model; None if it has no parent that it can start from."""
        chain: list[str] = []
        step: str | None = name
        while step is not None and step not in self._drafts:
            if step in chain:
                self._circle(chain[chain.index(step) :])
                self._drafts.update(dict.fromkeys(chain))
                break
            chain.append(step)
            parent = self._extends(self._scope.models[step])
            step = parent.target.text if parent and self._known(parent.target) else None
        for step in reversed(chain):
            if step not in self._drafts:
                self._drafts[step] = self._compose(step)
        return self._drafts[name]

    def _compose(self, name: str) -> ModelDraft | None:
        """Return a draft, with that of the parent at hand."""
        declaration = self._scope.models[name]
        assert declaration.name is not None
        draft = ModelDraft(name=declaration.name)
        parent = self._extends(declaration)
        for relation in declaration.relations:
            if relation.word.text != "extends" or relation is not parent:
                self._findings.add(_not_extending(relation, parent))
        if parent is not None:
            inherited = self._drafts.get(parent.target.text)
            if inherited is None:
                return None
            draft = replace(inherited, name=declaration.name)
        if declaration.body is not None:
            draft = self.apply(draft, declaration.body, parent=parent is not None)
        elif parent is None:
            self._findings.add(
                Diagnostic(
                    code="VL311",
                    message=f"model `{name}` is empty",
                    span=declaration.name.span,
                    help=("braces hold its backbones and its fusion",),
                )
            )
            return None
        for body in self._scope.settings_of("model", name):
            draft = self.apply(draft, body, parent=True, job=True)
        return draft

    def _extends(self, declaration: tree.Declaration) -> tree.Relation | None:
        relations = declaration.relations
        extending = next((r for r in relations if r.word.text == "extends"), None)
        # Another word is reported, and what it names is the parent that was meant.
        return extending or next(iter(relations), None)

    def _known(self, parent: tree.Name) -> bool:
        self._scope.used_models.add(parent.text)
        if parent.text in self._scope.models:
            return True
        if not self._scope.incomplete:
            self._findings.add(unknown_name("model", parent, self._scope.models))
        return False

    def _circle(self, names: list[str]) -> None:
        relations = [self._extends(self._scope.models[name]) for name in names]
        *others, last = [relation for relation in relations if relation is not None]
        self._findings.add(
            Diagnostic(
                code="VL107",
                message=f"model `{names[0]}` extends itself",
                span=last.target.span,
                label="closes the circle",
                related=tuple(
                    Label(span=relation.span, text="extends the next") for relation in others
                ),
                help=("let one of them extend nothing, or another one",),
            )
        )

    def apply(
        self, base: ModelDraft, body: tree.Body, *, parent: bool, job: bool = False
    ) -> ModelDraft:
        """Return `base` with the statements of a body laid over it.

        Args:
            base: what there is: nothing yet, a parent, or the model of a job.
            body: statements of the model, or of `model { … }` in a job.
            parent: there is something to override.
            job: the body is an override in a job, which changes keys and freezing only.
        """
        streams = dict(base.streams)
        fusion_name, fusion = base.fusion_name, base.fusion
        own: dict[str, Setting] = {}
        declared: dict[str, Span] = {}
        freezes: list[tree.Freeze] = []
        adapts: list[tree.Freeze] = []
        overrides: list[tree.Assignment] = []
        broken = base.broken or body.broken
        known = Overridable(parent=parent, complete=not broken)
        for statement in body.statements:
            match statement:
                case tree.Adapt():
                    adapts.append(statement)
                case tree.Freeze():
                    freezes.append(statement)
                case tree.Assignment(address=tree.Address(parts=(tree.Name(text=key),))):
                    put(own, statement.address.span, key, statement.value, self._findings)
                case tree.Assignment():
                    overrides.append(statement)
                case tree.Declaration(keyword=tree.Name(text="backbone" | "embed")):
                    stream = self._stream(statement, streams, declared, known, job)
                    if stream is not None:
                        streams[stream.name.text] = stream
                    broken |= stream is None
                case tree.Declaration(keyword=tree.Name(text="fusion")):
                    found = self._fusion(statement, fusion_name, fusion, declared, known, job)
                    if found is not None:
                        fusion_name, fusion = found
                    broken |= found is None
                case _:
                    self._findings.add(_no_part(statement))
        kept = self._model_keys(own)
        broken |= any(states_a_stream(key, setting.value) for key, setting in own.items())
        draft = replace(
            base,
            streams=streams,
            fusion_name=fusion_name,
            fusion=fusion,
            keys={**base.keys, **kept},
            freeze=self._directives("freeze", freezes) if freezes else base.freeze,
            adapt=self._directives("adapt", adapts) if adapts else base.adapt,
            broken=broken,
        )
        return self._override(draft, overrides, _set_in_blocks(body), parent)

    def _model_keys(self, keys: dict[str, Setting]) -> dict[str, Setting]:
        known = keys_of(Model)
        kept = {}
        for name, setting in keys.items():
            if name in known:
                kept[name] = setting
                continue
            self._findings.add(no_key_of_a_model(name, setting))
        return kept

    def _directives(self, word: str, said: list[tree.Freeze]) -> tuple[tree.Freeze, ...]:
        nothing = [one for one in said if not one.selectors]
        if nothing and len(said) > 1:
            other = next(one for one in said if one.selectors or one is not nothing[0])
            self._findings.add(
                Diagnostic(
                    code="VL208",
                    message=f"`{word} nothing` stands beside another `{word}`",
                    span=nothing[0].span,
                    related=(Label(span=other.span, text=f"{_THIRD_PERSON[word]} as well"),),
                    help=("leave one of them out",),
                    notes=(f"`{word} nothing` takes back what a parent says",),
                )
            )
        return tuple(one for one in said if one.selectors)

    def _stream(
        self,
        statement: tree.Declaration,
        streams: dict[str, StreamDraft],
        declared: dict[str, Span],
        known: Overridable,
        job: bool,
    ) -> StreamDraft | None:
        word, name = statement.keyword, statement.name
        if name is None:
            self._findings.add(
                Diagnostic(
                    code="VL112",
                    message=f"`{word.text}` has no name",
                    span=word.span,
                    help=(f"write `{word.text} text = …`",),
                )
            )
            return None
        self._no_relations(statement)
        if self._declared_twice(name, declared):
            return None
        self._not_reserved(name)
        if statement.value is None:
            inherited = streams.get(name.text)
            keys, broken = assignments(statement.body, self._findings)
            if inherited is None or not known.parent:
                self._nothing_to_override(name, "stream", streams, known, word.text)
                return None
            if inherited.choice is None:
                return None
            return replace(inherited, choice=inherited.choice.merged(keys, broken))
        if job:
            self._findings.add(_only_keys(statement))
            return None
        return StreamDraft(
            keyword=word, name=name, choice=self._choice(statement.value, word.text, name.text)
        )

    def _fusion(
        self,
        statement: tree.Declaration,
        fusion_name: tree.Name | None,
        fusion: Choice | None,
        declared: dict[str, Span],
        known: Overridable,
        job: bool,
    ) -> tuple[tree.Name, Choice | None] | None:
        name = statement.name
        if name is None:
            self._findings.add(
                Diagnostic(
                    code="VL112",
                    message="`fusion` has no name",
                    span=statement.keyword.span,
                    help=("write `fusion joint = …`",),
                )
            )
            return None
        self._no_relations(statement)
        if self._declared_twice(name, declared):
            return None
        self._not_reserved(name, fusion=True)
        if statement.value is None:
            keys, broken = assignments(statement.body, self._findings)
            if fusion_name is None or fusion_name.text != name.text or not known.parent:
                names = (fusion_name.text,) if fusion_name else ()
                self._nothing_to_override(name, "fusion", names, known, "fusion")
                return None
            return fusion_name, fusion.merged(keys, broken) if fusion else None
        if job:
            self._findings.add(_only_keys(statement))
            return None
        earlier = declared.get("fusion =")
        if earlier is not None:
            self._findings.add(
                Diagnostic(
                    code="VL311",
                    message="a model has one fusion",
                    span=name.span,
                    label="a second one",
                    related=(Label(span=earlier, text="the first one"),),
                )
            )
            return None
        declared["fusion ="] = name.span
        return name, self._choice(statement.value, "fusion", name.text)

    def _choice(self, value: tree.Value, what: str, name: str) -> Choice | None:
        origin = value.span
        meant = follow(value, self._scope, self._findings)
        if meant is None:
            return None
        choice = choice_of(meant, self._findings)
        if choice is None:
            named = None if what == "fusion" else encoder_in(meant, name)
            self._findings.add(
                Diagnostic(
                    code="VL404",
                    message=f'`{what}` takes a block, such as `timm("…") {{ … }}`'
                    if what == "backbone"
                    else f"`{what}` takes a block",
                    span=origin,
                    help=(f"write `{named}`",) if named else (),
                    edits=(Edit(span=origin, text=named),) if named and meant is value else (),
                )
            )
        return choice

    def _declared_twice(self, name: tree.Name, declared: dict[str, Span]) -> bool:
        if name.text not in declared:
            declared[name.text] = name.span
            return False
        self._findings.add(
            Diagnostic(
                code="VL105",
                message=f"`{name.text}` is defined twice in this model",
                span=name.span,
                label="defined again",
                related=(Label(span=declared[name.text], text="first defined here"),),
                help=("choose another name, or leave one of them out",),
            )
        )
        return True

    def _not_reserved(self, name: tree.Name, fusion: bool = False) -> None:
        if name.text not in RESERVED or (fusion and name.text == "fusion"):
            return
        self._findings.add(
            Diagnostic(
                code="VL106",
                message=f"`{name.text}` cannot be the name of a stream or a fusion",
                span=name.span,
                label="means something else in an address",
                help=("choose another name",),
                notes=(f"reserved are {listing(sorted(RESERVED))}",),
            )
        )

    def _no_relations(self, statement: tree.Declaration) -> None:
        for relation in statement.relations:
            self._findings.add(
                _relation(relation, f"`{statement.keyword.text}` relates to nothing")
            )

    def _nothing_to_override(
        self,
        name: tree.Name,
        what: str,
        names: "dict[str, StreamDraft] | tuple[str, ...]",
        known: Overridable,
        word: str,
    ) -> None:
        if known.parent and not known.complete:
            return
        if not known.parent:
            self._findings.add(
                Diagnostic(
                    code="VL108",
                    message=f"there is no {what} `{name.text}` to override",
                    span=name.span,
                    label="this model extends no other",
                    help=(f"write `{word} {name.text} = …`",),
                )
            )
            return
        self._findings.add(
            Diagnostic(
                code="VL108",
                message=f"there is no {what} `{name.text}` to override",
                span=name.span,
                help=suggestion(name.text, names, with_article(what)),
                notes=(f"the model has {listing(names)}",),
            )
        )

    def _override(
        self,
        draft: ModelDraft,
        overrides: list[tree.Assignment],
        seen: dict[str, Setting],
        parent: bool,
    ) -> ModelDraft:
        """Lay overrides by address over a draft: `vision.image_size = 384`.

        Args:
            draft: what they override.
            overrides: in their order.
            seen: keys that the same body overrides in blocks, by address.
            parent: there is something to override.
        """
        for statement in overrides:
            address = statement.address
            spelled = plain_text(address)
            if draft.fusion_name is not None and spelled.startswith("fusion."):
                spelled = draft.fusion_name.text + spelled.removeprefix("fusion")
            before = len(seen)
            put(seen, address.span, spelled, statement.value, self._findings)
            if len(seen) == before:
                continue
            if not parent:
                self._findings.add(
                    misplaced(
                        statement,
                        "an address is not a key",
                        f"set the key between the braces of `{spelled.split('.')[0]}`",
                    )
                )
                continue
            draft = self._override_one(draft, address, statement.value)
        return draft

    def _override_one(
        self, draft: ModelDraft, address: tree.Address, value: tree.Value
    ) -> ModelDraft:
        root, *rest = address.parts
        names = [part for part in rest if isinstance(part, tree.Name)]
        if not isinstance(root, tree.Name) or len(names) != len(rest):
            self._findings.add(
                Diagnostic(
                    code="VL108",
                    message=f"`{plain_text(address)}` is not the address of a key",
                    span=address.span,
                    notes=("layers of a stack have no keys of their own",),
                )
            )
            return draft
        setting = Setting(place=address.span, value=value)
        keys = [name.text for name in names]
        stream = draft.streams.get(root.text)
        if stream is not None:
            if stream.choice is None:
                return draft
            choice = set_inside(stream.choice, keys, setting, self._scope, self._findings)
            streams = {**draft.streams, root.text: replace(stream, choice=choice)}
            return replace(draft, streams=streams)
        if draft.fusion_name is not None and root.text in ("fusion", draft.fusion_name.text):
            if draft.fusion is None:
                return draft
            fusion = set_inside(draft.fusion, keys, setting, self._scope, self._findings)
            return replace(draft, fusion=fusion)
        if draft.broken:
            return draft
        self._findings.add(
            Diagnostic(
                code="VL108",
                message=f"there is no `{root.text}` to override",
                span=root.span,
                help=suggestion(root.text, draft.roots(), "a component"),
                notes=(f"the model has {listing(draft.roots())}",),
            )
        )
        return draft


def _set_in_blocks(body: tree.Body) -> dict[str, Setting]:
    """Return the keys that a body overrides as `backbone text { … }`, by address."""
    found: dict[str, Setting] = {}
    for block in body.statements:
        if not isinstance(block, tree.Declaration) or block.value is not None:
            continue
        if block.name is None or block.body is None:
            continue
        for inner in block.body.statements:
            if isinstance(inner, tree.Assignment):
                address = f"{block.name.text}.{plain_text(inner.address)}"
                found.setdefault(address, Setting(place=inner.address.span, value=inner.value))
    return found


def unknown_name(
    what: str, name: tree.Name, known: "dict[str, tree.Declaration]", meant: str = ""
) -> Diagnostic:
    """Return the finding that nothing of this name is declared, with what to write instead."""
    return Diagnostic(
        code="VL104",
        message=f"there is no {what} named `{name.text}`",
        span=name.span,
        label="not declared here or in an import",
        help=(meant,) if meant else suggestion(name.text, known, with_article(what)),
        notes=(f"there is {listing(known)}",) if known else (),
    )


def _not_extending(relation: tree.Relation, parent: tree.Relation | None) -> Diagnostic:
    """Explain a relation of a model that is none of models, or a second one."""
    meant = f"extends {relation.target.text}"
    finding = _relation(relation, "a model extends one other model")
    if relation is not parent:
        return finding
    edit = Edit(span=relation.word.span, text="extends")
    return replace(finding, help=(f"write `{meant}`",), edits=(edit,))


def _no_part(statement: tree.Statement) -> Diagnostic:
    """Explain a statement that no model has."""
    word = statement.keyword.text if isinstance(statement, tree.Declaration) else ""
    home = {"objective": "`pretrain`", "optimizer": "a job", "schedule": "a job"}.get(word)
    help = (f"it belongs in {home}",) if home else ()
    return misplaced(statement, "not part of a model", *help)


def _relation(relation: tree.Relation, label: str) -> Diagnostic:
    return Diagnostic(
        code="VL410",
        message=f"`{relation.word.text} {relation.target.text}` does not belong here",
        span=relation.span,
        label=label,
    )


def _only_keys(statement: tree.Declaration) -> Diagnostic:
    return misplaced(
        statement,
        "a job overrides keys and freezing",
        "declare the other architecture as a model of its own, with `extends`",
    )

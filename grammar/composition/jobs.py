"""Make data and jobs of the schema: what they relate to, their keys, their models."""

from dataclasses import dataclass, field
from typing import Any

from renaissance.grammar import tree
from renaissance.grammar.checks.partial import PartialModel
from renaissance.grammar.composition.drafts import (
    Choice,
    Setting,
    assignments,
    misplaced,
    plain_text,
    put,
)
from renaissance.grammar.composition.lets import follow
from renaissance.grammar.composition.models import Composer, ModelDraft, unknown_name
from renaissance.grammar.composition.reading import read_model, with_fusion_name
from renaissance.grammar.composition.values import FAILED, Reader
from renaissance.grammar.diagnostics import Diagnostic, Label
from renaissance.grammar.kinds.data import FormatBlock
from renaissance.grammar.kinds.registry import Kinds
from renaissance.grammar.names import listing, nearest, suggestion, with_article
from renaissance.grammar.schema.jobs import Finetune, Job, Pretrain
from renaissance.grammar.schema.vocabulary import JOBS, Kind
from renaissance.grammar.source import Span

_CHOSEN = ("optimizer", "schedule")
_FORMATS = Kinds(FormatBlock)
_RELATIONS = {"pretrain": ("on",), "finetune": ("from", "on"), "evaluate": ("of",)}
_FIELDS = {"from": "source", "on": "on", "of": "of"}


@dataclass(slots=True, kw_only=True)
class JobDraft:
    """A job as its block states it.

    Attributes:
        declaration: the block.
        relations: by word: `on`, `from`, `of`.
        keys: what the block sets.
        overrides: body of `model { … }`.
        broken: part of the block could not be read.
    """

    declaration: tree.Declaration
    relations: dict[str, tree.Relation] = field(default_factory=dict)
    keys: dict[str, Setting] = field(default_factory=dict)
    overrides: tree.Body | None = None
    broken: bool = False

    @property
    def word(self) -> str:
        """`pretrain`, `finetune` or `evaluate`."""
        return self.declaration.keyword.text

    @property
    def name(self) -> tree.Name:
        """The job's name."""
        assert self.declaration.name is not None
        return self.declaration.name


@dataclass(frozen=True, slots=True, kw_only=True)
class JobModel:
    """The model of a job: its draft, and its parts where the job overrides something."""

    draft: ModelDraft
    base: str
    overridden: bool


def read_data(reader: Reader) -> dict[str, FormatBlock | None]:
    """Return the data blocks that a scope declares, by name; None for one that is wrong."""
    read: dict[str, FormatBlock | None] = {}
    for name, declaration in reader.scope.data.items():
        assert declaration.name is not None
        path = ("data", name)
        reader.places.put(path, declaration.name.span, declaration.span)
        for relation in declaration.relations:
            reader.findings.add(
                Diagnostic(
                    code="VL410",
                    message=f"`{relation.span.text}` does not belong here",
                    span=relation.span,
                    label="data relates to nothing",
                )
            )
        keys, broken = assignments(declaration.body, reader.findings)
        chosen = keys.pop("format", None)
        read[name] = None
        if chosen is None:
            if not broken:
                reader.findings.add(
                    Diagnostic(
                        code="VL403",
                        message=f"data `{name}` needs `format`",
                        span=declaration.name.span,
                        label="`format` is missing",
                        notes=("formats are " + listing(_FORMATS),),
                    )
                )
            continue
        word = reader.value(
            chosen.value,
            Kind(words=_FORMATS),
            "",
            (*path, "format"),
            key="format",
            place=chosen.place,
        )
        kind = FAILED if word is FAILED else reader.kind(_FORMATS, word, chosen.place)
        if kind is not FAILED:
            read[name] = reader.block(  # type: ignore[assignment]
                kind,
                keys,
                path,
                where=declaration.name.span,
                what=f"format `{word}`",
                broken=broken,
            )
    return read


def draft_jobs(reader: Reader) -> dict[str, JobDraft]:
    """Return the drafts of all jobs that a scope declares."""
    return {name: _draft(declaration, reader) for name, declaration in reader.scope.jobs.items()}


def _draft(declaration: tree.Declaration, reader: Reader) -> JobDraft:
    findings = reader.findings
    draft = JobDraft(declaration=declaration)
    wanted = _RELATIONS[draft.word]
    for relation in declaration.relations:
        word = relation.word.text
        if word not in wanted:
            findings.add(
                Diagnostic(
                    code="VL410",
                    message=f"`{relation.span.text}` does not belong here",
                    span=relation.span,
                    label=f"`{draft.word}` takes " + " or ".join(f"`{w} …`" for w in wanted),
                    help=(f"write `{_instead(reader, wanted, relation)}`",),
                )
            )
            # What was probably meant is not unused.
            reader.scope.used_models.update({relation.target.text} & reader.scope.models.keys())
        elif draft.relations:
            earlier = next(iter(draft.relations.values()))
            findings.add(
                Diagnostic(
                    code="VL512",
                    message=f"job `{draft.name.text}` starts from two things",
                    span=relation.span,
                    label="a second one",
                    related=(Label(span=earlier.span, text="the first one"),),
                )
            )
        else:
            draft.relations[word] = relation
    if declaration.body is None:
        return draft
    draft.broken = declaration.body.broken
    objectives: list[Choice] = []
    for statement in declaration.body.statements:
        match statement:
            case tree.Assignment(address=address, value=value):
                key = plain_text(address)
                if key == "objectives" and draft.word == "pretrain":
                    key = "objective"
                if key in ("optimizer", "schedule", "scale_lr", "objective", "model"):
                    findings.add(_is_block(key, statement))
                    draft.broken = True
                else:
                    put(draft.keys, address.span, key, value, findings)
            case tree.Declaration(keyword=tree.Name(text="model"), name=None, value=None):
                _take_overrides(draft, statement, reader)
            case tree.Declaration(keyword=tree.Name(text="scale_lr"), name=None, value=None):
                put(
                    draft.keys,
                    statement.keyword.span,
                    "scale_lr",
                    _table(statement, reader),
                    findings,
                )
            case tree.Declaration(keyword=tree.Name(text="objective"), name=tree.Name()):
                choice = _choice(statement, reader)
                objectives.append(choice)
                if draft.word == "pretrain":
                    draft.keys.setdefault(
                        "objectives", Setting(place=statement.keyword.span, value=())
                    )
                else:
                    findings.add(
                        misplaced(
                            statement,
                            f"`{draft.word}` has no objectives",
                            "objectives belong to `pretrain`",
                        )
                    )
            case tree.Declaration(keyword=tree.Name(text=word), name=tree.Name()) if (
                word in _CHOSEN
            ):
                put(draft.keys, statement.keyword.span, word, _choice(statement, reader), findings)
            case tree.Declaration(keyword=tree.Name(text=word)) if word in (*_CHOSEN, "objective"):
                example = {"optimizer": "adamw", "schedule": "linear"}.get(word, "mlm")
                findings.add(
                    Diagnostic(
                        code="VL112",
                        message=f"`{word}` does not say which one",
                        span=statement.keyword.span,
                        help=(f"write `{word} {example} {{ … }}`",),
                    )
                )
                draft.broken = True
            case tree.Freeze():
                findings.add(
                    misplaced(
                        statement, f"not part of `{draft.word}`", "write `model { freeze … }`"
                    )
                )
            case _:
                findings.add(misplaced(statement, f"not part of `{draft.word}`"))
    if "objectives" in draft.keys:
        place = draft.keys["objectives"].place
        draft.keys["objectives"] = Setting(place=place, value=tuple(objectives))
    return draft


def _instead(reader: Reader, wanted: tuple[str, ...], relation: tree.Relation) -> str:
    """Return the relation that was probably meant by one that a job does not have."""
    target = relation.target.text
    if "on" in wanted and target in reader.scope.models:
        return f"on {target}"
    of_job = wanted[0] != "on" and target in reader.scope.jobs
    return f"{wanted[0]} {target}" if of_job else f"{wanted[0]} …"


def _take_overrides(draft: JobDraft, statement: tree.Declaration, reader: Reader) -> None:
    if draft.word == "evaluate":
        reader.findings.add(
            misplaced(statement, "an evaluation measures the model as it was trained")
        )
    elif draft.overrides is not None:
        reader.findings.add(
            Diagnostic(
                code="VL402",
                message="`model` is set twice",
                span=statement.keyword.span,
                label="set again",
                related=(Label(span=draft.overrides.span, text="first set here"),),
            )
        )
    else:
        draft.overrides = statement.body


def _choice(statement: tree.Declaration, reader: Reader) -> Choice:
    assert statement.name is not None
    for relation in statement.relations:
        reader.findings.add(
            Diagnostic(
                code="VL410",
                message=f"`{relation.span.text}` does not belong here",
                span=relation.span,
            )
        )
    if statement.value is not None:
        reader.findings.add(
            Diagnostic(
                code="VL411",
                message=f"`{statement.keyword.text}` takes braces, not a value",
                span=statement.value.span,
                help=(f"write `{statement.keyword.text} {statement.name.text} {{ … }}`",),
            )
        )
    keys, broken = assignments(statement.body, reader.findings)
    return Choice(
        kind=statement.name,
        keys=keys,
        span=statement.span,
        broken=broken or statement.value is not None,
    )


def _table(statement: tree.Declaration, reader: Reader) -> dict[str, Setting]:
    keys: dict[str, Setting] = {}
    for inner in statement.body.statements if statement.body else ():
        if isinstance(inner, tree.Assignment):
            put(keys, inner.address.span, plain_text(inner.address), inner.value, reader.findings)
        else:
            reader.findings.add(misplaced(inner, "factors by component address stand here"))
    return keys


def _is_block(key: str, statement: tree.Assignment) -> Diagnostic:
    example = {
        "optimizer": "`optimizer adamw { lr = 1e-4 }`",
        "schedule": "`schedule linear { warmup = 10% }`",
        "scale_lr": "`scale_lr { fusion = 5 }`",
        "objective": "`objective mlm { … }`",
        "model": "`model { vision.image_size = 384 }`",
    }[key]
    return Diagnostic(
        code="VL411",
        message=f"`{key}` is a block, not a key",
        span=statement.address.span,
        help=(f"write {example}",),
    )


class JobReader:
    """Reads jobs in the order in which they depend on each other."""

    def __init__(self, drafts: dict[str, JobDraft], composer: Composer, reader: Reader) -> None:
        """Read `drafts`, with models from `composer`."""
        self.drafts = drafts
        self._composer = composer
        self._reader = reader
        self._models: dict[str, JobModel | None] = {}
        self.parts: dict[str, PartialModel] = {}

    def read(self) -> dict[str, Job | None]:
        """Return all jobs; None for one that is wrong."""
        return {name: self._job(draft) for name, draft in self.drafts.items()}

    def model(self, name: str) -> JobModel | None:
        """Return the model of a training job, with what its sources override."""
        chain: list[str] = []
        step: str | None = name
        while step is not None and step not in self._models:
            if step in chain:
                self._circle(chain[chain.index(step) :])
                self._models.update(dict.fromkeys(chain))
                break
            chain.append(step)
            draft = self.drafts[step]
            step = self._target(draft, "from", ("pretrain", "finetune"))
        for step in reversed(chain):
            if step not in self._models:
                self._models[step] = self._model(self.drafts[step])
        return self._models[name]

    def model_path(self, name: str) -> tuple[str, str] | None:
        """Return where the model of a training job stands in the spec, also of a wrong job."""
        model = self._models.get(name)
        if model is None:
            return None
        return ("job_models", name) if model.overridden else ("models", model.base)

    def _model(self, draft: JobDraft) -> JobModel | None:
        """Return the model of a job, with that of its source at hand."""
        base = None
        if "on" in draft.relations:
            target = draft.relations["on"].target
            self._reader.scope.used_models.add(target.text)
            if target.text not in self._reader.scope.models:
                self._unknown("model", target, self._reader.scope.models, draft.word == "finetune")
                return None
            found = self._composer.draft(target.text)
            if found is not None:
                base = JobModel(draft=found, base=target.text, overridden=False)
        elif "from" in draft.relations:
            base = self._models.get(draft.relations["from"].target.text)
        if base is None or draft.overrides is None:
            return base
        changed = self._composer.apply(base.draft, draft.overrides, parent=True, job=True)
        return JobModel(draft=changed, base=base.base, overridden=True)

    def _target(self, draft: JobDraft, word: str, wanted: tuple[str, ...]) -> str | None:
        """Return the name of the job that a job relates to, if it is one that it may relate to."""
        if word not in draft.relations:
            return None
        target = draft.relations[word].target
        other = self.drafts.get(target.text)
        if other is None:
            self._unknown(
                "job", target, self._reader.scope.jobs, word == "from" and draft.word == "finetune"
            )
            return None
        if other.word not in wanted:
            what = {"from": "starts from", "of": "measures"}[word]
            self._reader.findings.add(
                Diagnostic(
                    code="VL503",
                    message=f"`{draft.word}` {what} a job that "
                    + ("trains" if word == "from" else "learned a task"),
                    span=target.span,
                    label=f"is `{other.word}`",
                    related=(Label(span=other.name.span, text="declared here"),),
                )
            )
            return None
        return target.text

    def _circle(self, names: list[str]) -> None:
        *others, last = [self.drafts[name].relations["from"] for name in names]
        self._reader.findings.add(
            Diagnostic(
                code="VL502",
                message=f"job `{names[0]}` starts from itself",
                span=last.target.span,
                label="closes the circle",
                related=tuple(
                    Label(span=relation.span, text="starts from the next") for relation in others
                ),
            )
        )

    def _unknown(
        self, what: str, name: tree.Name, known: dict[str, tree.Declaration], either: bool
    ) -> None:
        scope = self._reader.scope
        if scope.incomplete:
            return
        word, other, others = (
            ("on", "model", scope.models) if what == "job" else ("from", "job", scope.jobs)
        )
        meant = f"`{name.text}` is {with_article(other)}: write `{word} {name.text}`"
        found = either and name.text in others
        self._reader.findings.add(unknown_name(what, name, known, meant if found else ""))
        if found and other == "model":
            scope.used_models.add(name.text)
        if what == "model":
            # What was probably meant is not unused.
            self._reader.scope.used_models.update(nearest(name.text, known)[:1] or known)

    def _job(self, draft: JobDraft) -> Job | None:
        name = draft.name.text
        reader, path = self._reader, ("jobs", name)
        reader.places.put(path, draft.name.span, draft.name.span)
        known_data = self._data(draft)
        for relation in draft.relations.values():
            reader.places.put(
                (*path, _FIELDS[relation.word.text]), relation.span, relation.target.span
            )
        fixed: dict[str, Any] = {"name": name}
        related = self._relations(draft, fixed)
        block = reader.block(
            JOBS[draft.word],
            draft.keys,
            path,
            where=draft.name.span,
            what=f"`{draft.word}`",
            broken=draft.broken,
            fixed=fixed,
        )
        if block is None or not related or not known_data:
            return None
        if isinstance(block, Pretrain | Finetune):
            block = self._with_fusion_name(block, name)
        return block  # type: ignore[return-value]

    def _relations(self, draft: JobDraft, fixed: dict[str, Any]) -> bool:
        """Fill in what the job relates to; False if that is wrong."""
        name = draft.name.text
        if not draft.relations:
            # Whatever it relates to is unknown; the other keys are worth reading.
            fixed |= {"of": ""} if draft.word == "evaluate" else {"on": ""}
            if draft.declaration.relations:
                # What is wrong with the one that it states was said.
                return False
            words = _RELATIONS[draft.word]
            example = {"pretrain": "on model", "finetune": "from job", "evaluate": "of job"}
            self._reader.findings.add(
                Diagnostic(
                    code="VL512",
                    message=f"`{draft.word} {name}` does not say what it "
                    + ("measures" if draft.word == "evaluate" else "starts from"),
                    span=draft.name.span,
                    label=" or ".join(f"`{word} …`" for word in words) + " is missing",
                    help=(f"write `{draft.word} {name} {example[draft.word]} {{ … }}`",),
                )
            )
            return False
        if draft.word == "evaluate":
            target = self._target(draft, "of", ("finetune",))
            fixed["of"] = target or ""
            return target is not None
        model = self.model(name)
        fixed["on"] = model.base if model else ""
        if draft.word == "finetune" and "from" in draft.relations:
            fixed["source"] = draft.relations["from"].target.text
        if model is None:
            return False
        if model.overridden:
            self.parts[name] = read_model(model.draft, ("job_models", name), self._reader)
        return True

    def _data(self, draft: JobDraft) -> bool:
        """Look data up that a job names, even where the job turns out to be wrong."""
        setting, scope = draft.keys.get("data"), self._reader.scope
        if setting is None or isinstance(setting.value, Choice | tuple | dict):
            return True
        value = follow(setting.value, scope, self._reader.findings, keep=scope.data.__contains__)
        if isinstance(value, tree.Address):
            scope.used_data.add(plain_text(value))
        named = value.items if isinstance(value, tree.Sequence) else ()
        seen: dict[str, Span] = {}
        known = True
        for item in named:
            if not isinstance(item, tree.Address):
                continue
            name = plain_text(item)
            scope.used_data.add(name)
            if name in seen:
                self._reader.findings.add(_named_twice(name, seen[name], item.span))
                known = False
            elif name not in scope.data:
                self._unknown_data(name, item.span)
                known = False
            seen.setdefault(name, item.span)
        return known

    def _unknown_data(self, name: str, span: Span) -> None:
        scope = self._reader.scope
        if scope.incomplete:
            return
        self._reader.findings.add(
            Diagnostic(
                code="VL104",
                message=f"there is no data named `{name}`",
                span=span,
                label="not declared here or in an import",
                help=suggestion(name, scope.data, "data"),
                notes=(f"there is {listing(scope.data)}",) if scope.data else (),
            )
        )
        # What was meant is not unused.
        scope.used_data.update(nearest(name, scope.data)[:1] or scope.data)

    def _with_fusion_name(self, job: Pretrain | Finetune, name: str) -> Pretrain | Finetune:
        model = self.model(name)
        fusion = model.draft.fusion_name if model else None
        if fusion is None or fusion.text == "fusion":
            return job
        scales: dict[str, float] = {}
        path = ("jobs", name, "scale_lr")
        for address, factor in job.scale_lr.items():
            own = with_fusion_name(address, fusion.text)
            if own != address:
                places = self._reader.places
                places.put((*path, own), places.keys[*path, address], places.values[*path, address])
            if own in scales:
                alias = "fusion" + own.removeprefix(fusion.text)
                spans = [self._reader.places.keys[*path, said] for said in (own, alias)]
                self._reader.findings.add(_under_both_names(own, spans))
            scales[own] = factor
        return job.model_copy(update={"scale_lr": scales})


def _under_both_names(address: str, spans: list[Span]) -> Diagnostic:
    """Explain a factor that is given for the name of a fusion and for `fusion`."""
    first, second = sorted(spans, key=lambda span: span.start)
    return Diagnostic(
        code="VL402",
        message=f"`{address}` is set twice",
        span=second,
        label="set again",
        related=(Label(span=first, text="first set here"),),
    )


def _named_twice(name: str, first: Span, second: Span) -> Diagnostic:
    return Diagnostic(
        code="VL518",
        message=f"data `{name}` is named twice",
        span=second,
        label="named again",
        related=(Label(span=first, text="first named here"),),
        help=("leave it out: each of its pairs is learned from once in an epoch",),
    )

"""Jobs with what they inherit: `extends` copies the keys of another job, own ones lie above."""

from dataclasses import replace

from renaissance.grammar import tree
from renaissance.grammar.composition.drafts import Choice, Setting, misplaced, plain_text
from renaissance.grammar.composition.job_drafts import (
    CHOSEN,
    SEVERAL,
    TABLES,
    JobDraft,
    draft_job,
    is_none,
)
from renaissance.grammar.composition.job_mistakes import (
    extends_itself,
    extends_other_kind,
    last_objective,
    model_of_another,
    no_objective,
)
from renaissance.grammar.composition.mistakes import unknown_name
from renaissance.grammar.composition.overrides import block_in, nothing_there, set_inside
from renaissance.grammar.composition.reader import Reader
from renaissance.grammar.composition.scope import Scope
from renaissance.grammar.kinds.block import KindBlock
from renaissance.grammar.names import listing
from renaissance.grammar.schema.vocabulary import JOBS, default_of

_OTHER_LENGTH = {"steps": "epochs", "epochs": "steps"}


def draft_jobs(reader: Reader) -> dict[str, JobDraft]:
    """Return the drafts of all jobs that a scope declares, with what they inherit."""
    return _Inheritance(reader).all()


class _Inheritance:
    """Composes each job once, those that others extend first."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._jobs = reader.scope.jobs
        self._own = {name: draft_job(job, reader) for name, job in self._jobs.items()}
        self._drafts: dict[str, JobDraft] = {}

    def all(self) -> dict[str, JobDraft]:
        for name in self._jobs:
            self._compose(name)
        return {name: self._drafts[name] for name in self._jobs}

    def _compose(self, name: str) -> None:
        chain: list[str] = []
        step: str | None = name
        while step is not None and step not in self._drafts:
            if step in chain:
                self._circle(chain[chain.index(step) :])
                break
            chain.append(step)
            step = self._parent(self._own[step])
        for step in reversed(chain):
            own = self._own[step]
            parent = self._parent(own)
            above = None if parent is None else self._drafts.get(parent)
            draft = self._alone(own) if above is None else laid_over(above, own, self._reader)
            for body in self._reader.scope.settings_of("job", step):
                draft = laid_over(draft, settings_draft(draft, body, self._reader), self._reader)
            self._drafts[step] = self._with_an_objective(draft)

    def _with_an_objective(self, draft: JobDraft) -> JobDraft:
        """Return a job; report one that does without its last objective."""
        setting = draft.keys.get("objectives")
        if setting is None or setting.value != ():
            return draft
        self._reader.findings.add(last_objective(draft.name, setting.place))
        kept = {name: key for name, key in draft.keys.items() if key is not setting}
        return replace(draft, keys=kept, broken=True)

    def _parent(self, draft: JobDraft) -> str | None:
        """Return the name of the job that a job extends, if it may; say once why it may not."""
        if draft.extends is None:
            return None
        target = draft.extends.target
        parent = self._own.get(target.text)
        if parent is None:
            if not self._reader.scope.incomplete:
                self._reader.findings.add(unknown_name("job", target, self._jobs))
            return None
        if parent.word != draft.word:
            finding = extends_other_kind(draft.word, draft.extends, parent.word, parent.name)
            self._reader.findings.add(finding)
            return None
        return target.text

    def _circle(self, names: list[str]) -> None:
        found = [self._own[name].extends for name in names]
        *others, last = [relation for relation in found if relation is not None]
        self._reader.findings.add(extends_itself(names[0], others, last))

    def _alone(self, own: JobDraft) -> JobDraft:
        """Return a job that inherits nothing; what it overrides is a mistake."""
        if own.extends is not None:
            # What it extends cannot be told, so neither can what it lacks.
            return replace(own, broken=True)
        for statement in own.addresses:
            first = plain_text(statement.address).split(".")[0]
            self._reader.findings.add(
                misplaced(
                    statement,
                    "an address is not a key",
                    f"set the key between the braces of `{first}`",
                )
            )
        for name in own.removed.values():
            self._reader.findings.add(no_objective(name, ()))
        return replace(own, broken=own.broken or bool(own.addresses))


def settings_draft(draft: JobDraft, body: tree.Body, reader: Reader) -> JobDraft:
    """Return what is set from outside of a job, as a block above it."""
    declaration = draft.declaration
    own = tree.Declaration(
        span=body.span,
        keyword=declaration.keyword,
        name=declaration.name,
        relations=(),
        value=None,
        body=body,
    )
    stated = draft_job(own, reader, outside=True)
    if stated.relations and "on" not in draft.relations:
        reader.findings.add(model_of_another(draft.name, *stated.relations.values()))
        stated.relations.clear()
    return stated


def laid_over(base: JobDraft, own: JobDraft, reader: Reader) -> JobDraft:
    """Return a job with the keys of another one below its own.

    A block of the same kind keeps the keys that are not stated again; of another kind it takes the
    other's place. Objectives add up, each by its kind; augmentations that are stated are all there
    are. Steps take the place of epochs, and the other way round.
    """
    keys = dict(base.keys)
    for name, setting in own.keys.items():
        if not is_none(setting.value):
            keys.pop(_OTHER_LENGTH.get(name, ""), None)
        keys[name] = _merged(name, keys.get(name), setting)
    if own.removed:
        keys = _without(keys, own, reader)
    draft = replace(
        own,
        relations=own.relations or base.relations,
        keys=keys,
        overrides=(*base.overrides, *own.overrides),
        addresses=(),
        removed={},
        broken=own.broken or base.broken,
    )
    for statement in own.addresses:
        _override(draft, statement, reader)
    return draft


def _merged(name: str, below: Setting | None, above: Setting) -> Setting:
    if below is None:
        return above
    match below.value, above.value:
        case Choice() as old, Choice() as new if name in CHOSEN:
            return Setting(place=above.place, value=_one(old, new))
        case dict() as old, dict() as new:
            # Of two names of one address the last one counts.
            kept = {address: factor for address, factor in old.items() if address not in new}
            return Setting(place=above.place, value={**kept, **new})
        case tuple() as old, tuple() as new if name == "objectives":
            stated: dict[str, Choice] = {choice.kind.text: choice for choice in new}
            known = {choice.kind.text for choice in old}
            both = [_one(choice, stated.get(choice.kind.text) or choice) for choice in old]
            # One of a kind that is stated twice stays twice, and is reported.
            added = [c for c in new if c.kind.text not in known or c is not stated[c.kind.text]]
            return Setting(place=above.place, value=(*both, *added))
    return above


def _one(old: Choice, new: Choice) -> Choice:
    """Return a block above another one of its kind, or in place of one of another kind."""
    if old is new or old.kind.text != new.kind.text:
        return new
    return Choice(
        kind=new.kind,
        arguments=new.arguments if new.arguments is not None else old.arguments,
        keys={**old.keys, **new.keys},
        span=new.span,
        broken=old.broken or new.broken,
    )


def _without(keys: dict[str, Setting], own: JobDraft, reader: Reader) -> dict[str, Setting]:
    """Return the keys of a job without objectives that it does without."""
    setting = keys.get("objectives")
    there = setting.value if setting is not None and isinstance(setting.value, tuple) else ()
    known = tuple(choice.kind.text for choice in there)
    for word, name in own.removed.items():
        if word not in known:
            reader.findings.add(no_objective(name, known))
    kept = tuple(choice for choice in there if choice.kind.text not in own.removed)
    if setting is None:
        return keys
    place = setting.place if kept else [name.span for name in own.removed.values()][-1]
    return {**keys, "objectives": Setting(place=place, value=kept)}


def _override(draft: JobDraft, statement: tree.Assignment, reader: Reader) -> None:
    """Set a key of an inherited block by its address: `optimizer.lr = 2e-5`."""
    address = statement.address
    root, *rest = address.parts
    inner = tree.Address(span=address.span, parts=tuple(rest))
    assert isinstance(root, tree.Name)
    word = root.text
    setting = Setting(place=address.span, value=statement.value)
    if word == "model":
        override = tree.Assignment(span=statement.span, address=inner, value=statement.value)
        draft.overrides += (tree.Body(span=statement.span, statements=(override,)),)
        return
    if word in TABLES:
        table = draft.keys.get(word)
        own = Setting(place=address.span, value={plain_text(inner): setting})
        draft.keys[word] = own if table is None else _merged(word, table, own)
        return
    names = [part.text for part in rest if isinstance(part, tree.Name)]
    if len(names) < len(rest):
        reader.findings.add(nothing_there(plain_text(address), address.span, (), ""))
    elif word in SEVERAL:
        _override_one_of_several(draft, word, names, setting, reader)
    else:
        _override_block(draft, word, names, setting, reader)


def _override_one_of_several(
    draft: JobDraft, word: str, names: list[str], setting: Setting, reader: Reader
) -> None:
    known = draft.keys.get(SEVERAL[word])
    there = known.value if known is not None and isinstance(known.value, tuple) else ()
    kinds = tuple(choice.kind.text for choice in there)
    if known is None or names[0] not in kinds or len(names) < 2:
        note = f"job `{draft.name.text}` has {listing(kinds)}" if kinds else ""
        reader.findings.add(nothing_there(f"{word}.{names[0]}", setting.place, kinds, note))
        return
    changed = tuple(
        set_inside(choice, names[1:], setting, reader.scope, reader.findings)
        if choice.kind.text == names[0]
        else choice
        for choice in there
    )
    draft.keys[SEVERAL[word]] = Setting(place=known.place, value=changed)


def _override_block(
    draft: JobDraft, word: str, names: list[str], setting: Setting, reader: Reader
) -> None:
    known = draft.keys.get(word) or _default(draft, word, setting)
    block = None if known is None else block_in(known, reader.scope, reader.findings)
    if known is None or block is None:
        blocks = tuple(name for name, key in draft.keys.items() if isinstance(key.value, Choice))
        note = f"job `{draft.name.text}` has {listing(blocks)}" if blocks else ""
        hint = ""
        if word in _parts_of_models(reader.scope):
            address = ".".join((draft.name.text, "model", word, *names))
            hint = f"it belongs to the model: `{address}`"
        reader.findings.add(nothing_there(word, setting.place, blocks, note, hint))
        return
    changed = set_inside(block, names, setting, reader.scope, reader.findings)
    draft.keys[word] = Setting(place=known.place, value=changed)


def _parts_of_models(scope: Scope) -> frozenset[str]:
    """Return the names of all streams and fusions."""
    bodies = (model.body.statements for model in scope.models.values() if model.body is not None)
    return frozenset(
        part.name.text
        for body in bodies
        for part in body
        if isinstance(part, tree.Declaration) and part.name is not None
    )


def _default(draft: JobDraft, word: str, setting: Setting) -> Setting | None:
    """Return the block that a job has where it does not state one."""
    info = JOBS[draft.word].model_fields.get(word)
    default = None if info is None else default_of(info)
    if not isinstance(default, KindBlock):
        return None
    kind = tree.Name(span=setting.place, text=default.word())
    return Setting(place=setting.place, value=Choice(kind=kind, span=setting.place))

"""Jobs as their blocks state them: what they relate to, their keys, what they override."""

from dataclasses import dataclass, field

from renaissance.grammar import tree
from renaissance.grammar.composition.drafts import (
    Choice,
    Setting,
    assignments,
    misplaced,
    plain_text,
    put,
)
from renaissance.grammar.composition.job_mistakes import (
    BLOCKS_OF_A_JOB,
    block_as_key,
    block_with_value,
    out_of_place,
    set_twice,
    starts_twice,
    which_one,
)
from renaissance.grammar.composition.values import Reader

RELATIONS = {"pretrain": ("on",), "finetune": ("from", "on"), "evaluate": ("of",)}
"""What a job may relate to, by its word."""

_CHOSEN = ("optimizer", "schedule")


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


def draft_jobs(reader: Reader) -> dict[str, JobDraft]:
    """Return the drafts of all jobs that a scope declares."""
    return {name: _draft(declaration, reader) for name, declaration in reader.scope.jobs.items()}


def _draft(declaration: tree.Declaration, reader: Reader) -> JobDraft:
    draft = JobDraft(declaration=declaration)
    for relation in declaration.relations:
        _take_relation(draft, relation, reader)
    if declaration.body is None:
        return draft
    draft.broken = declaration.body.broken
    objectives: list[Choice] = []
    for statement in declaration.body.statements:
        match statement:
            case tree.Assignment():
                _take_assignment(draft, statement, reader)
            case tree.Declaration(keyword=tree.Name(text="objective"), name=tree.Name()):
                objectives.append(_choice(statement, reader))
                _take_objective(draft, statement, reader)
            case tree.Declaration():
                _take_block(draft, statement, reader)
            case tree.Freeze():
                label = f"not part of `{draft.word}`"
                reader.findings.add(misplaced(statement, label, "write `model { freeze … }`"))
            case _:
                reader.findings.add(misplaced(statement, f"not part of `{draft.word}`"))
    if "objectives" in draft.keys:
        place = draft.keys["objectives"].place
        draft.keys["objectives"] = Setting(place=place, value=tuple(objectives))
    return draft


def _take_relation(draft: JobDraft, relation: tree.Relation, reader: Reader) -> None:
    wanted = RELATIONS[draft.word]
    if relation.word.text not in wanted:
        label = f"`{draft.word}` takes " + " or ".join(f"`{word} …`" for word in wanted)
        instead = f"write `{_instead(reader, wanted, relation)}`"
        reader.findings.add(out_of_place(relation, label, instead))
        # What was probably meant is not unused.
        reader.scope.used_models.update({relation.target.text} & reader.scope.models.keys())
    elif draft.relations:
        first = next(iter(draft.relations.values()))
        reader.findings.add(starts_twice(draft.name, first, relation))
    else:
        draft.relations[relation.word.text] = relation


def _instead(reader: Reader, wanted: tuple[str, ...], relation: tree.Relation) -> str:
    """Return the relation that was probably meant by one that a job does not have."""
    target = relation.target.text
    if "on" in wanted and target in reader.scope.models:
        return f"on {target}"
    of_job = wanted[0] != "on" and target in reader.scope.jobs
    return f"{wanted[0]} {target}" if of_job else f"{wanted[0]} …"


def _take_assignment(draft: JobDraft, statement: tree.Assignment, reader: Reader) -> None:
    key, place = plain_text(statement.address), statement.address.span
    if key == "objectives" and draft.word == "pretrain":
        key = "objective"
    if key in BLOCKS_OF_A_JOB:
        reader.findings.add(block_as_key(key, place))
        draft.broken = True
    else:
        put(draft.keys, place, key, statement.value, reader.findings)


def _take_objective(draft: JobDraft, statement: tree.Declaration, reader: Reader) -> None:
    if draft.word == "pretrain":
        draft.keys.setdefault("objectives", Setting(place=statement.keyword.span, value=()))
    else:
        label = f"`{draft.word}` has no objectives"
        reader.findings.add(misplaced(statement, label, "objectives belong to `pretrain`"))


def _take_block(draft: JobDraft, statement: tree.Declaration, reader: Reader) -> None:
    word, place = statement.keyword.text, statement.keyword.span
    bare = statement.name is None and statement.value is None
    if word == "model" and bare:
        _take_overrides(draft, statement, reader)
    elif word == "scale_lr" and bare:
        put(draft.keys, place, word, _table(statement, reader), reader.findings)
    elif word in _CHOSEN and statement.name is not None:
        put(draft.keys, place, word, _choice(statement, reader), reader.findings)
    elif word in (*_CHOSEN, "objective"):
        reader.findings.add(which_one(statement.keyword))
        draft.broken = True
    else:
        reader.findings.add(misplaced(statement, f"not part of `{draft.word}`"))


def _take_overrides(draft: JobDraft, statement: tree.Declaration, reader: Reader) -> None:
    if draft.word == "evaluate":
        label = "an evaluation measures the model as it was trained"
        reader.findings.add(misplaced(statement, label))
    elif draft.overrides is not None:
        reader.findings.add(set_twice("model", draft.overrides.span, statement.keyword.span))
    else:
        draft.overrides = statement.body


def _choice(statement: tree.Declaration, reader: Reader) -> Choice:
    assert statement.name is not None
    for relation in statement.relations:
        reader.findings.add(out_of_place(relation))
    if statement.value is not None:
        reader.findings.add(
            block_with_value(statement.keyword, statement.name, statement.value.span)
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

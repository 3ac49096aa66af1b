"""Jobs as their blocks state them: what they relate to, their keys, what they override."""

from dataclasses import dataclass, field

from renaissance.grammar import tree
from renaissance.grammar.composition.drafts import (
    Choice,
    Content,
    Setting,
    assignments,
    choice_of,
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
from renaissance.grammar.composition.lets import follow
from renaissance.grammar.composition.values import Reader
from renaissance.grammar.kinds.augmentation import AugmentationBlock
from renaissance.grammar.kinds.registry import Kinds

RELATIONS = {"pretrain": ("on",), "finetune": ("from", "on"), "evaluate": ("of",)}
"""What a job may relate to, by its word."""

_CHOSEN = ("optimizer", "schedule")

_SEVERAL = {"objective": "objectives", "augment": "augment"}
"""Words of blocks of which a job may have several, and the keys that they make up."""


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
    several: dict[str, list[Choice]] = {key: [] for key in _SEVERAL.values()}
    for statement in declaration.body.statements:
        match statement:
            case tree.Assignment():
                _take_assignment(draft, statement, reader)
            case tree.Declaration(keyword=tree.Name(text=word), name=tree.Name()) if (
                word in _SEVERAL
            ):
                _take_one_of_several(draft, statement, several[_SEVERAL[word]], reader)
            case tree.Declaration():
                _take_block(draft, statement, reader)
            case tree.Freeze():
                label = f"not part of `{draft.word}`"
                reader.findings.add(misplaced(statement, label, "write `model { freeze … }`"))
            case _:
                reader.findings.add(misplaced(statement, f"not part of `{draft.word}`"))
    for key, choices in several.items():
        if choices:
            draft.keys[key] = Setting(place=draft.keys[key].place, value=tuple(choices))
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
    elif key == "augment":
        put(draft.keys, place, key, _augment(statement.value, reader), reader.findings)
    else:
        put(draft.keys, place, key, statement.value, reader.findings)


def _augment(value: tree.Value, reader: Reader) -> Content:
    """Return a word, which stands for one augmentation or for none, as blocks would say it."""
    words = Kinds(AugmentationBlock)
    followed = follow(
        value, reader.scope, reader.findings, keep=lambda word: word == "none" or word in words
    )
    match followed:
        case tree.Address(parts=(tree.Name(text="none"),)):
            return ()
        case tree.Address(parts=(tree.Name(),)) | tree.Call():
            choice = choice_of(followed, reader.findings)
            return value if choice is None else (choice,)
    return value


def _take_one_of_several(
    draft: JobDraft, statement: tree.Declaration, others: list[Choice], reader: Reader
) -> None:
    word, place = statement.keyword.text, statement.keyword.span
    key, choice = _SEVERAL[word], _choice(statement, reader)
    if word == "objective" and draft.word != "pretrain":
        label = f"`{draft.word}` has no objectives"
        reader.findings.add(misplaced(statement, label, "objectives belong to `pretrain`"))
    elif draft.word == "evaluate":
        label = "an evaluation looks at images as they are"
        reader.findings.add(misplaced(statement, label))
    elif key in draft.keys and not others:
        # It was set like a key.
        reader.findings.add(set_twice(word, draft.keys[key].place, place))
    else:
        draft.keys.setdefault(key, Setting(place=place, value=()))
        others.append(choice)


def _take_block(draft: JobDraft, statement: tree.Declaration, reader: Reader) -> None:
    word, place = statement.keyword.text, statement.keyword.span
    bare = statement.name is None and statement.value is None
    if word == "model" and bare:
        _take_overrides(draft, statement, reader)
    elif word in ("scale_lr", "decay_lr") and bare:
        put(draft.keys, place, word, _table(statement, reader), reader.findings)
    elif word in _CHOSEN and statement.name is not None:
        put(draft.keys, place, word, _choice(statement, reader), reader.findings)
    elif word in (*_CHOSEN, *_SEVERAL):
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

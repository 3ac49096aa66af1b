"""Jobs as one block states them: what they relate to, their keys, what they override."""

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
    extends_twice,
    freeze_in_job,
    named_without_list,
    out_of_place,
    set_twice,
    starts_twice,
    which_one,
)
from renaissance.grammar.composition.lets import follow
from renaissance.grammar.composition.reader import Reader
from renaissance.grammar.diagnostics import Diagnostic
from renaissance.grammar.kinds.augmentation import AugmentationBlock
from renaissance.grammar.kinds.block import KindBlock
from renaissance.grammar.kinds.objective import ObjectiveBlock
from renaissance.grammar.kinds.optimizer import OptimizerBlock, ScheduleBlock
from renaissance.grammar.kinds.registry import Kinds

RELATIONS = {"pretrain": ("on", "from"), "finetune": ("from", "on"), "evaluate": ("of",)}
"""What a job may relate to, by its word; any may extend another one of its word."""

CHOSEN = ("optimizer", "schedule")
"""Words of blocks of which a job has one each."""

SEVERAL = {"objective": "objectives", "augment": "augment"}
"""Words of blocks of which a job may have several, and the keys that they make up."""

TABLES = ("scale_lr", "decay_lr")
"""Words of blocks that hold factors by address."""

_KINDS: dict[str, type[KindBlock]] = {
    "optimizer": OptimizerBlock,
    "schedule": ScheduleBlock,
    "objective": ObjectiveBlock,
    "augment": AugmentationBlock,
}


@dataclass(slots=True, kw_only=True)
class JobDraft:
    """A job as its block states it, or with what it inherits.

    Attributes:
        declaration: the block.
        extends: the job whose keys it copies.
        relations: by word: `on`, `from`, `of`.
        keys: what the block sets.
        overrides: bodies of `model { … }`, the first one below the others.
        addresses: keys of inherited blocks that it sets by address: `optimizer.lr = 2e-5`.
        removed: inherited objectives that it does without, by word.
        broken: part of the block could not be read.
    """

    declaration: tree.Declaration
    extends: tree.Relation | None = None
    relations: dict[str, tree.Relation] = field(default_factory=dict)
    keys: dict[str, Setting] = field(default_factory=dict)
    overrides: tuple[tree.Body, ...] = ()
    addresses: tuple[tree.Assignment, ...] = ()
    removed: dict[str, tree.Name] = field(default_factory=dict)
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


def draft_job(declaration: tree.Declaration, reader: Reader, *, outside: bool = False) -> JobDraft:
    """Return what the block of a job states by itself.

    Args:
        declaration: the block.
        reader: knows names, receives findings.
        outside: it stands for what is set from outside of the job, which may name its model and
            says which optimizer it has like any key.
    """
    draft = JobDraft(declaration=declaration)
    for relation in declaration.relations:
        _take_relation(draft, relation, reader)
    if declaration.body is None:
        return draft
    draft.broken = declaration.body.broken
    several: dict[str, list[Choice]] = {key: [] for key in SEVERAL.values()}
    for statement in declaration.body.statements:
        match statement:
            case tree.Assignment(address=tree.Address(parts=(_,))):
                if not (outside and _take_from_outside(draft, statement, reader)):
                    _take_assignment(draft, statement, reader)
            case tree.Assignment():
                draft.addresses += (statement,)
            case tree.Declaration(keyword=tree.Name(text=word), name=tree.Name()) if (
                word in SEVERAL
            ):
                _take_one_of_several(draft, statement, several[SEVERAL[word]], reader)
            case tree.Declaration():
                _take_block(draft, statement, reader)
            case tree.Freeze():
                reader.findings.add(freeze_in_job(draft.word, statement))
            case _:
                reader.findings.add(_not_part(draft.word, statement))
    for key, choices in several.items():
        if choices:
            draft.keys[key] = Setting(place=draft.keys[key].place, value=tuple(choices))
    return draft


def _take_relation(draft: JobDraft, relation: tree.Relation, reader: Reader) -> None:
    wanted = RELATIONS[draft.word]
    if relation.word.text == "extends":
        if draft.extends is None:
            draft.extends = relation
        else:
            reader.findings.add(extends_twice(draft.name, draft.extends, relation))
    elif relation.word.text not in wanted:
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
    word = next((word for word in wanted if word != "on"), wanted[0])
    return f"{word} {target}" if target in reader.scope.jobs else f"{wanted[0]} …"


def _take_assignment(draft: JobDraft, statement: tree.Assignment, reader: Reader) -> None:
    key, place = plain_text(statement.address), statement.address.span
    if key == "objectives" and draft.word == "pretrain":
        key = "objective"
    if key in BLOCKS_OF_A_JOB:
        reader.findings.add(block_as_key(key, place, statement.value))
        draft.broken = True
    elif key == "augment":
        put(draft.keys, place, key, _augment(statement.value, reader), reader.findings)
    else:
        put(draft.keys, place, key, statement.value, reader.findings)


def _take_from_outside(draft: JobDraft, statement: tree.Assignment, reader: Reader) -> bool:
    """Take what only stands outside of a job: its model by name, its optimizer or schedule.

    The name of a job stands for the model as that job leaves it.
    """
    key, place, value = plain_text(statement.address), statement.address.span, statement.value
    if key == "model" and isinstance(value, tree.Address) and draft.word != "evaluate":
        target = tree.Name(span=value.span, text=plain_text(value))
        known = target.text in reader.scope.models or target.text not in reader.scope.jobs
        word = tree.Name(span=place, text="on" if known else "from")
        draft.relations[word.text] = tree.Relation(span=statement.span, word=word, target=target)
        return True
    choice = choice_of(value, reader.findings) if key in CHOSEN else None
    if choice is None:
        return False
    put(draft.keys, place, key, choice, reader.findings)
    return True


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
    assert statement.name is not None
    key = SEVERAL[word]
    if word == "objective" and draft.word != "pretrain":
        label = f"`{draft.word}` has no objectives"
        reader.findings.add(misplaced(statement, label, "objectives belong to `pretrain`"))
    elif draft.word == "evaluate":
        label = "an evaluation looks at images as they are"
        reader.findings.add(misplaced(statement, label))
    elif word == "objective" and is_none(statement.value):
        draft.removed[statement.name.text] = statement.name
    elif key in draft.keys and not others:
        # It was set like a key.
        reader.findings.add(set_twice(word, draft.keys[key].place, place))
    else:
        draft.keys.setdefault(key, Setting(place=place, value=()))
        others.append(_choice(statement, reader))


def is_none(value: object) -> bool:
    """Tell whether a value is the word `none`."""
    return isinstance(value, tree.Address) and plain_text(value) == "none"


def _take_block(draft: JobDraft, statement: tree.Declaration, reader: Reader) -> None:
    word, place = statement.keyword.text, statement.keyword.span
    bare = statement.name is None and statement.value is None
    if word == "model" and bare:
        _take_overrides(draft, statement, reader)
    elif word in TABLES and bare:
        put(draft.keys, place, word, _table(statement, reader), reader.findings)
    elif word in CHOSEN and statement.name is not None:
        put(draft.keys, place, word, _choice(statement, reader), reader.findings)
    elif word in (*CHOSEN, *SEVERAL):
        reader.findings.add(which_one(statement.keyword))
        draft.broken = True
    elif word == "data" and statement.name is not None and draft.word == "pretrain":
        reader.findings.add(named_without_list(statement))
        reader.scope.used_data.add(statement.name.text)
        draft.broken = True
    else:
        help: tuple[str, ...] = ()
        if word in TABLES and statement.name is not None and statement.value is not None:
            inner = f"{statement.name.text} = {statement.value.span.text}"
            help = (f"write `{word} {{ {inner} }}`",)
        if word in ("backbone", "embed", "fusion") and draft.word != "evaluate":
            help = (f"what a job changes of its model stands in `model {{ {word} … }}`",)
        reader.findings.add(_not_part(draft.word, statement, *help))


def _not_part(word: str, statement: tree.Statement, *help: str) -> Diagnostic:
    blocks = () if word == "evaluate" else BLOCKS_OF_A_JOB
    return misplaced(statement, f"not part of `{word}`", *help, known=blocks)


def _take_overrides(draft: JobDraft, statement: tree.Declaration, reader: Reader) -> None:
    if draft.word == "evaluate":
        label = "an evaluation measures the model as it was trained"
        reader.findings.add(misplaced(statement, label))
    elif draft.overrides:
        reader.findings.add(set_twice("model", draft.overrides[0].span, statement.keyword.span))
    elif statement.body is not None:
        draft.overrides = (statement.body,)


def _choice(statement: tree.Declaration, reader: Reader) -> Choice:
    """Return the block that a statement chooses: by its word, or by the name of a value."""
    name = statement.name
    assert name is not None
    for relation in statement.relations:
        reader.findings.add(out_of_place(relation))
    if statement.value is not None:
        reader.findings.add(block_with_value(statement.keyword, name, statement.value.span))
    keys, broken = assignments(statement.body, reader.findings)
    broken = broken or statement.value is not None
    named = tree.Address(span=name.span, parts=(name,))
    words = Kinds(_KINDS[statement.keyword.text])
    value = follow(named, reader.scope, reader.findings, keep=words.__contains__)
    meant = None if value is None else choice_of(value, reader.findings)
    if meant is None:
        return Choice(kind=name, keys=keys, span=statement.span, broken=broken)
    return Choice(
        kind=meant.kind,
        arguments=meant.arguments,
        keys={**meant.keys, **keys},
        span=statement.span,
        broken=broken or meant.broken,
    )


def _table(statement: tree.Declaration, reader: Reader) -> dict[str, Setting]:
    keys: dict[str, Setting] = {}
    for inner in statement.body.statements if statement.body else ():
        if isinstance(inner, tree.Assignment):
            put(keys, inner.address.span, plain_text(inner.address), inner.value, reader.findings)
        else:
            reader.findings.add(misplaced(inner, "factors by component address stand here"))
    return keys

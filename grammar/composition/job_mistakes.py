"""Explain what is wrong with data and jobs: what they relate to, and what stands in them."""

from collections.abc import Iterable, Mapping

from renaissance.grammar import tree
from renaissance.grammar.borrowed import ours
from renaissance.grammar.composition.drafts import Content
from renaissance.grammar.diagnostics import Diagnostic, Edit, Label
from renaissance.grammar.kinds.block import KindBlock, kind_called
from renaissance.grammar.kinds.objective import ObjectiveBlock
from renaissance.grammar.kinds.optimizer import OptimizerBlock, ScheduleBlock
from renaissance.grammar.kinds.registry import FAMILIES, Kinds
from renaissance.grammar.names import listing, nearest, suggestion
from renaissance.grammar.source import Span

EXAMPLES = {
    "optimizer": f"`optimizer {FAMILIES['optimizer'].example} {{ lr = 1e-4 }}`",
    "schedule": f"`schedule {FAMILIES['schedule'].example} {{ warmup = 10% }}`",
    "scale_lr": "`scale_lr { fusion = 5 }`",
    "decay_lr": "`decay_lr { text = 0.8 }`",
    "objective": f"`objective {FAMILIES['objective'].example} {{ … }}`",
    "augment": f"`augment {FAMILIES['augmentation'].example} {{ … }}`",
    "model": "`model { vision.image_size = 384 }`",
}
"""How blocks of a job are written, by their words."""

_CHOSEN: Mapping[str, type[KindBlock]] = {
    "optimizer": OptimizerBlock,
    "schedule": ScheduleBlock,
    "objective": ObjectiveBlock,
}
"""Families of the blocks that name a kind."""

BLOCKS_OF_A_JOB = tuple(word for word in EXAMPLES if word != "augment")
"""Words of a job that take braces and no value; a file may set them as if they were keys."""


def out_of_place(relation: tree.Relation, label: str = "", *help: str) -> Diagnostic:
    """Explain `on`, `from` or `of` behind something that does not relate in this way."""
    return Diagnostic(
        code="VL410",
        message=f"`{relation.span.text}` does not belong here",
        span=relation.span,
        label=label,
        help=help,
    )


def no_format(name: tree.Name, formats: Iterable[str], keys: Iterable[str]) -> Diagnostic:
    """Explain that data do not say in which format they are.

    Args:
        name: of the data.
        formats: that there are.
        keys: that they state, one of which may have been meant to say it.
    """
    said = next((key for key in keys if "format" in ours(key) or nearest(key, ("format",))), None)
    return Diagnostic(
        code="VL403",
        message=f"data `{name.text}` needs `format`",
        span=name.span,
        label="`format` is missing",
        help=(f"write `format` in the place of `{said}`" if said else "add `format = …`",),
        notes=(f"formats are {listing(formats)}",),
    )


def starts_twice(name: tree.Name, first: tree.Relation, second: tree.Relation) -> Diagnostic:
    """Explain a job that relates to two things."""
    return Diagnostic(
        code="VL512",
        message=f"job `{name.text}` starts from two things",
        span=second.span,
        label="a second one",
        related=(Label(span=first.span, text="the first one"),),
        help=(f"leave `{second.word.text} {second.target.text}` out",),
        notes=(
            "a job `from` another one trains the model of that one; nothing brings weights of a "
            "job into a model with another fusion",
        ),
    )


def extends_twice(name: tree.Name, first: tree.Relation, second: tree.Relation) -> Diagnostic:
    """Explain a job that copies the keys of two others."""
    return Diagnostic(
        code="VL410",
        message=f"`{second.word.text} {second.target.text}` does not belong here",
        span=second.span,
        label=f"job `{name.text}` extends one other job",
        related=(Label(span=first.span, text="extends this one"),),
    )


def extends_itself(name: str, others: list[tree.Relation], last: tree.Relation) -> Diagnostic:
    """Explain a circle of jobs, each of which extends the next."""
    return Diagnostic(
        code="VL107",
        message=f"job `{name}` extends itself",
        span=last.target.span,
        label="closes the circle",
        related=tuple(Label(span=other.span, text="extends the next") for other in others),
        help=("let one of them extend nothing, or another one",),
    )


def extends_other_kind(
    word: str, relation: tree.Relation, other: str, declared: tree.Name
) -> Diagnostic:
    """Explain a job that extends one of another word, as `finetune` one that is `pretrain`."""
    return Diagnostic(
        code="VL503",
        message=f"`{word}` extends another `{word}`",
        span=relation.target.span,
        label=f"is `{other}`",
        related=(Label(span=declared.span, text="declared here"),),
        help=(f"write `from {relation.target.text}` to start from its weights",)
        if other != "evaluate" and word != "evaluate"
        else (),
    )


def model_of_another(name: tree.Name, relation: tree.Relation) -> Diagnostic:
    """Explain a model that is set for a job which takes that of another job."""
    return Diagnostic(
        code="VL108",
        message=f"job `{name.text}` has no model of its own",
        span=relation.span,
        label="it takes that of the job it starts from",
        related=(Label(span=name.span, text="declared here"),),
        help=("set the model of the job that the chain begins with",),
    )


def no_objective(name: tree.Name, known: tuple[str, ...]) -> Diagnostic:
    """Explain `objective itm = none` in a job that inherits no such objective."""
    return Diagnostic(
        code="VL108",
        message=f"there is no objective `{name.text}` to do without",
        span=name.span,
        help=suggestion(name.text, known, "an objective"),
        notes=(f"the job inherits {listing(known)}",) if known else (),
    )


def last_objective(job: tree.Name, place: Span) -> Diagnostic:
    """Explain `objective itm = none` in a job that then has no objective."""
    return Diagnostic(
        code="VL403",
        message=f"job `{job.text}` has no objective left",
        span=place,
        label="is the last one",
        help=("leave it out, or add another `objective … { … }`",),
        notes=("a pretraining learns one objective at least",),
    )


def starts_from_nothing(
    word: str, name: tree.Name, relations: tuple[str, ...], target: str | None
) -> Diagnostic:
    """Explain a job that does not say what it relates to.

    Args:
        word: of the job.
        name: of the job.
        relations: words that it may have.
        target: what may be meant.
    """
    example = {"pretrain": "on", "finetune": "from", "evaluate": "of"}[word]
    example += f" {target or ('model' if word == 'pretrain' else 'job')}"
    return Diagnostic(
        code="VL512",
        message=f"`{word} {name.text}` does not say what it "
        + ("measures" if word == "evaluate" else "starts from"),
        span=name.span,
        label=" or ".join(f"`{relation} …`" for relation in relations) + " is missing",
        help=(f"write `{word} {name.text} {example} {{ … }}`",),
    )


def starts_from_itself(name: str, others: list[tree.Relation], last: tree.Relation) -> Diagnostic:
    """Explain a circle of jobs, each of which starts from the next."""
    return Diagnostic(
        code="VL502",
        message=f"job `{name}` starts from itself",
        span=last.target.span,
        label="closes the circle",
        related=tuple(Label(span=other.span, text="starts from the next") for other in others),
        help=("let one of them start `on` a model",),
    )


def wrong_job(word: str, relation: tree.Relation, other: str, declared: tree.Name) -> Diagnostic:
    """Explain a job that relates to one of a kind that it cannot relate to.

    Args:
        word: of the job.
        relation: to the other one.
        other: word of the other one.
        declared: its name, where it is declared.
    """
    does = "starts from" if relation.word.text == "from" else "measures"
    return Diagnostic(
        code="VL503",
        message=f"`{word}` {does} a job that trains",
        span=relation.target.span,
        label=f"is `{other}`",
        related=(Label(span=declared.span, text="declared here"),),
        help=("name a `pretrain` or a `finetune`",),
    )


def set_twice(name: str, first: Span, second: Span) -> Diagnostic:
    """Explain something that is given twice, be it under two names."""
    return Diagnostic(
        code="VL402",
        message=f"`{name}` is set twice",
        span=second,
        label="set again",
        related=(Label(span=first, text="first set here"),),
        help=("leave one of them out",),
    )


def block_as_key(word: str, place: Span, value: Content) -> Diagnostic:
    """Explain a word of a job that takes braces and was set like a key.

    Args:
        word: such as `optimizer`.
        place: where it stands.
        value: what it was set to, which may say which one is meant.
    """
    values = value.items if isinstance(value, tree.Sequence) else (value,)
    meant = tuple(filter(None, (_block_meant(word, one) for one in values)))
    written = tuple(f"{word} {said if '{' in said else f'{said} {{ … }}'}" for said in meant)
    return Diagnostic(
        code="VL411",
        message=f"`{place.text.rpartition('.')[2]}` is a block, not a key",
        span=place,
        help=(f"write {listing(written) if written else EXAMPLES[word]}",),
    )


def _block_meant(word: str, value: Content) -> str | None:
    """Return what names the kind that a value of a block's word stands for; None if nothing."""
    if word not in _CHOSEN:
        return None
    match value:
        case tree.Call(arguments=None):
            return value.span.text
        case tree.Address(parts=(tree.Name(text=said),)) | tree.Text(value=said):
            kinds = Kinds(_CHOSEN[word])
            close = nearest(said, kinds)
            return kind_called(said, kinds) or (close[0] if len(close) == 1 else None)
    return None


def block_with_value(word: tree.Name, name: tree.Name, value: Span) -> Diagnostic:
    """Explain a block of a job that was given a value."""
    return Diagnostic(
        code="VL411",
        message=f"`{word.text}` takes braces, not a value",
        span=value,
        help=(f"write `{word.text} {name.text} {{ … }}`",),
    )


def which_one(word: tree.Name) -> Diagnostic:
    """Explain a block of a job that does not name its kind."""
    families = FAMILIES.values()
    example = next(found.example for found in families if word.text in (found.word, found.tag))
    return Diagnostic(
        code="VL112",
        message=f"`{word.text}` does not say which one",
        span=word.span,
        help=(f"write `{word.text} {example} {{ … }}`",),
    )


def unknown_data(name: str, place: Span, known: Iterable[str]) -> Diagnostic:
    """Explain a name that no data have."""
    known = tuple(known)
    return Diagnostic(
        code="VL104",
        message=f"there is no data named `{name}`",
        span=place,
        label="not declared here or in an import",
        help=suggestion(name, known, "data"),
        notes=(f"there is {listing(known)}",) if known else (),
    )


def quoted_data(name: str, place: Span) -> Diagnostic:
    """Explain data whose name stands in quotes."""
    return Diagnostic(
        code="VL404",
        message="`data` takes a list of names",
        span=place,
        label="is a string",
        help=(f"names stand without quotes: `{name}`",),
        edits=(Edit(span=place, text=name),),
    )


def named_twice(name: str, first: Span, second: Span) -> Diagnostic:
    """Explain data that a job names twice."""
    return Diagnostic(
        code="VL518",
        message=f"data `{name}` is named twice",
        span=second,
        label="named again",
        related=(Label(span=first, text="first named here"),),
        help=("leave it out: each of its pairs is learned from once in an epoch",),
    )


def named_without_list(statement: tree.Declaration) -> Diagnostic:
    """Explain `data questions` in a job, which takes a list."""
    word, name = statement.keyword, statement.name
    assert name is not None
    meant = f"data = [{name.text}]"
    return Diagnostic(
        code="VL410",
        message=f"`{word.text}` does not belong here",
        span=word.span,
        label="a job names its data in a list",
        help=(f"write `{meant}`",),
        edits=(Edit(span=statement.span, text=meant),) if statement.body is None else (),
    )


def freeze_in_job(word: str, statement: tree.Freeze) -> Diagnostic:
    """Explain a `freeze` or `adapt` that stands in a job, not in what it changes of its model."""
    span = statement.span
    verb = "adapt" if isinstance(statement, tree.Adapt) else "freeze"
    meant = f"model {{ {span.text} }}"
    start = Span(source=span.source, start=span.start, end=span.start + len(verb))
    return Diagnostic(
        code="VL410",
        message=f"`{verb}` does not belong here",
        span=start,
        label="not part of a level" if word == "level" else f"not part of `{word}`",
        help=(f"write `{meant if chr(10) not in meant else f'model {{ {verb} … }}'}`",),
        edits=(Edit(span=span, text=meant),) if word != "evaluate" else (),
    )

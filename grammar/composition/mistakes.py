"""Explain keys that do not exist, with the reason where there is one."""

from renaissance.grammar import tree
from renaissance.grammar.composition.drafts import Content, Setting
from renaissance.grammar.declaration import Block
from renaissance.grammar.diagnostics import Diagnostic, Edit
from renaissance.grammar.kinds.block import KindBlock
from renaissance.grammar.kinds.objective import ObjectiveBlock
from renaissance.grammar.kinds.optimizer import OptimizerBlock, ScheduleBlock
from renaissance.grammar.kinds.registry import Kinds, words
from renaissance.grammar.kinds.source import Dimensions, SourceBlock
from renaissance.grammar.names import listing, nearest, suggestion
from renaissance.grammar.schema.jobs import Evaluate, Pretrain, Training
from renaissance.grammar.schema.model import Model
from renaissance.grammar.schema.vocabulary import JOBS, keys_of, positional_key, spelling_of
from renaissance.grammar.source import Span

_OF_IMAGES = ("image_size", "patch", "stem")
_OF_BACKBONES = (*_OF_IMAGES, "layers", "width", "heads", "max_tokens", "vocabulary")
_STATEMENTS = ("backbone", "embed", "fusion")
DIMENSIONS = (*Dimensions.model_fields, "activation")
_DERIVED = ("tokenizer", "vocabulary", "vocab_size", "special_tokens")


def unknown_key(block: type[Block], name: str, place: Span, what: str) -> Diagnostic:
    """Return the finding that a block has no such key.

    Args:
        block: class of the schema.
        name: key that the file sets.
        place: of the key.
        what: what the message calls the block.
    """
    if issubclass(block, SourceBlock) and (finding := _of_the_backbone(block, name, place, what)):
        return finding
    if name == positional_key(block):
        return Diagnostic(
            code="VL401",
            message=f"{what} has no key `{name}`",
            span=place,
            help=("its value stands between the parentheses",),
        )
    if hint := _elsewhere(block, name):
        return Diagnostic(
            code="VL401",
            message=f"{what} has no key `{name}`",
            span=place,
            label="belongs elsewhere",
            help=(hint,),
        )
    if issubclass(block, Training) and name == "objective":
        return Diagnostic(
            code="VL411",
            message="`objective` is a block, not a key",
            span=place,
            help=(f"write `objective {next(iter(Kinds(ObjectiveBlock)))} {{ … }}`",),
        )
    if home := _home(block, name):
        return Diagnostic(
            code="VL401",
            message=f"{what} has no key `{name}`",
            span=place,
            label=f"belongs in `{home.partition(' ')[0]}`",
            help=(f"`{name}` belongs in `{home} {{ {name} = … }}`",),
        )
    return _plain(block, name, place, what)


def _of_the_backbone(
    source: type[SourceBlock], name: str, place: Span, what: str
) -> Diagnostic | None:
    """Explain a key that a backbone has by itself, so that no file sets it."""
    if source.loads_weights and name in DIMENSIONS:
        return Diagnostic(
            code="VL305",
            message=f"`{name}` cannot be chosen for a backbone that loads weights",
            span=place,
            label="the weights fix it",
            help=(
                'write `random("…") { … }` for this architecture with other dimensions, '
                "without its weights",
            ),
            notes=("published weights have the shapes that they were trained with",),
        )
    if positional_key(source) and name in _DERIVED:
        return Diagnostic(
            code="VL401",
            message=f"{what} has no key `{name}`",
            span=place,
            label="comes from the backbone",
            notes=("tokenizer, vocabulary and special tokens belong to the text backbone",),
        )
    return None


def no_key_of_a_model(name: str, setting: Setting) -> Diagnostic:
    """Return the finding that a model has no such key: a statement, or a key of something else."""
    place, value = setting.place, setting.value
    if name in _STATEMENTS or isinstance(value, tree.Call):
        return _statement_as_key(name, place, value)
    known = (*keys_of(Model), *_STATEMENTS, "freeze")
    close = nearest(name, known)
    hint = _of_a_job(name) or _of_a_source(name)
    sure = not hint and len(close) == 1 and close[0] in keys_of(Model)
    return Diagnostic(
        code="VL401",
        message=f"a model has no key `{name}`",
        span=place,
        label="belongs elsewhere" if hint else "unknown key",
        help=(hint,) if hint else suggestion(name, known, "a key"),
        notes=(f"keys are {listing(keys_of(Model))}",),
        edits=(Edit(span=place, text=close[0]),) if sure else (),
    )


def _statement_as_key(name: str, place: Span, value: Content) -> Diagnostic:
    """Explain `fusion = cross_attention(…)`, or `text = plain_text { … }`, in a model."""
    block = value.function.text if isinstance(value, tree.Call) else "…"
    arguments = value.arguments if isinstance(value, tree.Call) else None
    if arguments:
        block += f"({', '.join(argument.span.text for argument in arguments)})"
    if name in _STATEMENTS:
        called = "joint" if name == "fusion" else "text"
        return Diagnostic(
            code="VL411",
            message=f"`{name}` is a statement, not a key",
            span=place,
            label="a name stands behind it",
            help=(f"write `{name} {called} = {block}`",),
        )
    word = "fusion" if block.partition("(")[0] in words("fusion") else "backbone"
    start = Span(source=place.source, start=place.start, end=place.start)
    return Diagnostic(
        code="VL411",
        message=f"`{name}` does not say what it is to the model",
        span=place,
        help=(f"write `{word} {name} = {block}`",),
        edits=(Edit(span=start, text=f"{word} "),),
    )


def _elsewhere(block: type[Block], name: str) -> str:
    """Return where a key belongs that a job does not have; empty for unknown ones."""
    if not issubclass(block, Training | Evaluate):
        return ""
    if issubclass(block, Training) and name in keys_of(Model):
        return f"`{name}` belongs in a model: `model {{ {name} = … }}` changes it for this job"
    if issubclass(block, Training) and (inside := _of_a_source(name)):
        return f"{inside}; in a job write `model {{ … }}` around it"
    owners = [word for word, job in JOBS.items() if job is not block and name in keys_of(job)]
    return f"`{name}` belongs in {listing(owners, between=' or ')}" if owners else ""


def _of_a_job(name: str) -> str:
    """Return which job a key of no model belongs in, or which block of it."""
    if home := _home(Pretrain, name):
        return f"`{name}` belongs in `{home} {{ … }}` of a job"
    owners = [word for word, job in JOBS.items() if name in keys_of(job)]
    return f"`{name}` belongs in a job: {listing(owners, between=' or ')}" if owners else ""


def _of_a_source(name: str) -> str:
    """Return how a key of backbones is written where it is none."""
    if name not in _OF_BACKBONES:
        return ""
    stream = "vision" if name in _OF_IMAGES else "text"
    return f"`{name}` belongs to a backbone: `{stream}.{name} = …`"


def stands_for(unknown: str, missing: str, block: type[Block]) -> bool:
    """Tell whether a key that a block does not have was written for one that it needs."""
    if _home(block, unknown).partition(" ")[0] == missing.removesuffix("s"):
        return True
    return nearest(unknown, (missing,)) != ()


def _home(block: type[Block], name: str) -> str:
    """Return the block inside a training job that a key belongs in; empty for none."""
    if not issubclass(block, Training):
        return ""
    families: list[type[KindBlock]] = [OptimizerBlock, ScheduleBlock]
    if block is Pretrain:
        families.append(ObjectiveBlock)
    return next(
        (
            f"{family.family} {word}"
            for family in families
            for word, inner in Kinds(family).items()
            if name in keys_of(inner)
        ),
        "",
    )


def _plain(block: type[Block], name: str, place: Span, what: str) -> Diagnostic:
    known = tuple(spelling_of(key, info) for key, info in keys_of(block).items())
    close = nearest(name, known)
    return Diagnostic(
        code="VL401",
        message=f"{what} has no key `{name}`",
        span=place,
        label="unknown key",
        help=suggestion(name, known, "a key"),
        notes=(f"keys are {listing(known)}",) if known else (f"{what} has no keys",),
        edits=(Edit(span=place, text=close[0]),) if len(close) == 1 else (),
    )

"""Explain keys and names that do not exist, with the reason where there is one."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from renaissance.grammar import tree
from renaissance.grammar.borrowed import (
    OF_VALUES,
    block_of_a_job,
    not_said,
    ours,
    statement_of_a_model,
    with_other_value,
)
from renaissance.grammar.composition.drafts import Content, Setting
from renaissance.grammar.composition.job_mistakes import BLOCKS_OF_A_JOB, EXAMPLES, block_as_key
from renaissance.grammar.declaration import Block
from renaissance.grammar.diagnostics import Diagnostic, Edit
from renaissance.grammar.kinds.block import KindBlock
from renaissance.grammar.kinds.objective import ObjectiveBlock
from renaissance.grammar.kinds.optimizer import OptimizerBlock, ScheduleBlock
from renaissance.grammar.kinds.registry import Kinds, words
from renaissance.grammar.kinds.source import Dimensions, SourceBlock
from renaissance.grammar.named_sources import named_for_a_stream, source_meant, source_named
from renaissance.grammar.names import listing, nearest, one_slip, suggestion, with_article
from renaissance.grammar.record import replace
from renaissance.grammar.schema.jobs import Evaluate, Finetune, Pretrain, Training
from renaissance.grammar.schema.model import Model
from renaissance.grammar.schema.study import StudyKeys
from renaissance.grammar.schema.vocabulary import (
    JOBS,
    Kind,
    keys_of,
    kind_of,
    names_of,
    positional_key,
    spelling_of,
)
from renaissance.grammar.source import Span

_OF_IMAGES = ("image_size", "patch", "stem")
_OF_BACKBONES = (*_OF_IMAGES, "layers", "width", "heads", "max_tokens", "vocabulary")
_STATEMENTS = ("backbone", "embed", "fusion")
DIMENSIONS = (*Dimensions.model_fields, "activation")
_DERIVED = ("tokenizer", "vocabulary", "vocab_size", "special_tokens")


def unknown_name(
    what: str, name: tree.Name, known: Mapping[str, tree.Declaration], meant: str = ""
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


def unknown_key(block: type[Block], name: str, setting: Setting, what: str) -> Diagnostic:
    """Return the finding that a block has no such key.

    Args:
        block: class of the schema.
        name: key that the file sets.
        setting: place of the key, and its value.
        what: what the message calls the block.
    """
    place = setting.place
    if issubclass(block, SourceBlock) and (finding := _of_the_backbone(block, name, place, what)):
        return finding
    if name == positional_key(block):
        return Diagnostic(
            code="VL401",
            message=f"{what} has no key `{name}`",
            span=place,
            help=("its value stands between the parentheses",),
        )
    known = tuple(spelling_of(key, info) for key, info in keys_of(block).items())
    ours_here = any(meant in known for meant in ours(name))
    if not ours_here and (
        found := _of_others(
            name, known, setting, what, block if issubclass(block, Training) else None
        )
    ):
        return found
    fitting = tuple(
        key for key in known if fits(setting.value, kind_of(keys_of(block)[names_of(block)[key]]))
    )
    if any(one_slip(name, key) for key in known):
        return _plain(name, known, fitting, place, what)
    own = sorted(ours(name), key=lambda meant: meant in known and meant not in fitting)
    for meant in (name, *own, *_slips(name)):
        if meant in known:
            return _called_otherwise(name, meant, place, what, sure=meant in fitting)
        if found := _belongs_elsewhere(block, name, meant, place, what):
            return found
    plain = _plain(name, known, fitting, place, what)
    if block is StudyKeys and not plain.help:
        varied = f"what varies is a factor: `factor {name} {{ low {{ … }} high {{ … }} }}`"
        return replace(plain, help=(varied,))
    return plain


def _of_others(
    name: str, known: Sequence[str], setting: Setting, what: str, training: type[Block] | None
) -> Diagnostic | None:
    """Explain a key of other frameworks that is no key in the language, or has other values."""
    word, place = block_of_a_job(name) or name, setting.place
    if training is Finetune and word == "objective":
        return Diagnostic(
            code="VL401",
            message=f"{what} has no key `{name}`",
            span=place,
            help=("its task says what is learned: `task = …`",),
        )
    if training and word in EXAMPLES:
        return block_as_key(word, place, setting.value)
    values = (text for text in with_other_value(name) if text.partition(" ")[0] in known)
    meant = next(values, None)
    statement = None if meant else statement_of_a_model(name)
    if statement and training:
        statement = f"model {{ {statement} }}"
    help = f"write `{meant or statement}`" if meant or statement else not_said(name)
    if meant is not None and meant in OF_VALUES:
        help = f"{help}: {OF_VALUES[meant]}"
    if help is None:
        return None
    if statement and not training and what != "a model":
        help += " in the model"
    return Diagnostic(
        code="VL401",
        message=f"{what} has no key `{name}`",
        span=place,
        label="is said in another way" if meant or statement else "needs no key",
        help=(help,),
    )


def _slips(name: str) -> Iterator[str]:
    """Yield keys of anything that a name is one slip away from."""
    everywhere = (Pretrain, Finetune, Evaluate, Model)
    keys = dict.fromkeys(key for block in everywhere for key in keys_of(block))
    yield from (key for key in (*_OF_BACKBONES, *keys) if one_slip(name, key))


def _called_otherwise(
    name: str, meant: str, place: Span, what: str, *, sure: bool = True
) -> Diagnostic:
    """Explain a key that has another name elsewhere; where its value fits it is `sure`."""
    return Diagnostic(
        code="VL401",
        message=f"{what} has no key `{name}`",
        span=place,
        label=f"is called `{meant}` here",
        help=(f"write `{meant}`",),
        edits=_renamed(place, name, meant) if sure else (),
    )


def _belongs_elsewhere(
    block: type[Block], name: str, meant: str, place: Span, what: str
) -> Diagnostic | None:
    """Explain a key that something else has, if that is so.

    Args:
        block: class of the schema.
        name: key that the file sets.
        meant: what it is called in the language.
        place: of the key.
        what: what the message calls the block.
    """
    label = "belongs elsewhere"
    if not (hint := _elsewhere(block, meant)) and (home := home_of(block, meant)):
        label = f"belongs in `{home.partition(' ')[0]}`"
        hint = f"`{meant}` belongs in `{home} {{ {meant} = … }}`"
        if place.text.endswith(f".{name}"):
            family, word = home.split()
            inner = f"{family}.{word}" if family == "objective" else family
            hint = f"write `{place.text.removesuffix(name)}{inner}.{meant}`"
    if not hint:
        return None
    return Diagnostic(
        code="VL401", message=f"{what} has no key `{name}`", span=place, label=label, help=(hint,)
    )


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


def states_a_stream(name: str, value: Content) -> bool:
    """Tell whether a key of a model was meant as a statement: `vision = deit_tiny_patch16_224`."""
    if isinstance(value, tree.Call):
        return True
    if not isinstance(value, tree.Text | tree.Address) or name in keys_of(Model):
        return False
    word = isinstance(value, tree.Address) and (
        source_meant(value.span.text, name) or value.span.text in Kinds(SourceBlock)
    )
    return bool(word) or named_for_a_stream(name)


def encoder_in(value: tree.Value, stream: str) -> str | None:
    """Return how the encoder is written that a value names; None where it names none."""
    match value:
        case tree.Text(value=name) if name:
            return source_named(name, stream)
        case tree.Address():
            return source_meant(value.span.text, stream)
    return None


def no_key_of_a_model(name: str, setting: Setting) -> Diagnostic:
    """Return the finding that a model has no such key: a statement, or a key of something else."""
    place, value = setting.place, setting.value
    if name in _STATEMENTS or isinstance(value, tree.Call):
        return _statement_as_key(name, place, value)
    known = (*keys_of(Model), *_STATEMENTS, "freeze")
    if found := _of_others(name, known, setting, "a model", None):
        return found
    if meant := next((key for key in ours(name) if key in keys_of(Model)), None):
        return _called_otherwise(name, meant, place, "a model")
    if states_a_stream(name, value):
        return _statement_as_key(name, place, value)
    close = nearest(name, known)
    slipped = () if any(one_slip(name, key) for key in known) else _slips(name)
    hint = place_of((name, *ours(name), *slipped))
    if not hint and close and close[0] == "freeze" and not isinstance(value, dict | tuple):
        hint = f"write `freeze {value.span.text}`"
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
    if isinstance(value, tree.Text | tree.Address):
        block = encoder_in(value, name) or value.span.text
    elif isinstance(value, tree.Call):
        block = source_meant(block, name) or block
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
    """Return where a key belongs that a block does not have; empty for unknown ones."""
    if not issubclass(block, Training | Evaluate):
        return _of_a_source(name) or _of_a_job(name)
    if issubclass(block, Training) and name in keys_of(Model):
        return f"`{name}` belongs in a model: `model {{ {name} = … }}` changes it for this job"
    if issubclass(block, Training) and (inside := _of_a_source(name)):
        return f"{inside}; in a job write `model {{ … }}` around it"
    owners = [word for word, job in JOBS.items() if job is not block and name in keys_of(job)]
    return f"`{name}` belongs in {listing(owners, between=' or ')}" if owners else ""


def place_of(names: Iterable[str]) -> str:
    """Return where the first of some keys belongs that belongs anywhere; empty for none."""
    return next(filter(None, (_of_a_source(name) or _of_a_job(name) for name in names)), "")


def _of_a_job(name: str) -> str:
    """Return which job a key of no model belongs in, or which block of it."""
    if home := home_of(Pretrain, name):
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
    if home_of(block, unknown).partition(" ")[0] == missing.removesuffix("s"):
        return True
    wanted = missing.removesuffix("s")
    return (
        bool(nearest(unknown, (missing,)))
        or missing in ours(unknown)
        or any(said.startswith(f"{missing} ") for said in with_other_value(unknown))
        or wanted == block_of_a_job(unknown)
    )


def home_of(block: type[Block], name: str) -> str:
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


def fits(value: Content, kind: Kind) -> bool:
    """Tell whether a key may take a value, as far as its form tells."""
    match value:
        case dict():
            return kind.table is not None
        case tuple():
            return kind.item is not None and bool(kind.item.blocks)
        case tree.Boolean():
            return kind.boolean
        case tree.Number(value=number):
            return kind.number or kind.share or (kind.count and isinstance(number, int))
        case tree.Percentage():
            return kind.share
        case tree.Duration():
            return kind.minutes
        case tree.Text():
            return kind.text or bool(kind.words)
        case tree.Sequence():
            return kind.item is not None
    return True


def _plain(
    name: str, known: tuple[str, ...], fitting: tuple[str, ...], place: Span, what: str
) -> Diagnostic:
    """Explain a key by the one that it resembles: by far only if its value fits that."""
    close = tuple(key for key in nearest(name, known) if key in fitting or one_slip(name, key))
    blocks = tuple(word for word in BLOCKS_OF_A_JOB if word in known or f"{word}s" in known)
    keys = (key for key in known if key not in blocks and key.removesuffix("s") not in blocks)
    return Diagnostic(
        code="VL401",
        message=f"{what} has no key `{name}`",
        span=place,
        label="unknown key",
        help=suggestion(name, close, "a key"),
        notes=(
            *((f"keys are {listing(keys)}",) if known else (f"{what} has no keys",)),
            *((f"blocks are {listing(blocks)}",) if blocks else ()),
        ),
        edits=_renamed(place, name, close[0]) if len(close) == 1 and close[0] in fitting else (),
    )


def _renamed(place: Span, name: str, meant: str) -> tuple[Edit, ...]:
    """Return the change of a key at the end of an address, if its place ends with it."""
    if not place.text.endswith(name):
        return ()
    start = place.end - len(name)
    return (Edit(span=Span(source=place.source, start=start, end=place.end), text=meant),)

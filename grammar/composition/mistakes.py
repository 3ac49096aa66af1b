"""Explain keys that do not exist, with the reason where there is one."""

from renaissance.grammar.declaration import Block
from renaissance.grammar.diagnostics import Diagnostic, Edit
from renaissance.grammar.kinds.block import KindBlock
from renaissance.grammar.kinds.objective import ObjectiveBlock
from renaissance.grammar.kinds.optimizer import OptimizerBlock, ScheduleBlock
from renaissance.grammar.kinds.registry import Kinds
from renaissance.grammar.kinds.source import Dimensions, SourceBlock
from renaissance.grammar.names import listing, nearest, suggestion
from renaissance.grammar.schema.jobs import Pretrain, Training
from renaissance.grammar.schema.vocabulary import keys_of, positional_key, spelling_of
from renaissance.grammar.source import Span

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
    source = block if issubclass(block, SourceBlock) else None
    if source is not None and source.loads_weights and name in DIMENSIONS:
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
    if source is not None and positional_key(source) and name in _DERIVED:
        return Diagnostic(
            code="VL401",
            message=f"{what} has no key `{name}`",
            span=place,
            label="comes from the backbone",
            notes=("tokenizer, vocabulary and special tokens belong to the text backbone",),
        )
    if name == positional_key(block):
        return Diagnostic(
            code="VL401",
            message=f"{what} has no key `{name}`",
            span=place,
            help=("its value stands between the parentheses",),
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

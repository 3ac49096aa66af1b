"""Explain blocks that are none, and what is missing from one or stands in the wrong brackets."""

import re
from collections.abc import Collection, Mapping

from pydantic.fields import FieldInfo

from renaissance.grammar import tree
from renaissance.grammar.borrowed import word_among
from renaissance.grammar.composition.drafts import Choice
from renaissance.grammar.composition.misfits import describe
from renaissance.grammar.declaration import Block
from renaissance.grammar.diagnostics import Diagnostic, Edit
from renaissance.grammar.kinds.block import kind_called
from renaissance.grammar.kinds.registry import KindError
from renaissance.grammar.kinds.source import StackDimensions
from renaissance.grammar.named_sources import encoder_example, source_meant
from renaissance.grammar.names import listing, nearest, suggestion, together, with_article
from renaissance.grammar.schema.vocabulary import keys_of, kind_of, spelling_of, unit_of
from renaissance.grammar.source import Span
from renaissance.grammar.spelling import is_name, spelled_word


def unusable(error: KindError, place: Span) -> Diagnostic:
    """Explain a kind of another package that cannot be used."""
    return Diagnostic(
        code="VL902",
        message=error.problem,
        span=place,
        label="cannot be used",
        help=(error.remedy,) if error.remedy else (),
    )


def unknown_kind(
    choice: Choice, blocks: Mapping[str, type[Block]], what: str, words: Collection[str], key: str
) -> Diagnostic:
    """Explain a word that stands for no block; as a backbone it may be that of an encoder."""
    word, backbone = choice.kind.text, what == "backbone"
    spelled = (*words, *dict.fromkeys(map(spelled_word, blocks.values())))
    encoder = source_meant(word, key) if backbone else None
    meant = encoder or kind_called(word, blocks) or word_among(word, words)
    close = (meant,) if meant else nearest(word, spelled)
    help = (f"write `{meant}`",) if meant else suggestion(word, spelled, with_article(what))
    return Diagnostic(
        code="VL408",
        message=f"unknown {what} `{word}`",
        span=choice.kind.span,
        help=help or ((encoder_example(word),) if backbone else ()),
        notes=(f"there is {listing(spelled)}",),
        edits=(Edit(span=choice.kind.span, text=close[0]),) if len(close) == 1 else (),
    )


def plain_backbone(choice: Choice, blocks: Mapping[str, type[Block]]) -> Diagnostic:
    """Explain a word that stands for nothing without the name of an architecture."""
    word = choice.kind.text
    stacks = [
        f"{word} {{ … }}" for word, kind in blocks.items() if issubclass(kind, StackDimensions)
    ]
    return Diagnostic(
        code="VL409",
        message=f"`{word}` does not say which architecture",
        span=choice.kind.span,
        help=(
            f'write `{word}("…") {{ … }}` for a known architecture without its weights, or '
            f"{listing(stacks, between=' or ')} for a stack of your own",
        ),
    )


def word_alone(choice: Choice, key: str) -> Diagnostic:
    """Explain keys of a word that stands for no block."""
    word = choice.kind.text
    return Diagnostic(
        code="VL411",
        message=f"`{word}` takes no keys",
        span=choice.kind.span,
        label="stands alone",
        help=(f"write `{key} = {word}`",),
    )


def _wrong_arguments(choice: Choice, message: str, help: str) -> Diagnostic:
    return Diagnostic(code="VL409", message=message, span=choice.kind.span, help=(help,))


def no_parentheses(choice: Choice, block: type[Block]) -> Diagnostic:
    """Explain parentheses behind a word that takes none."""
    message = f"`{choice.kind.text}` takes no parentheses"
    return _wrong_arguments(choice, message, _in_braces(choice, block))


def one_argument(choice: Choice, info: FieldInfo) -> Diagnostic:
    """Explain no value, or several, between parentheses that hold one."""
    word = choice.kind.text
    help = f'write `{word}("…")`: {info.description or ""}'
    return _wrong_arguments(choice, f"`{word}` takes one value between parentheses", help)


def joins_nothing(choice: Choice) -> Diagnostic:
    """Explain a fusion without streams between its parentheses."""
    word = choice.kind.text
    message = f"`{word}` does not say what it joins"
    return _wrong_arguments(choice, message, f"write `{word}(text, vision)`")


def quoted_name(text: tree.Text, choice: Choice) -> Diagnostic:
    """Explain the name of a stream in quotes."""
    return Diagnostic(
        code="VL404",
        message=f"`{choice.kind.text}` joins streams by name",
        span=text.span,
        label="is a string",
        help=(f"names stand without quotes: `{text.value}`",),
        edits=(Edit(span=text.span, text=text.value),) if is_name(text.value) else (),
    )


def _in_braces(choice: Choice, block: type[Block]) -> str:
    """Say where values between parentheses belong, by the first key that could take each."""
    fields = {spelling_of(name, info): kind_of(info) for name, info in keys_of(block).items()}
    said = []
    for argument in choice.arguments or ():
        match argument:
            case tree.Text(spelling=spelled):
                found = next((name for name, kind in fields.items() if kind.text), None)
            case tree.Address(parts=(tree.Name(text=spelled),)):
                found = next((name for name, kind in fields.items() if spelled in kind.words), None)
            case _:
                found, spelled = None, ""
        if found is not None:
            said.append(f"{found} = {spelled}")
    if not said:
        return "keys stand between braces"
    return f"keys stand between braces: `{choice.kind.text} {{ {', '.join(said)} }}`"


def missing_keys(
    missing: Mapping[str, FieldInfo], where: Span, what: str, choice: Choice | None
) -> Diagnostic:
    """Explain that keys are not set that a block needs.

    Args:
        missing: their fields, by the names of these.
        where: place of the block.
        what: what the message calls the block.
        choice: draft of the block, if it is the value of a key or a statement.
    """
    names, spellings, notes = [], [], []
    for field, info in missing.items():
        name, kind = spelling_of(field, info), kind_of(info)
        spelling = f"{name} = …"
        if kind.blocks and name in ("optimizer", "schedule"):
            spelling = f"{name} {next(iter(kind.blocks))} {{ … }}"
        elif kind.item and kind.item.blocks:
            spelling = f"objective {next(iter(kind.item.blocks))} {{ … }}"
            name = name.removesuffix("s")
        names.append(name)
        spellings.append(spelling)
        if not kind.item:
            notes.append(f"`{name}` takes {describe(kind, unit_of(info))}")
        elif len(missing) > 1:
            notes.append(f"`{name}`")
        if len(missing) > 1:
            notes[-1] += f": {info.description}"
    one = len(names) == 1
    help = f"add {together(spellings)}"
    if choice is not None and (bare := _without_braces(choice)):
        help = f"write `{bare} {{ {', '.join(spellings)} }}`"
    if one:
        help += f": {next(iter(missing.values())).description}"
    return Diagnostic(
        code="VL403",
        message=f"{what} needs {together(names)}",
        span=where,
        label=f"{together(names)} {'is' if one else 'are'} missing",
        help=(help,),
        notes=tuple(notes),
    )


def _without_braces(choice: Choice) -> str:
    """Return the statement of a block without braces: `resize = fit`; empty where it has some."""
    span = choice.span
    if span.text.endswith("}"):
        return ""
    before = re.split(r"[\n{\[,]", span.source.text[: span.start])[-1]
    return " ".join(f"{before}{span.text}".split())

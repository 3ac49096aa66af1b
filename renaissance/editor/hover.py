"""What there is to say of the word under the cursor, as Markdown for a narrow window."""

import re
from collections.abc import Callable, Iterator

from renaissance.editor.documents import Analysis
from renaissance.editor.navigation import declaration_of
from renaissance.editor.owners import models_of
from renaissance.editor.reading import Reading, Role, key_of
from renaissance.grammar.anatomy.model import Anatomy
from renaissance.grammar.catalogue.page import encoder_page
from renaissance.grammar.composition.scope import Scope
from renaissance.grammar.declaration import Block, impact_of
from renaissance.grammar.explaining import pages_of, statements
from renaissance.grammar.kinds.block import KindBlock
from renaissance.grammar.names import listing
from renaissance.grammar.reference import TABLE, default_text, head_of, value_of_key
from renaissance.grammar.schema.spec import Spec
from renaissance.grammar.schema.vocabulary import keys_of, spelling_of
from renaissance.grammar.source import Span

_LISTED = 6
_CHANGES = {
    "weights": "tensors or their names differ, an old checkpoint does not load strictly",
    "numerics": "the same tensors, another function",
    "training": "the same model, another trajectory",
    "eval": "other measurements of the same model",
    "cosmetic": "nothing else changes",
}
"""What a change of a key does, by its impact."""


def hover(
    analysis: Analysis, offset: int, spec: Callable[[], Spec | None]
) -> tuple[Span, str] | None:
    """Return the word at a place and what there is to say of it; None where there is nothing.

    Args:
        analysis: of the text.
        offset: where in it.
        spec: says what the text means, or meant last.
    """
    source = analysis.source
    for token in analysis.tokens:
        if token.type == "STRING" and token.start <= offset <= token.end:
            page = encoder_page(source.text[token.start + 1 : token.end - 1])
            if page is None:
                return None
            return Span(source=source, start=token.start, end=token.end), _without_heading(page)
    role = Reading(source.text, analysis.tokens, analysis.scope).at(offset)
    text = "" if role is None else _text(role, analysis, spec)
    if role is None or not text:
        return None
    return Span(source=source, start=role.token.start, end=role.token.end), text


def about_key(role: Role) -> str:
    """Return what a key takes, its default, what a change of it does, and what it means."""
    info = key_of(role.block, role.text)
    if info is None:
        return _without_heading("\n".join(pages_of(role.text)))
    default = default_text(info)
    needed = "has to be set" if not default else f"default {default}"
    said = "may be left out" if default == "absent" else needed
    impact = impact_of(info)
    return (
        f"**`{role.text}`**: {value_of_key(info)}; {said}\n\n{info.description}\n\n"
        f"impact `{impact}`: {_CHANGES[impact]}"
    )


def anatomy_at(spec: Spec | None, scope: Scope, owner: tuple[str, str]) -> Anatomy | None:
    """Return the parts of the model that a statement of a file is about."""
    if spec is None:
        return None
    if owner[0] not in ("model", "study") and owner[1] in spec.jobs:
        return spec.model_of(owner[1]).anatomy()
    for model in models_of(scope, owner):
        if model.name is not None and model.name.text in spec.models:
            return spec.models[model.name.text].anatomy()
    return None


def _text(role: Role, analysis: Analysis, spec: Callable[[], Spec | None]) -> str:
    match role.what:
        case "statement" | "relation":
            return _about_statement(role.text)
        case "kind" if role.block is not None and issubclass(role.block, KindBlock):
            return "\n".join(_about_kind(head_of(role.block), role.block))
        case "kind" if role.block is not None:
            return "\n".join(_about_kind(role.text, role.block))
        case "key":
            return about_key(role)
        case "address":
            return _about_address(role, analysis, spec())
        case "declares" | "refers":
            return _about_name(role, analysis)
    return ""


def _about_statement(word: str) -> str:
    """Return the prose and the example of a statement's page; its keys have their own."""
    if word not in statements():
        return ""
    [page, *_] = pages_of(word)
    return _without_heading(page.partition("\n## Keys of")[0])


def _about_kind(head: str, kind: type[Block]) -> Iterator[str]:
    yield f"**`{head}`**\n\n{' '.join((kind.__doc__ or '').split())}\n"
    for name, info in keys_of(kind).items():
        key, default = spelling_of(name, info), default_text(info).strip("`")
        written = {"": f"`{key}`, has to be set", "absent": f"`{key}`"}
        yield f"- {written.get(default, f'`{key} = {default}`')}: {info.description}"


def _without_heading(page: str) -> str:
    """Return a page with its title in bold, and without tables of keys."""
    titled = re.sub(r"^#+ (.+)$", lambda title: f"**{title[1]}**", page, flags=re.MULTILINE)
    return titled.partition(TABLE)[0].strip() or titled


def _about_address(role: Role, analysis: Analysis, spec: Spec | None) -> str:
    anatomy = anatomy_at(spec, analysis.scope, role.owner)
    if anatomy is None:
        return _about_name(role, analysis)
    root, dot, rest = role.address.partition(".")
    found = anatomy.select(f"{anatomy.fusion_name if root == 'fusion' else root}{dot}{rest}")
    addresses = sorted({leaf.address for leaf in found.leaves}, key=_in_order)
    if not addresses:
        return f"**`{role.address}`** is nothing of this model"
    about = "" if found.certain else ", as far as is known"
    return (
        f"**`{role.address}`**: {len(addresses)} components{about}: "
        f"{listing(addresses, most=_LISTED)}"
    )


def _in_order(address: str) -> tuple[str | int, ...]:
    return tuple(
        f"{int(part):06d}" if part.isdecimal() else part
        for part in address.replace("[", ".").replace("]", "").split(".")
    )


def _about_name(role: Role, analysis: Analysis) -> str:
    span = declaration_of(role, analysis.scope)
    if span is None:
        return ""
    line, _ = span.source.position(span.start)
    return f"```vl\n{span.source.line(line).strip()}\n```\n{span.source.name}:{line}"

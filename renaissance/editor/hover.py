"""What there is to say of the word under the cursor, as Markdown."""

from renaissance.editor.documents import Analysis
from renaissance.editor.navigation import declaration_of
from renaissance.editor.owners import models_of
from renaissance.editor.reading import Reading, Role, key_of
from renaissance.grammar.anatomy.model import Anatomy
from renaissance.grammar.composition.scope import Scope
from renaissance.grammar.declaration import impact_of
from renaissance.grammar.explaining import pages_of, statements
from renaissance.grammar.kinds.block import KindBlock
from renaissance.grammar.names import listing
from renaissance.grammar.reference import default_text, value_of_key
from renaissance.grammar.schema.spec import Spec

_LISTED = 6


def hover(analysis: Analysis, offset: int) -> tuple[Role, str] | None:
    """Return the word at a place and what there is to say of it; None where there is nothing."""
    reading = Reading(analysis.source.text, analysis.tokens, analysis.scope)
    role = reading.at(offset)
    if role is None:
        return None
    text = _text(role, analysis)
    return (role, text) if text else None


def about_key(role: Role) -> str:
    """Return what a key takes, its default, what a change of it does, and what it means."""
    info = key_of(role.block, role.text)
    if info is None:
        return "\n".join(pages_of(role.text))
    default = default_text(info)
    said = [value_of_key(info), f"default {default}" if default else "has to be set"]
    said.append(f"impact `{impact_of(info)}`")
    return f"**`{role.text}`**: {'; '.join(said)}\n\n{info.description}"


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


def _text(role: Role, analysis: Analysis) -> str:
    match role.what:
        case "statement" | "relation":
            return "\n".join(pages_of(role.text)) if role.text in statements() else ""
        case "kind" if role.block is not None and issubclass(role.block, KindBlock):
            return "\n".join(pages_of(role.text))
        case "kind" if role.block is not None:
            return " ".join((role.block.__doc__ or "").split())
        case "key":
            return about_key(role)
        case "address":
            return _about_address(role, analysis)
        case "declares" | "refers":
            return _about_name(role, analysis)
    return ""


def _about_address(role: Role, analysis: Analysis) -> str:
    anatomy = anatomy_at(analysis.resolution.spec, analysis.scope, role.owner)
    if anatomy is None:
        return ""
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

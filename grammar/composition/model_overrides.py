"""Override keys of a model by address: `vision.image_size = 384`."""

from collections.abc import Iterable

from renaissance.grammar import tree
from renaissance.grammar.composition.drafts import Setting, misplaced, plain_text, put
from renaissance.grammar.composition.model_drafts import ModelDraft
from renaissance.grammar.composition.model_mistakes import no_address_of_a_key, no_component
from renaissance.grammar.composition.overrides import set_inside
from renaissance.grammar.composition.scope import Scope
from renaissance.grammar.findings import Findings
from renaissance.grammar.record import replace


def overridden(
    draft: ModelDraft, body: tree.Body, scope: Scope, findings: Findings, *, parent: bool
) -> ModelDraft:
    """Return a draft with what a body overrides by address laid over it.

    Args:
        draft: what is overridden.
        body: statements of the model, or of `model { … }` in a job.
        scope: where names of values are looked up.
        findings: receives what is wrong.
        parent: there is something to override: a parent, or the model of a job.
    """
    overrides = [
        statement
        for statement in body.statements
        if isinstance(statement, tree.Assignment) and not _is_key(statement.address)
    ]
    seen = _set_in_blocks(body.statements) if overrides else {}
    for statement in overrides:
        address = statement.address
        spelled = plain_text(address)
        if draft.fusion_name is not None and spelled.startswith("fusion."):
            spelled = draft.fusion_name.text + spelled.removeprefix("fusion")
        before = len(seen)
        put(seen, address.span, spelled, statement.value, findings)
        if len(seen) == before:
            continue
        if parent:
            draft = _override(draft, address, statement.value, scope, findings)
            continue
        root = spelled.split(".")[0]
        help = f"set the key between the braces of `{root}`"
        findings.add(misplaced(statement, "an address is not a key", help))
    return draft


def _is_key(address: tree.Address) -> bool:
    """Tell whether an address is the plain name of a key of the model itself."""
    return len(address.parts) == 1 and isinstance(address.parts[0], tree.Name)


def _set_in_blocks(statements: Iterable[tree.Statement]) -> dict[str, Setting]:
    """Return the keys that a body overrides as `backbone text { … }`, by address."""
    found: dict[str, Setting] = {}
    for block in statements:
        if not isinstance(block, tree.Declaration) or block.value is not None:
            continue
        if block.name is None or block.body is None:
            continue
        for inner in block.body.statements:
            if isinstance(inner, tree.Assignment):
                address = f"{block.name.text}.{plain_text(inner.address)}"
                found.setdefault(address, Setting(place=inner.address.span, value=inner.value))
    return found


def _override(
    draft: ModelDraft, address: tree.Address, value: tree.Value, scope: Scope, findings: Findings
) -> ModelDraft:
    """Return a draft in which one key of a stream or of the fusion has another value."""
    root, *rest = address.parts
    names = [part for part in rest if isinstance(part, tree.Name)]
    if not isinstance(root, tree.Name) or len(names) != len(rest):
        findings.add(no_address_of_a_key(address))
        return draft
    setting = Setting(place=address.span, value=value)
    keys = [name.text for name in names]
    stream = draft.streams.get(root.text)
    if stream is not None:
        if stream.choice is None:
            return draft
        choice = set_inside(stream.choice, keys, setting, scope, findings)
        streams = {**draft.streams, root.text: replace(stream, choice=choice)}
        return replace(draft, streams=streams)
    if draft.fusion_name is not None and root.text in ("fusion", draft.fusion_name.text):
        if draft.fusion is None:
            return draft
        return replace(draft, fusion=set_inside(draft.fusion, keys, setting, scope, findings))
    if not draft.broken:
        findings.add(no_component(root, draft.roots()))
    return draft

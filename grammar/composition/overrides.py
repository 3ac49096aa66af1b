"""Set keys inside the blocks that a draft already has, by address."""

from renaissance.grammar.composition.drafts import Choice, Setting, choice_of
from renaissance.grammar.composition.lets import follow
from renaissance.grammar.composition.scope import Scope
from renaissance.grammar.diagnostics import Diagnostic
from renaissance.grammar.findings import Findings
from renaissance.grammar.names import listing, suggestion
from renaissance.grammar.record import replace
from renaissance.grammar.source import Span


def set_inside(
    choice: Choice, keys: list[str], setting: Setting, scope: Scope, findings: Findings
) -> Choice:
    """Return a block in which a key, or one of a block inside it, is set.

    Args:
        choice: the block.
        keys: the address of the key from there, one name or more.
        setting: what it is set to.
        scope: where names of values are looked up.
        findings: told of a block that is not there.
    """
    if len(keys) == 1:
        return choice.merged({keys[0]: setting}, broken=False)
    inner = choice.keys.get(keys[0])
    nested = None if inner is None else block_in(inner, scope, findings)
    if inner is not None and nested is None and _stands_for_nothing(inner, scope, findings):
        return choice  # which is said where the name is
    if inner is None or nested is None:
        known = f"`{choice.kind.text}` sets {listing(choice.keys)}" if choice.keys else ""
        findings.add(nothing_there(keys[0], setting.place, choice.keys, known))
        return choice
    changed = set_inside(nested, keys[1:], setting, scope, findings)
    return choice.merged({keys[0]: replace(inner, value=changed)}, broken=False)


def block_in(setting: Setting, scope: Scope, findings: Findings) -> Choice | None:
    """Return the block that a key is set to; None where it is set to something else."""
    if isinstance(setting.value, Choice):
        return setting.value
    if isinstance(setting.value, tuple | dict):
        return None
    meant = follow(setting.value, scope, findings)
    return None if meant is None else choice_of(meant, findings)


def _stands_for_nothing(setting: Setting, scope: Scope, findings: Findings) -> bool:
    """Tell whether a key is set to a name that has no value."""
    value = setting.value
    return not isinstance(value, Choice | tuple | dict) and follow(value, scope, findings) is None


def nothing_there(
    name: str,
    place: Span,
    known: "dict[str, Setting] | tuple[str, ...]",
    note: str,
    hint: str = "",
) -> Diagnostic:
    """Return the finding that an override names nothing that is there."""
    return Diagnostic(
        code="VL108",
        message=f"there is no `{name}` to override",
        span=place,
        help=(hint,) if hint else suggestion(name, known, "a key"),
        notes=(note,) if note else (),
    )

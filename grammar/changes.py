"""What differs between two blocks of the same kind, key by key."""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import NamedTuple, get_args

from renaissance.grammar.declaration import Block, Impact, impact_of
from renaissance.grammar.kinds.registry import Kinds
from renaissance.grammar.kinds.source import NamedArchitecture, SourceBlock
from renaissance.grammar.record import Record
from renaissance.grammar.schema.model import Freeze, Model
from renaissance.grammar.schema.vocabulary import Kind, keys_of, kind_of, positional_key, tag_of
from renaissance.grammar.spelling import directive_head, head_text, states, value_text

IMPACTS: tuple[Impact, ...] = get_args(Impact)
"""Impact classes, strongest first."""


class Change(Record):
    """One key that differs.

    Attributes:
        address: inside its block: `cross.layers`, `optimizer.lr`.
        old: value in the old spec, as the language spells it; None where there is none.
        new: value in the new spec.
        impact: what the change does to a trained checkpoint.
    """

    address: str
    old: str | None
    new: str | None
    impact: Impact


def strongest(impacts: Iterable[Impact]) -> Impact | None:
    """Return the strongest impact, None of none."""
    return min(impacts, key=IMPACTS.index, default=None)


class Key(NamedTuple):
    """The value of a key as the language spells it, and the address of the block that it is in."""

    text: str
    impact: Impact
    inside: str | None = None


def changes_between(old: Mapping[str, Key], new: Mapping[str, Key]) -> tuple[Change, ...]:
    """Return the keys that differ, in the order of the new block."""
    changes = []
    other_kind: set[str] = set()
    for address in dict.fromkeys((*new, *old)):
        before, after = old.get(address), new.get(address)
        if before == after:
            continue
        if before is not None and after is not None:
            stronger = min(before.impact, after.impact, key=IMPACTS.index)
            impact = _softened(address, before, after) or stronger
            if _word(before) != _word(after):
                other_kind.add(address)
        else:
            [key] = [key for key in (before, after) if key is not None]
            other_kind.add(address)
            if key.inside in other_kind:
                # Keys that the other kind of block does not have say nothing of their own.
                continue
            impact = key.impact
        changes.append(
            Change(
                address=address,
                old=before.text if before else None,
                new=after.text if after else None,
                impact=impact,
            )
        )
    return tuple(changes)


def _word(key: Key) -> str:
    return key.text.partition("(")[0]


def _softened(address: str, old: Key, new: Key) -> Impact | None:
    """Return the impact of a change that does less to weights than its key can do.

    The same architecture with or without its published weights has the same tensors; so have `cls`
    and `mean`, which pool each stream.
    """
    if address == "pool" and "first" not in (old.text, new.text):
        return "numerics"
    before, _, name = old.text.partition("(")
    after, _, other = new.text.partition("(")
    if name and name == other and _names_architecture(before) and _names_architecture(after):
        return "training"
    return None


def _names_architecture(word: str) -> bool:
    source = Kinds(SourceBlock).get(word)
    return source is not None and issubclass(source, NamedArchitecture)


Known = dict[tuple[str, int], Mapping[str, Key]]
"""Keys of parts that models share, by address and identity of the part."""


def keys_by_address(block: Block, known: Known | None = None) -> dict[str, Key]:
    """Return all keys of a block and of the blocks inside it, by address.

    Args:
        block: of the schema.
        known: takes and gives the keys of parts of models, all of which outlive it.
    """
    if isinstance(block, Model):
        return _model_keys(block, {} if known is None else known)
    found: dict[str, Key] = {}
    for name, (impact, kind) in _declared(type(block)).items():
        value = getattr(block, name)
        if name == "name" and impact == "cosmetic":
            continue
        if kind is None:
            found[name] = Key(str(value), "weights" if name == "task" else "training")
        elif name == "objectives":
            for objective in value:
                _nest(found, f"objective.{objective.objective}", objective, impact)
        elif name == "augment":
            chosen = ", ".join(head_text(one) for one in value) or "none"
            found[name] = Key(chosen, impact)
            for one in value:
                _put_inside(found, name, f"{name}.{head_text(one)}", one)
        elif isinstance(value, Block):
            _nest(found, name, value, impact)
        elif isinstance(value, Mapping):
            for address, factor in value.items():
                found[f"{name}.{address}"] = Key(value_text(factor, kind), impact)
        elif states(block, name):
            found[name] = Key(value_text(value, kind), impact)
    return found


@cache
def _declared(block: type[Block]) -> Mapping[str, tuple[Impact, Kind | None]]:
    """Return impact and kind of value of each key; None for the word that tells unions apart."""
    return {
        name: (impact_of(info), kind_of(info)) if info.json_schema_extra else ("training", None)
        for name, info in block.model_fields.items()
    }


def _nest(found: dict[str, Key], address: str, block: Block, impact: Impact) -> None:
    """Add a block inside another: which one it is, then its keys."""
    found[address] = Key(head_text(block), impact)
    _put_inside(found, address, address, block)


def _put_inside(found: dict[str, Key], outside: str, address: str, block: Block) -> None:
    """Add the keys of a block by its address; `outside` is the address that says which it is."""
    leave_out = {tag_of(type(block))[0], positional_key(type(block))}
    for name, key in keys_by_address(block).items():
        if name not in leave_out:
            inside = outside if key.inside is None else f"{address}.{key.inside}"
            found[f"{address}.{name}"] = Key(key.text, key.impact, inside)


def _part_keys(address: str, part: Block, known: Known) -> Mapping[str, Key]:
    found = known.get((address, id(part)))
    if found is None:
        own: dict[str, Key] = {}
        _nest(own, address, part, "weights")
        found = known[address, id(part)] = own
    return found


def _model_keys(model: Model, known: Known) -> dict[str, Key]:
    found: dict[str, Key] = {}
    for name, part in (*model.streams.items(), (model.fusion_name, model.fusion)):
        found.update(_part_keys(name, part, known))
    for name, info in keys_of(Model).items():
        if states(model, name):
            value = value_text(getattr(model, name), kind_of(info))
            found[name] = Key(value, impact_of(info))
    for directive in model.frozen:
        for single in directive.selectors:
            alone = directive.model_copy(update={"selectors": (single,)})
            head = directive_head(alone)
            impact: Impact = "training" if isinstance(directive, Freeze) else "weights"
            found[head] = Key("", impact)
            for name, info in keys_of(type(directive)).items():
                value = value_text(getattr(directive, name), kind_of(info))
                found[f"{head}.{name}"] = Key(value, impact_of(info), inside=head)
    return found

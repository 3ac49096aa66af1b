"""What makes two specs the same experiment."""

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any

from renaissance.grammar.anatomy.parts import Leaf
from renaissance.grammar.anatomy.selectors import KINDS, SelectorError, parse
from renaissance.grammar.declaration import Block, Share, Spelled, impact_of
from renaissance.grammar.kinds.block import KindBlock
from renaissance.grammar.kinds.registry import origin
from renaissance.grammar.record import Record
from renaissance.grammar.schema.jobs import (
    Evaluate,
    Finetune,
    Pretrain,
    Training,
    augmentation_word,
)
from renaissance.grammar.schema.model import Freeze, Model

_PLAIN = frozenset({bool, int, float, str})

_ORIGIN = "@package"
"""Stands beside the keys of kinds of other packages; no key is called so."""


def job_identity(
    job: Pretrain | Finetune | Evaluate,
    model: Model,
    data: Sequence[Block],
    *,
    stated: bool = False,
) -> dict[str, Any]:
    """Return what a job does, as JSON values.

    Args:
        job: its block.
        model: that it is done with, with the changes of the job.
        data: what it learns from, where its block names that.
        stated: leave out keys that only defaults give.
    """
    content = reduced(job, stated=stated) | {"on": reduced(model, stated=stated)}
    if isinstance(job, Pretrain):
        content["data"] = [reduced(block, stated=stated) for block in data]
    return content


def without_order(blocks: Iterable[Block], *, stated: bool = False) -> list[dict[str, Any]]:
    """Return blocks reduced, in an order that follows from what they say."""
    return sorted((reduced(block, stated=stated) for block in blocks), key=_text)


def reduced(block: Block, *, stated: bool = False) -> dict[str, Any]:
    """Return the keys of a block that change something, as JSON values in a fixed order.

    Args:
        block: of the schema.
        stated: leave out keys that only defaults give.
    """
    found: dict[str, Any] = {}
    if isinstance(block, KindBlock) and (brought := origin(block)):
        found[_ORIGIN] = brought
    for name, is_key in _kept(type(block)):
        if stated and is_key and name not in block.model_fields_set:
            continue
        found[name] = _value(getattr(block, name), stated=stated)
    if isinstance(block, Model):
        if "freeze" in found:
            found["freeze"] = frozen(block)
        if not block.adapt:
            found.pop("adapt", None)  # as if there were no adapters in the language
    if isinstance(block, Pretrain):
        if block.source is None:
            found.pop("source", None)  # it starts from its model, as its words say
        if "objectives" in found:
            found["objectives"].sort(key=lambda objective: str(objective["objective"]))
    if isinstance(block, Training) and "augment" in found:
        ours = all(_ORIGIN not in change for change in found["augment"])
        found["augment"] = (augmentation_word(block.augment) if ours else None) or found["augment"]
    return found


@cache
def _kept(kind: type[Block]) -> tuple[tuple[str, bool], ...]:
    """Return the fields of a block that change something, and whether each is a key.

    What is none is the word that tells blocks of a union apart.
    """
    return tuple(
        (name, bool(info.json_schema_extra))
        for name, info in kind.model_fields.items()
        if not info.json_schema_extra or impact_of(info) != "cosmetic"
    )


def frozen(model: Model) -> list[Any]:
    """Return what does not learn and until when, whatever directives say it.

    It is a list of parts with their kinds and ends where all parts that directives name are known.
    Otherwise it is the directives, without order and grouping, for they only add up, and without
    those that another one says already, as `vision` says `vision.layers[0]`.
    """
    effective = [directive for directive in model.freeze if directive.until != 0]
    if not effective:
        return []
    parts = _frozen_parts(model, effective)
    return _directives(effective) if parts is None else parts


def _frozen_parts(model: Model, directives: list[Freeze]) -> list[Any] | None:
    """Return each frozen part with its kinds and ends; None where not all parts are known."""
    anatomy = model.anatomy()
    until: dict[Leaf, list[Share | int | None]] = {}
    for directive in directives:
        chosen, spared = (
            [anatomy.select(selector) for selector in selectors]
            for selectors in (directive.selectors, directive.excluded)
        )
        if not all(found.certain for found in (*chosen, *spared)):
            return None
        kept = frozenset[Leaf]().union(*(found.leaves for found in spared))
        for leaf in frozenset[Leaf]().union(*(found.leaves for found in chosen)) - kept:
            if leaf.adapts:
                continue
            until.setdefault(leaf, []).append(_end(directive))
    return [
        [leaf.address, sorted(leaf.kinds), _last(until[leaf])]
        for leaf in sorted(until, key=_text_of_leaf)
    ]


@lru_cache(maxsize=4096)
def _text_of_leaf(leaf: Leaf) -> str:
    return _text([leaf.address, sorted(leaf.kinds)])


def _end(directive: Freeze) -> Share | int | None:
    """Return when a directive ends, None for never: the end of the run is never, too."""
    until = directive.until
    return None if isinstance(until, Share) and until >= 1 else until


def _last(ends: list[Share | int | None]) -> list[str]:
    """Return the last of several ends; of a share and a number of steps both count."""
    if None in ends:
        return []
    shares = [end for end in ends if isinstance(end, Share)]
    steps = [end for end in ends if isinstance(end, int)]
    last = [max(shares).spelling] if shares else []
    return [*last, str(max(steps))] if steps else last


def _directives(freeze: list[Freeze]) -> list[Any]:
    single = {
        _Directive(
            selector=selector,
            excluded=tuple(sorted(set(directive.excluded))),
            until=str(_end(directive)),
        )
        for directive in freeze
        for selector in directive.selectors
    }
    needed = [one for one in single if not any(other.says(one) for other in single - {one})]
    return sorted([one.selector, list(one.excluded), one.until] for one in needed)


class _Directive(Record):
    """A `freeze` of one selector."""

    selector: str
    excluded: tuple[str, ...]
    until: str

    def says(self, other: "_Directive") -> bool:
        """Tell whether another directive freezes nothing more, as their texts alone show."""
        return (
            self.until in ("None", other.until)
            and self.excluded in ((), other.excluded)
            and _within(other.selector, self.selector)
        )


def _within(selector: str, wider: str) -> bool:
    """Tell whether a selector names a part of what another one names, as their texts show."""
    try:
        inner, outer = parse(selector), parse(wider)
    except SelectorError:
        return False
    if len(outer) == 1 and outer[0].name in KINDS:
        return inner[-1] == outer[0]
    return len(outer) <= len(inner) and all(
        one.name == other.name and one.members in (None, other.members)
        for one, other in zip(outer, inner, strict=False)
    )


_text = json.JSONEncoder(sort_keys=True).encode


def _value(value: Any, *, stated: bool) -> Any:
    if value is None or type(value) in _PLAIN:
        return value
    if isinstance(value, Block):
        return reduced(value, stated=stated)
    if isinstance(value, Spelled):
        return value.spelling
    if isinstance(value, Mapping):
        return {key: _value(entry, stated=stated) for key, entry in value.items()}
    if isinstance(value, tuple):
        return [_value(entry, stated=stated) for entry in value]
    return value

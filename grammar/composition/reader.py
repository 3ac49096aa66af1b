"""Read blocks: keys that they have, values of the kinds that these take, blocks inside them."""

from collections.abc import Collection, Hashable, Mapping
from typing import Any

from pydantic.fields import FieldInfo

from renaissance.grammar import tree
from renaissance.grammar.composition.block_mistakes import (
    joins_nothing,
    missing_keys,
    no_parentheses,
    one_argument,
    plain_backbone,
    quoted_name,
    unknown_kind,
    unusable,
    word_alone,
)
from renaissance.grammar.composition.bounds import within_bounds
from renaissance.grammar.composition.drafts import Choice, Content, Setting, choice_of
from renaissance.grammar.composition.known_parts import KnownPart, known_part, words_of
from renaissance.grammar.composition.lets import follow
from renaissance.grammar.composition.misfits import no_block_taken, wrong_length
from renaissance.grammar.composition.mistakes import stands_for, unknown_key
from renaissance.grammar.composition.scope import SETTINGS, Scope
from renaissance.grammar.composition.values import FAILED, from_outside, is_plain, plain_value
from renaissance.grammar.declaration import Block
from renaissance.grammar.diagnostics import Diagnostic
from renaissance.grammar.findings import Findings
from renaissance.grammar.kinds.block import KindBlock
from renaissance.grammar.kinds.data import TaskBlock
from renaissance.grammar.kinds.registry import KindError, Kinds
from renaissance.grammar.places import Path, Places
from renaissance.grammar.record import Record, field
from renaissance.grammar.schema.vocabulary import (
    Kind,
    check_declared,
    default_of,
    keys_of,
    kind_of,
    names_of,
    positional_key,
    required_keys,
    unit_of,
)
from renaissance.grammar.source import Span

_ARGUMENT = Kind(text=True, name=True)
"""What one of several values between parentheses may be."""


class Reader(Record):
    """Turns drafts into blocks of the schema.

    Attributes:
        scope: where names are looked up.
        findings: receives what is wrong.
        places: receives where each value was said.
        known: parts that were read without a finding, by what was said of them.
    """

    scope: Scope
    findings: Findings
    places: Places
    known: dict[Hashable, KnownPart] = field(default_factory=dict, compare=False, repr=False)

    def part(
        self, choice: Choice, blocks: Mapping[str, type[Block]], path: Path, what: str
    ) -> Block | None:
        """Return the block that a choice names, as `choice` does, each that is said again once."""
        said = words_of(choice, what, self.scope)
        if said is None:
            return self.choice(choice, blocks, path, what)
        known = self.known.get(said)
        if known is not None:
            known.put(choice, path, self.places)
            return known.block
        before = self.findings.reported
        block = self.choice(choice, blocks, path, what)
        if block is not None and self.findings.reported == before:
            self.known[said] = known_part(block, choice.keys)
        return block

    def directive(self, kind: type[Block], selected: dict[str, Any]) -> Block | None:
        """Return a directive that says nothing but what it selects, the same one for the same."""
        said = (kind, *selected.values())
        known = self.known.get(said)
        if known is None:
            known = self.known[said] = KnownPart(kind.model_validate(selected), None, ())
        return known.block

    def block(
        self,
        block: type[Block],
        keys: Mapping[str, Setting],
        path: Path,
        *,
        where: Span,
        what: str,
        choice: Choice | None = None,
        broken: bool = False,
        fixed: Mapping[str, Any] | None = None,
    ) -> Block | None:
        """Return a block from what a file says about its keys, or None if something is wrong.

        Args:
            block: class of the schema.
            keys: what the file sets.
            path: where the block stands in the spec.
            where: place to report missing keys at.
            what: what messages call the block, such as "`timm`".
            choice: draft of the block, if it is the value of a key or a statement.
            broken: part of the block could not be read: say nothing about missing keys.
            fixed: values that do not come from keys.
        """
        known, fields = keys_of(block), names_of(block)
        values: dict[str, Any] = dict(fixed or {})
        failed = broken or any(value is FAILED for value in values.values())
        unknown = [spelled for spelled in keys if spelled not in fields]
        for spelled, setting in keys.items():
            name = fields.get(spelled)
            if name is None:
                self.findings.add(finding := unknown_key(block, spelled, setting, what))
                name = _surely_meant(finding, fields, keys, values)
            self.places.put((*path, name or spelled), setting.place, setting.span)
            if name is None:
                failed = True
                continue
            values[name] = self._value_of(known[name], setting, (*path, name), spelled)
            failed |= values[name] is FAILED
        if not broken and (missing := _missing(block, values, path)):
            failed = True
            # A misspelt key, or one that belongs inside the missing one, was said already.
            unsaid = {
                name: known[name]
                for name in missing
                if not any(stands_for(spelled, name, block) for spelled in unknown)
            }
            if unsaid:
                self.findings.add(missing_keys(unsaid, where, what, choice))
        usable = {name: value for name, value in values.items() if value is not FAILED}
        if failed:
            # Bounds of the other values are worth checking all the same.
            for name, value in usable.items():
                self._bounded(block, {name: value}, path, where, only=name)
            return None
        return self._bounded(block, usable, path, where)

    def _value_of(self, info: FieldInfo, setting: Setting, path: Path, spelled: str) -> Any:
        """Return what a key is set to, or `FAILED`."""
        kind, unit = kind_of(info), unit_of(info)
        return self.value(setting.value, kind, unit, path, key=spelled, place=setting.place)

    def _bounded(
        self,
        block: type[Block],
        values: Mapping[str, Any],
        path: Path,
        where: Span,
        only: str | None = None,
    ) -> Block | None:
        return within_bounds(block, values, path, where, self.places, self.findings, only)

    def kind(self, kinds: Mapping[str, type[Block]], word: str, place: Span) -> Any:
        """Return the class that a word stands for, None if there is none, or `FAILED`."""
        try:
            found = kinds.get(word)
            if found is not None and issubclass(found, KindBlock):
                check_declared(found)
            return found
        except KindError as error:
            self.findings.add(unusable(error, place))
            return FAILED

    def choice(
        self,
        choice: Choice,
        blocks: Mapping[str, type[Block]],
        path: Path,
        what: str,
        words: Collection[str] = (),
    ) -> Block | None:
        """Return the block that a choice names, such as `timm("…")`.

        Args:
            choice: draft of the block.
            blocks: what it may be, by word.
            path: where the block stands in the spec.
            what: what is chosen, such as "backbone".
            words: that may stand in its place, alone.
        """
        self.places.put(path, choice.kind.span, choice.span)
        block = self.kind(blocks, choice.kind.text, choice.kind.span)
        if block is FAILED:
            return None
        bare = block.bare if block is not None and issubclass(block, KindBlock) else None
        if bare is not None and not choice.arguments:
            block = blocks.get(bare)
            if block is None:
                self.findings.add(plain_backbone(choice, blocks))
                return None
        if block is None and choice.kind.text in words:
            self.findings.add(word_alone(choice, what))
            return None
        if block is None:
            self.findings.add(unknown_kind(choice, blocks, what, words, str(path[-1])))
            return None
        fixed = self._arguments(choice, block, path)
        return self.block(
            block,
            choice.keys,
            path,
            where=choice.kind.span,
            what=f"`{choice.kind.text}`",
            choice=choice,
            # What stands between parentheses instead is said already.
            broken=choice.broken or "" in fixed,
            fixed=fixed,
        )

    def _arguments(self, choice: Choice, block: type[Block], path: Path) -> dict[str, Any]:
        name = positional_key(block)
        arguments = choice.arguments or ()
        if name is None:
            if choice.arguments is not None:
                self.findings.add(no_parentheses(choice, block))
                return {"": FAILED}
            return {}
        info = block.model_fields[name]
        kind = kind_of(info)
        if kind.item is not None:
            return {name: self._joined(choice, (*path, name), name)}
        required = default_of(info) is ...
        if not arguments and not required and choice.arguments is None:
            return {}
        if len(arguments) != 1:
            self.findings.add(one_argument(choice, info))
            return {name: FAILED}
        return {
            name: self.value(
                arguments[0], kind, "", (*path, name), key=name, place=arguments[0].span
            )
        }

    def _joined(self, choice: Choice, path: Path, name: str) -> Any:
        """Return the names of streams that stand between the parentheses of a fusion."""
        place, arguments = choice.kind.span, choice.arguments or ()
        quoted = [argument for argument in arguments if isinstance(argument, tree.Text)]
        self.findings.extend(quoted_name(text, choice) for text in quoted)
        if quoted:
            return FAILED
        if not arguments:
            self.findings.add(joins_nothing(choice))
            return FAILED
        items = tuple(
            self.value(argument, _ARGUMENT, "", (*path, i), key=name, place=place)
            for i, argument in enumerate(arguments)
        )
        return FAILED if any(item is FAILED for item in items) else items

    def value(
        self, content: Content, kind: Kind, unit: str, path: Path, *, key: str, place: Span
    ) -> Any:
        """Return what a value means to a key, or `FAILED`.

        Args:
            content: what the file says.
            kind: what the key takes.
            unit: what a count counts.
            path: where the key stands in the spec.
            key: name of the key, for messages.
            place: of the key.
        """
        if isinstance(content, dict):
            return self._table(content, kind, path)
        if isinstance(content, tuple):
            return self._blocks(content, kind, path, key)
        if isinstance(content, Choice):
            return self._choose(content, kind, path, key)
        if content.span.source.name == SETTINGS:
            content = from_outside(content, kind)
        value = content
        if kind.words or not kind.name:
            meant = follow(content, self.scope, self.findings, keep=kind.takes)
            if meant is None:
                return FAILED
            value = meant
        self.places.put(path, place, content.span)
        if isinstance(value, tree.Sequence) and kind.item is not None:
            return self._list(value.items, kind, unit, path, key, content.span)
        if kind.blocks and not is_plain(value, kind):
            choice = choice_of(value, self.findings)
            if choice is not None:
                return self._choose(choice, kind, path, key)
        return plain_value(value, kind, unit, key, content.span, self.scope, self.findings)

    def _choose(self, choice: Choice, kind: Kind, path: Path, key: str) -> Any:
        if not kind.blocks:
            self.findings.add(no_block_taken(kind, key, choice.span))
            return FAILED
        return self.choice(choice, kind.blocks, path, key, kind.words) or FAILED

    def _blocks(self, choices: tuple[Choice, ...], kind: Kind, path: Path, key: str) -> Any:
        blocks = kind.item.blocks if kind.item else {}
        what = blocks.family if isinstance(blocks, Kinds) else key
        read = tuple(
            self.choice(choice, blocks, (*path, index), what)
            for index, choice in enumerate(choices)
        )
        return FAILED if any(block is None for block in read) else read

    def _table(self, keys: dict[str, Setting], kind: Kind, path: Path) -> Any:
        entries = {
            name: self.value(
                setting.value,
                kind.table or Kind(),
                "",
                (*path, name),
                key=name,
                place=setting.place,
            )
            for name, setting in keys.items()
        }
        return FAILED if any(value is FAILED for value in entries.values()) else entries

    def _list(
        self,
        items: tuple[tree.Value, ...],
        kind: Kind,
        unit: str,
        path: Path,
        key: str,
        span: Span,
    ) -> Any:
        inner = kind.item or Kind()
        if kind.length is not None and len(items) != kind.length:
            self.findings.add(wrong_length(kind, len(items), key, span))
            return FAILED
        read = tuple(
            self.value(item, inner, unit, (*path, i), key=key, place=item.span)
            for i, item in enumerate(items)
        )
        return FAILED if any(item is FAILED for item in read) else read


def _surely_meant(
    finding: Diagnostic,
    fields: Mapping[str, str],
    said: Collection[str],
    values: Collection[str],
) -> str | None:
    """Return the key that an unknown one stands for, to check its value too; None if unsure."""
    meant = finding.edits[0].text if finding.edits else ""
    name = fields.get(meant)
    return None if name is None or meant in said or name in values else name


def _missing(block: type[Block], values: Mapping[str, Any], path: Path) -> list[str]:
    """Return the keys without a value; of a task of a job those too that learning needs."""
    missing = [name for name in required_keys(block) if name not in values]
    if missing and issubclass(block, TaskBlock) and path[0] == "jobs":
        missing += [name for name in block.needed_to_learn if name not in values]
    return missing

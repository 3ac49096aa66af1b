"""Read values: of the right kind, in the right unit, names replaced by what they stand for."""

import re
from collections.abc import Collection, Hashable, Mapping
from typing import Any, NamedTuple

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from renaissance.grammar import tree
from renaissance.grammar.borrowed import word_among
from renaissance.grammar.composition.drafts import Choice, Content, Setting, choice_of, plain_text
from renaissance.grammar.composition.lets import follow
from renaissance.grammar.composition.mistakes import stands_for, unknown_key
from renaissance.grammar.composition.scope import SETTINGS, Scope
from renaissance.grammar.declaration import Block, Minutes, Share
from renaissance.grammar.diagnostics import Diagnostic, Edit
from renaissance.grammar.findings import Findings
from renaissance.grammar.kinds.block import KindBlock, kind_called
from renaissance.grammar.kinds.registry import KindError, Kinds
from renaissance.grammar.kinds.source import StackDimensions
from renaissance.grammar.named_sources import encoder_example, source_meant
from renaissance.grammar.names import listing, nearest, suggestion, with_article
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
    spelling_of,
    unit_of,
)
from renaissance.grammar.source import Span
from renaissance.grammar.spelling import is_name, number_text, spelled_word


class Failed:
    """Stands for a value that could not be read; a finding says why."""


FAILED = Failed()

_ARGUMENT = Kind(text=True, name=True)
"""What one of several values between parentheses may be."""

_OFF = frozenset({"off", "no", "false", "disabled", "never"})
"""Words of others for `none`."""

_NOTHING = frozenset({"null", "nil", "nothing"})
_SAID = {"yes": "true", "on": "true", "no": "false", "off": "false"}
"""Words of others for `true` and `false`."""

_NUMBERS = re.compile(r"\s*\[?\s*\d+(?:[\s,]+\d+)*\s*\]?\s*")
_LIMITS = {
    "greater_than_equal": ("at least", "ge"),
    "greater_than": ("more than", "gt"),
    "less_than_equal": ("at most", "le"),
    "less_than": ("less than", "lt"),
}
"""Words for a bound, and where pydantic keeps it, by the type of its error."""


class _Read(NamedTuple):
    """What a part was read as, and the names of its fields that were said."""

    block: Block
    argument: str | None
    keys: tuple[str, ...]


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
    known: dict[Hashable, _Read] = field(default_factory=dict, compare=False, repr=False)

    def part(
        self, choice: Choice, blocks: Mapping[str, type[Block]], path: Path, what: str
    ) -> Block | None:
        """Return the block that a choice names, as `choice` does.

        Models of one file are variants of each other: what is said of a part in the same words as
        before is the same block, of which nothing can be wrong now.
        """
        said = self._said(choice, what)
        if said is None:
            return self.choice(choice, blocks, path, what)
        known = self.known.get(said)
        if known is not None:
            self._put(choice, known, path)
            return known.block
        before = self.findings.reported
        block = self.choice(choice, blocks, path, what)
        if block is not None and self.findings.reported == before:
            fields = names_of(type(block))
            self.known[said] = _Read(
                block, positional_key(type(block)), tuple([fields[key] for key in choice.keys])
            )
        return block

    def directive(self, kind: type[Block], selected: dict[str, Any]) -> Block | None:
        """Return a directive that says nothing but what it selects, the same one for the same."""
        said = (kind, *selected.values())
        known = self.known.get(said)
        if known is None:
            known = self.known[said] = _Read(kind.model_validate(selected), None, ())
        return known.block

    def _said(self, choice: Choice, what: str) -> Hashable | None:
        """Return what a choice says; None where names or blocks inside it say more."""
        if choice.broken or self.scope.settings:
            return None
        arguments = choice.arguments
        values = [setting.value for setting in choice.keys.values()]
        spelled = [self._spelled(value) for value in (*(arguments or ()), *values)]
        if None in spelled:
            return None
        count = None if arguments is None else len(arguments)
        return what, choice.kind.text, count, *choice.keys, *spelled

    def _spelled(self, value: Content) -> str | None:
        """Return the word, number or string that a value is; None for all else."""
        if type(value) is tree.Number or type(value) is tree.Text:
            return value.spelling
        if type(value) is tree.Address and len(value.parts) == 1:
            name = value.parts[0]
            if type(name) is tree.Name and name.text not in self.scope.lets:
                return name.text
        return None

    def _put(self, choice: Choice, known: _Read, path: Path) -> None:
        """Note where a known part is said once more."""
        put, word = self.places.put, choice.kind.span
        put(path, word, choice.span)
        if choice.arguments and known.argument is not None:
            if isinstance(getattr(known.block, known.argument), tuple):
                for index, argument in enumerate(choice.arguments):
                    put((*path, known.argument, index), word, argument.span)
            else:
                [argument] = choice.arguments
                put((*path, known.argument), argument.span, argument.span)
        for name, setting in zip(known.keys, choice.keys.values(), strict=True):
            put((*path, name), setting.place, _span_of(setting))

    def block(
        self,
        block: type[Block],
        keys: Mapping[str, Setting],
        path: Path,
        *,
        where: Span,
        what: str,
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
            self.places.put((*path, name or spelled), setting.place, _span_of(setting))
            if name is None:
                failed = True
                continue
            info = known[name]
            value = self.value(
                setting.value,
                kind_of(info),
                unit_of(info),
                (*path, name),
                key=spelled,
                place=setting.place,
            )
            failed |= value is FAILED
            values[name] = value
        missing = [name for name in required_keys(block) if name not in values]
        if missing and not broken:
            failed = True
            # A misspelt key, or one that belongs inside the missing one, was said already.
            unsaid = (n for n in missing if not any(stands_for(u, n, block) for u in unknown))
            self.findings.extend(_missing(name, known[name], where, what) for name in unsaid)
        usable = {name: value for name, value in values.items() if value is not FAILED}
        if failed:
            # Bounds of the other values are worth checking all the same.
            for name, value in usable.items():
                self._bounds(block, {name: value}, path, where, only=name)
            return None
        return self._bounds(block, usable, path, where)

    def _bounds(
        self,
        block: type[Block],
        values: Mapping[str, Any],
        path: Path,
        where: Span,
        only: str | None = None,
    ) -> Block | None:
        try:
            return block.model_validate(values)
        except ValidationError as error:
            problems = [problem for problem in error.errors() if problem["type"] != "missing"]
            # Of a key that takes several kinds of value, the kind that it has says what is wrong.
            problems.sort(key=lambda problem: problem["type"] not in _LIMITS)
            seen: set[str] = set()
            for problem in problems:
                location = problem["loc"]
                name = str(location[0]) if location else ""
                if (only is not None and name != only) or name in seen:
                    continue
                seen.add(name)
                self._out_of_range(name, problem, path, where)
            return None

    def _out_of_range(self, name: str, problem: Any, path: Path, where: Span) -> None:
        context = problem.get("ctx", {})
        inside = (*path, *problem["loc"])
        span = self.places.value(inside if self.places.said(inside) else (*path, name)) or where
        # A factor of a table is called by its address.
        last = problem["loc"][-1] if problem["loc"] and self.places.said(inside) else name
        shown = last if isinstance(last, str) else name
        if problem["type"] in _LIMITS:
            words, bound = _LIMITS[problem["type"]]
            label = f"{words} {_limit(context[bound], problem['input'])} is wanted"
            message = f"`{shown}` is out of range"
        elif problem["type"] == "too_short":
            label, message = "empty", f"`{name}` needs at least {context['min_length']} entry"
        else:
            label, message = "", f"`{name}`: {problem['msg'].removeprefix('Value error, ')}"
        self.findings.add(Diagnostic(code="VL405", message=message, span=span, label=label))

    def kind(self, kinds: Mapping[str, type[Block]], word: str, place: Span) -> Any:
        """Return the class that a word stands for, None if there is none, or `FAILED`."""
        try:
            found = kinds.get(word)
            if found is not None and issubclass(found, KindBlock):
                check_declared(found)
            return found
        except KindError as error:
            self.findings.add(
                Diagnostic(
                    code="VL902",
                    message=error.problem,
                    span=place,
                    label="cannot be used",
                    help=(error.remedy,) if error.remedy else (),
                )
            )
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
                self.findings.add(_plain_backbone(choice, blocks))
                return None
        if block is None and choice.kind.text in words:
            self.findings.add(_word_alone(choice, what))
            return None
        if block is None:
            self.findings.add(_unknown_kind(choice, blocks, what, words, str(path[-1])))
            return None
        fixed = self._arguments(choice, block, path)
        return self.block(
            block,
            choice.keys,
            path,
            where=choice.kind.span,
            what=f"`{choice.kind.text}`",
            # What stands between parentheses instead is said already.
            broken=choice.broken or "" in fixed,
            fixed=fixed,
        )

    def _arguments(self, choice: Choice, block: type[Block], path: Path) -> dict[str, Any]:
        name = positional_key(block)
        arguments = choice.arguments or ()
        word = choice.kind.text
        if name is None:
            if choice.arguments is not None:
                self.findings.add(
                    _wrong_arguments(
                        choice, f"`{word}` takes no parentheses", _in_braces(choice, block)
                    )
                )
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
            description = info.description or ""
            self.findings.add(
                _wrong_arguments(
                    choice,
                    f"`{word}` takes one value between parentheses",
                    f'write `{word}("…")`: {description}',
                )
            )
            return {name: FAILED}
        return {
            name: self.value(
                arguments[0], kind, "", (*path, name), key=name, place=arguments[0].span
            )
        }

    def _joined(self, choice: Choice, path: Path, name: str) -> Any:
        """Return the names of streams that stand between the parentheses of a fusion."""
        word, place, arguments = choice.kind.text, choice.kind.span, choice.arguments or ()
        quoted = [argument for argument in arguments if isinstance(argument, tree.Text)]
        for text in quoted:
            self.findings.add(_quoted_name(text, f"`{word}` joins streams by name"))
        if quoted:
            return FAILED
        if not arguments:
            self.findings.add(
                _wrong_arguments(
                    choice, f"`{word}` does not say what it joins", f"write `{word}(text, vision)`"
                )
            )
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
        if content.span.source.name == SETTINGS and _means_text(content, kind):
            content = tree.Text(
                span=content.span, value=content.span.text, spelling=content.span.text
            )
        value = self.resolved(content, kind)
        if value is None:
            return FAILED
        self.places.put(path, place, content.span)
        match value:
            case tree.Address(parts=(tree.Name(text=word),)) if kind.means_nothing(word):
                return None
            case tree.Address(parts=(tree.Name(text=word),)) if (
                kind.words and word not in kind.blocks
            ):
                return self._word(word, kind, unit, key, content.span)
            case tree.Call() | tree.Address() if kind.blocks:
                choice = choice_of(value, self.findings)
                if choice is not None:
                    return self._choose(choice, kind, path, key)
            case tree.Address(parts=(tree.Name(text=word),)) if kind.item is None or kind.none:
                return self._word(word, kind, unit, key, content.span)
            case tree.Sequence(items=items) if kind.item is not None:
                return self._list(value, items, kind, unit, path, key, content.span)
            case tree.Boolean() if kind.boolean:
                return value.value
            case tree.Text() if kind.text:
                return value.value
            case tree.Text() if kind.words:
                return self._quoted_word(value, kind, key, content.span)
            case tree.Percentage() if kind.share:
                return self._share(value, key, content.span)
            case tree.Duration() if kind.minutes:
                return Minutes(value.minutes)
            case tree.Number() if kind.count and isinstance(value.value, int):
                return value.value
            case tree.Number() if kind.number:
                return self._number(value, key, content.span)
        self.findings.add(_wrong_kind(value, kind, unit, key, content.span))
        return FAILED

    def resolved(self, value: tree.Value, kind: Kind) -> tree.Value | None:
        """Follow named values to what they stand for; None if they stand for themselves."""
        if kind.name and not kind.words:
            return value
        return follow(value, self.scope, self.findings, keep=kind.takes)

    def _choose(self, choice: Choice, kind: Kind, path: Path, key: str) -> Any:
        if not kind.blocks:
            self.findings.add(
                Diagnostic(
                    code="VL404",
                    message=f"`{key}` takes {describe(kind)}",
                    span=choice.span,
                    label="is a block",
                )
            )
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
        value: tree.Value,
        items: tuple[tree.Value, ...],
        kind: Kind,
        unit: str,
        path: Path,
        key: str,
        span: Span,
    ) -> Any:
        inner = kind.item or Kind()
        if kind.length is not None and len(items) != kind.length:
            self.findings.add(
                Diagnostic(
                    code="VL404",
                    message=f"`{key}` takes a list of {kind.length} values",
                    span=span,
                    label=f"has {len(items)}",
                )
            )
            return FAILED
        read = tuple(
            self.value(item, inner, unit, (*path, i), key=key, place=item.span)
            for i, item in enumerate(items)
        )
        return FAILED if any(item is FAILED for item in read) else read

    def _word(self, word: str, kind: Kind, unit: str, key: str, span: Span) -> Any:
        if word in kind.words:
            return word
        if kind.name:
            return word
        if kind.text:
            self.findings.add(
                Diagnostic(
                    code="VL404",
                    message=f"`{key}` takes {describe(kind, unit)}",
                    span=span,
                    label="a string stands in double quotes",
                    help=(f'write `"{word}"`',),
                    edits=(Edit(span=span, text=f'"{word}"'),),
                )
            )
            return FAILED
        if kind.words:
            self.findings.add(_unknown_word(word, kind, key, span))
            return FAILED
        lower = word.lower()
        if kind.none and lower in _OFF | _NOTHING:
            lower = "none"
        if kind.boolean and lower in _SAID:
            lower = _SAID[lower]
        if (kind.boolean and lower in ("true", "false")) or (kind.none and lower == "none"):
            self.findings.add(
                Diagnostic(
                    code="VL407",
                    message=f"`{key}` cannot be `{word}`",
                    span=span,
                    help=(f"write `{lower}`",),
                    edits=(Edit(span=span, text=lower),),
                )
            )
            return FAILED
        if self.scope.incomplete:
            return FAILED
        if lower in ("none", "null"):
            self.findings.add(
                Diagnostic(
                    code="VL404",
                    message=f"`{key}` takes {describe(kind, unit)}",
                    span=span,
                    label=f"cannot be `{word}`",
                    help=("leave it out where it has a default",),
                )
            )
            return FAILED
        self.findings.add(
            Diagnostic(
                code="VL104",
                message=f"there is no value named `{word}`",
                span=span,
                label=f"`{key}` takes {describe(kind, unit)}",
                help=suggestion(word, self.scope.lets, "a value")
                or (f"a named value is defined by `let {word} = …`",),
            )
        )
        return FAILED

    def _quoted_word(self, value: tree.Text, kind: Kind, key: str, span: Span) -> Any:
        known = value.value in kind.words
        meant = value.value if known else _word_called(value.value, kind)
        self.findings.add(
            Diagnostic(
                code="VL404",
                message=f"`{key}` takes {describe(kind)}",
                span=span,
                label="a word stands without quotes",
                help=(f"write `{meant}`",) if meant else (),
                edits=(Edit(span=span, text=meant),) if meant else (),
            )
        )
        return FAILED

    def _share(self, value: tree.Percentage, key: str, span: Span) -> Any:
        if 0 <= value.percent <= 100:
            return Share.of_percent(value.percent)
        self.findings.add(
            Diagnostic(
                code="VL405",
                message=f"`{key}` is out of range",
                span=span,
                label="a percentage lies between 0% and 100%",
            )
        )
        return FAILED

    def _number(self, value: tree.Number, key: str, span: Span) -> Any:
        try:
            return float(value.value)
        except OverflowError:
            self.findings.add(
                Diagnostic(
                    code="VL405", message=f"`{key}` is out of range", span=span, label="too large"
                )
            )
            return FAILED


def describe(kind: Kind, unit: str = "") -> str:
    """Return in words what a key takes."""
    options = []
    if kind.count:
        options.append(f"a whole number of {unit}" if unit else "a whole number")
    if kind.number:
        options.append("a number")
    if kind.share:
        options.append("a percentage")
    if kind.minutes:
        options.append("a time such as `15min`")
    if kind.boolean:
        options.append("`true` or `false`")
    if kind.text:
        options.append("a name" if kind.name else "a string")
    if kind.words:
        options.append(("one of " if len(kind.choices) > 1 else "") + listing(kind.choices))
    if kind.none:
        options.append("`none`")
    if kind.item and kind.item.blocks:
        options.append(f"`none` or {describe(kind.item)}")
    elif kind.item:
        options.append("a list" if not kind.length else f"a list of {kind.length} values")
    if kind.table:
        options.append("numbers by component")
    if kind.blocks and not kind.words:
        options.append("one of " + listing(sorted(map(spelled_word, kind.blocks.values()))))
    return " or ".join(options)


def _means_text(value: tree.Value, kind: Kind) -> bool:
    """Tell whether a value that was set from outside is a text, though it has no quotes."""
    if not kind.text or kind.name:
        return False
    match value:
        case tree.Address(parts=(tree.Name(text=word),)):
            return not (kind.takes(word) or kind.means_nothing(word))
        case tree.Percentage():
            return not kind.share
        case tree.Address() | tree.Number() | tree.Duration() | tree.Boolean():
            return True
    return False


def _limit(bound: float, value: object) -> str:
    """Return a bound as a file would spell it."""
    if isinstance(value, Share):
        return Share(bound).spelling
    return f"{bound:_}" if isinstance(bound, int) and bound >= 100_000 else number_text(bound)


def _span_of(setting: Setting) -> Span:
    value = setting.value
    if isinstance(value, (dict, tuple)):
        return setting.place
    return value.span


def _missing(name: str, info: FieldInfo, where: Span, what: str) -> Diagnostic:
    name, kind = spelling_of(name, info), kind_of(info)
    spelling = f"`{name} = …`"
    if kind.blocks and name in ("optimizer", "schedule"):
        spelling = f"`{name} {next(iter(kind.blocks))} {{ … }}`"
    elif kind.item and kind.item.blocks:
        spelling = f"`objective {next(iter(kind.item.blocks))} {{ … }}`"
        name = name.removesuffix("s")
    return Diagnostic(
        code="VL403",
        message=f"{what} needs `{name}`",
        span=where,
        label=f"`{name}` is missing",
        help=(f"add {spelling}: {info.description}",),
        notes=(f"`{name}` takes {describe(kind, unit_of(info))}",) if not kind.item else (),
    )


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


def _edits(span: Span, text: str) -> tuple[Edit, ...]:
    return (Edit(span=span, text=text),)


def _wrong_arguments(choice: Choice, message: str, help: str) -> Diagnostic:
    return Diagnostic(code="VL409", message=message, span=choice.kind.span, help=(help,))


def _unknown_kind(
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
        edits=_edits(choice.kind.span, close[0]) if len(close) == 1 else (),
    )


def _quoted_name(text: tree.Text, message: str) -> Diagnostic:
    return Diagnostic(
        code="VL404",
        message=message,
        span=text.span,
        label="is a string",
        help=(f"names stand without quotes: `{text.value}`",),
        edits=_edits(text.span, text.value) if is_name(text.value) else (),
    )


def _word_alone(choice: Choice, key: str) -> Diagnostic:
    word = choice.kind.text
    return Diagnostic(
        code="VL411",
        message=f"`{word}` takes no keys",
        span=choice.kind.span,
        label="stands alone",
        help=(f"write `{key} = {word}`",),
    )


def _word_called(name: str, kind: Kind) -> str | None:
    """Return which of the words of a key others call so."""
    kinds = kind.words if isinstance(kind.words, Kinds) else {}
    return kind_called(name, kinds) or word_among(name, kind.words)


def _unknown_word(word: str, kind: Kind, key: str, span: Span) -> Diagnostic:
    nothing = word.lower() in _OFF and "none" in kind.words
    meant = "none" if nothing else _word_called(word, kind)
    close = (meant,) if meant else nearest(word, kind.words)
    return Diagnostic(
        code="VL407",
        message=f"`{key}` cannot be `{word}`",
        span=span,
        label="unknown word",
        help=(f"write `{meant}`",) if meant else suggestion(word, kind.words, "a word"),
        notes=(f"`{key}` is one of {listing(kind.words)}",),
        edits=(Edit(span=span, text=close[0]),) if len(close) == 1 else (),
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


def _plain_backbone(choice: Choice, blocks: Mapping[str, type[Block]]) -> Diagnostic:
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


def _wrong_kind(value: tree.Value, kind: Kind, unit: str, key: str, span: Span) -> Diagnostic:
    wanted = describe(kind, unit)
    meant = _number_meant(value, kind) or _word_meant(value, kind)
    help = (f"write `{meant}`",) if meant else ()
    if isinstance(value, tree.Call) and value.function.text == "range" and kind.item is not None:
        help = ("a list names each of its values: `[0, 1, 2]`",)
    unit_clash = isinstance(value, tree.Percentage) or (
        isinstance(value, tree.Number) and kind.share and not kind.count
    )
    return Diagnostic(
        code="VL406" if unit_clash and (kind.count or kind.number or kind.share) else "VL404",
        message=f"`{key}` takes {wanted}",
        span=span,
        label=f"is {_what(value)}",
        help=help,
        edits=_edits(span, meant) if meant else (),
    )


def _number_meant(value: tree.Value, kind: Kind) -> str | None:
    """Return the number, share or list of numbers that a value was meant for."""
    match value:
        case tree.Percentage(percent=percent) if kind.number:
            return f"{percent / 100:g}"
        case tree.Number(value=number) if kind.share and 0 <= number <= 1:
            return Share(number).spelling
        case tree.Number(value=number) if kind.share and not kind.count and 1 < number <= 100:
            return f"{number_text(number)}%"
        case tree.Text(value=text) if (kind.count and text.isdecimal()) or (
            kind.number and _is_number(text)
        ):
            return text
        case tree.Number(value=float() as number) if kind.count and number.is_integer():
            return str(int(number))
        case tree.Text(value=text) if (
            kind.item is not None and kind.item.count and _NUMBERS.fullmatch(text)
        ):
            return f"[{', '.join(re.findall('[0-9]+', text))}]"
        case tree.Sequence(items=(tree.Number() as first, *rest)) if kind.count and all(
            isinstance(one, tree.Number) and one.value == first.value for one in rest
        ):
            return first.spelling
    return None


def _word_meant(value: tree.Value, kind: Kind) -> str | None:
    """Return the word, string or list of words that a value was meant for."""
    match value:
        case tree.Boolean(value=False) if kind.none:
            return "none"
        case tree.Number(value=0 | 1 as number) if kind.boolean and isinstance(number, int):
            return "true" if number else "false"
        case tree.Text(value=text) if kind.boolean and text.lower() in ("true", "false"):
            return text.lower()
        case tree.Text(value=text) if kind.blocks and text in kind.blocks:
            return text
        case tree.Text(value=text) if kind.item is not None and kind.item.name and is_name(text):
            return f"[{text}]"
        case tree.Number(spelling=spelled) if kind.words:
            return word_among(spelled, kind.words)
        case tree.Address() if kind.text:
            return f'"{value.span.text}"'
        case tree.Address() if kind.item is not None:
            return f"[{value.span.text}]"
        case tree.Text() if kind.item is not None and kind.item.text:
            return f"[{value.span.text}]"
    return None


def _is_number(text: str) -> bool:
    return re.fullmatch(r"-?\d+(\.\d+)?([eE][+-]?\d+)?", text) is not None


def _what(value: tree.Value) -> str:
    match value:
        case tree.Number(value=int()):
            return "a whole number"
        case tree.Number(value=float() as number, spelling=spelled) if (
            number.is_integer() and "e" in spelled.lower()
        ):
            return "a number with an exponent"
        case tree.Number():
            return "a number with a fraction"
        case tree.Percentage():
            return "a percentage"
        case tree.Duration():
            return "a time"
        case tree.Text():
            return "a string"
        case tree.Boolean():
            return "`true` or `false`"
        case tree.Sequence():
            return "a list"
        case tree.Call():
            return "a block"
        case tree.Address():
            return f"the address `{plain_text(value)}`"

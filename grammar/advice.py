"""What to write instead of a token that does not fit."""

import re
from collections.abc import Callable, Iterator
from typing import Any

from renaissance.grammar.anatomy.selectors import KINDS
from renaissance.grammar.borrowed import statement, statement_of_a_model
from renaissance.grammar.diagnostics import Edit
from renaissance.grammar.kinds.registry import FAMILIES, KindError, schema, words
from renaissance.grammar.named_sources import named_for_a_stream, source_meant, source_named
from renaissance.grammar.names import nearest, suggestion
from renaissance.grammar.record import Record
from renaissance.grammar.source import Source, Span
from renaissance.grammar.tokens import Token, tables, text_value

OPEN = {"LPAR": "RPAR", "LSQB": "RSQB", "LBRACE": "RBRACE"}
_RELATION_OF = {"pretrain": "on", "finetune": "from", "evaluate": "of", "model": "extends"}
_RELATIONS = ("extends", "on", "from", "of")
_CHOSEN = {"objective": "objective", "optimizer": "optimizer", "schedule": "schedule"}
_EXCEPT = ("but", "without", "not", "excluding", "minus", "exclude")
_STATEMENTS = ("freeze", "adapt", "let", "import", "study", "factor")
_GROUPED = re.compile(r"(?<![\w.])\d{1,3}(?:[ ,]\d{3})+(?![\w.])")
_DECIMAL = re.compile(r"(?<![\w.])\d+,\d+(?![\w.])")
_NAMES = re.compile(r"\w[\w.\[\]:]*(?:\s*,\s*\w[\w.\[\]:]*)*")
_FILE = re.compile(r"\w[\w/]*")
_SIZE = re.compile(r"\b(?:r|rank|lora_r|lora_rank)\s*=\s*(\d+)")
_LEVELS = "a level is a name with what it sets between braces"
_PYTHON = ("def", "class", "for", "if", "while", "with", "return", "print", "try", "lambda")
_LISTS = ("data", "of", "baseline", "seeds", "report")
_VALUES_ALONE = re.compile(r'(?:[\w.%-]+|"[^"]*")(?:\s*,\s*(?:[\w.%-]+|"[^"]*"))*,?')
_LENGTHS = ("epochs", "steps")
_UNITS = {
    "%": ("percent", "pct"),
    "min": ("min", "mins", "minute", "minutes"),
    "h": ("h", "hr", "hrs", "hour", "hours"),
    "k": ("k", "thousand"),
    "M": ("million", "mio"),
}
_VALUES = ("NUMBER", "PERCENTAGE", "DURATION", "STRING", "TRUE", "FALSE", "LSQB", "NAME")


class Place(Record):
    """A token that does not fit, and what is around it.

    Attributes:
        source: the text.
        token: what stands there.
        before: the last token that fitted.
        expected: the terminals that would fit.
        opening: the innermost open bracket or brace.
        new_line: whether the token is the first of its line.
        in_freeze: whether it stands in a `freeze` or `adapt` statement.
        in_study: whether it stands in a study, in a factor or in a level.
        line: the tokens of its line.
        at: where it stands in the line; as many as there are for the end of the line.
    """

    source: Source
    token: Token
    before: Token | None
    expected: frozenset[str]
    opening: Token | None
    new_line: bool
    in_freeze: bool
    in_study: bool = False
    line: tuple[Token, ...] = ()
    at: int = 0

    def text(self, first: Token, last: Token | None = None) -> str:
        """Return the text of a token, or of all from one to another."""
        return self.source.text[first.start : (last or first).end]

    def kind(self, index: int) -> str:
        """Return the kind of a token of the line; that of a line end beyond it."""
        return self.line[index].type if 0 <= index < len(self.line) else "NL"

    def freezing(self) -> Token:
        """Return the word that begins a `freeze` or `adapt`, or what goes on with it on a line."""
        verbs = (part for part in self.line if part.type in ("FREEZE", "ADAPT"))
        return next(verbs, self.line[0] if self.line else self.token)

    def edit(self, start: int, end: int, text: str) -> Edit:
        """Return the change of a piece of the text."""
        return Edit(span=Span(source=self.source, start=start, end=end), text=text)

    def end(self) -> int:
        """Return where the last token of the line ends."""
        return self.line[-1].end if self.line else self.token.end

    def closing(self, index: int) -> int | None:
        """Return which token of the line closes the bracket at a place of it."""
        depth = 0
        for other in range(index, len(self.line)):
            depth += (self.kind(other) in OPEN) - (self.kind(other) in OPEN.values())
            if not depth:
                return other
        return None


class Advice(Record):
    """What to write: in words, and as changes where these are all that is needed."""

    help: tuple[str, ...]
    edits: tuple[Edit, ...] = ()


NONE = Advice(help=())


def advice(place: Place) -> Advice:
    """Return what to write instead, as far as that can be told."""
    found = next(_said(place), None)
    return found if found is not None else NONE


def _said(place: Place) -> Iterator[Advice]:
    rules: tuple[Callable[[Place], Advice | None], ...] = (
        _python,
        *((_grouping,) if place.in_study or place.kind(0) == "FACTOR" else ()),
        *((_freezing,) if place.in_freeze else ()),
        _source,
        _then,
        _number,
        _list,
        _brace,
        _equal,
        _quoted,
        _declared,
        _backbone,
        _keyword,
        _value,
    )
    for rule in rules:
        if (found := rule(place)) is not None:
            yield found


def _write(text: str, *edits: Edit) -> Advice:
    return Advice(help=(f"write `{text}`",), edits=edits)


def _freezing(place: Place) -> Advice | None:
    """Say how what is frozen is named."""
    token, before = place.token, place.before
    assert before is not None
    if before.type in ("FREEZE", "ADAPT"):
        verb = place.text(before)
        if token.type == "NL":
            return Advice(help=(f"name a component, such as `{verb} vision`",))
        last = place.closing(place.at) if token.type in OPEN else None
        end = place.end() if last is None else place.line[last].end
        meant = re.sub(r'[={}()"]', "", place.source.text[token.start : end]).strip()
        meant = meant.removeprefix("[").removesuffix("]").strip()
        if _NAMES.fullmatch(meant) and meant not in ("true", "false", "none"):
            return _write(f"{verb} {meant}", place.edit(before.end, end, f" {meant}"))
        return Advice(help=(f"selectors follow without `=`: `{verb} vision`",))
    if token.type == "EQUAL" and place.kind(place.at + 1) in ("TRUE", "FALSE"):
        start = place.freezing()
        return _write(
            place.text(start, before), place.edit(before.end, place.line[place.at + 1].end, "")
        )
    if found := _freezing_keys(place, before):
        return found
    if token.type == "EQUAL":
        text = (
            "a comma after a selector continues the list; "
            "put the next statement on a line of its own"
        )
        return Advice(help=(text,))
    if token.type == "UNTIL" and any(part.type == "ADAPT" for part in place.line):
        return Advice(help=("leave it out: what is under adapters never learns",))
    word = place.text(token)
    if token.type == "NAME" and word in _EXCEPT:
        return _write("except", place.edit(token.start, token.end, "except"))
    if token.type == "NAME" and word == "and" and place.at + 1 < len(place.line):
        start = place.freezing()
        rest = place.text(place.line[place.at + 1], place.line[-1])
        meant = f"{place.text(start, before)}, {rest}"
        return _write(meant, place.edit(before.end, token.end, ","))
    if token.type == "NAME" and "COMMA" in place.expected:
        start = place.at - 1
        while place.kind(start - 1) not in ("COMMA", "FREEZE", "ADAPT", "EXCEPT", "NL"):
            start -= 1
        selector = place.text(place.line[start], before)
        if word in KINDS:
            part = f"`.` stands before what is meant of a selector: `{selector}.{word}`"
            return Advice(help=(part, f"a comma between two: `{selector}, {word}`"))
        text = f"a comma stands between selectors: `{selector}, {word}`"
        return Advice(help=(text,), edits=(place.edit(before.end, before.end, ","),))
    if token.type == "LPAR" or ("RSQB" in place.expected and token.type in ("NUMBER", "COMMA")):
        return Advice(help=("write `layers[0]` for one layer, `layers[0:2]` for the first two",))
    return None


def instead_of_key(place: Place) -> Advice:
    """Say what is written instead of a keyword to which something is assigned."""
    token, at = place.token, place.at
    word = place.text(token)
    if place.kind(at + 1) != "EQUAL":
        return NONE
    value = place.text(place.line[at + 2], place.line[-1]) if at + 2 < len(place.line) else "…"
    value = value.rstrip(" })").strip('[]"')
    if place.in_study and word in _RELATIONS:
        return Advice(
            help=(f"write `of = [{value}]`",), edits=(place.edit(token.start, token.end, "of"),)
        )
    if word in _RELATION_OF.values():
        return Advice(help=(f"it stands before the braces: `… NAME {word} {value} {{`",))
    if token.type in ("FREEZE", "ADAPT"):
        start = at
        while start > 1 and place.kind(start - 1) == "DOT":
            start -= 2
        meant = f"{word} {value}"
        for part in reversed(place.line[start:at:2]):
            meant = f"{place.text(part)} {{ {meant} }}"
        return _write(meant)
    return NONE


def named_streams(place: Place) -> Advice:
    """Say that the streams of a fusion stand between parentheses without names for them."""
    start = next((i for i, part in enumerate(place.line) if part is place.opening), None)
    last = None if start is None else place.closing(start)
    if place.kind(0) != "FUSION" or start is None or last is None:
        return NONE
    inside = place.text(place.line[start], place.line[last])[1:-1].strip()
    if not re.fullmatch(r"\w+\s*=\s*\w+(?:\s*,\s*\w+\s*=\s*\w+)*", inside):
        return NONE
    inside = re.sub(r"\w+\s*=\s*", "", inside)
    meant = f"{place.text(place.line[start - 1])}({inside})"
    return _write(meant, place.edit(place.line[start - 1].start, place.line[last].end, meant))


def _grouping(place: Place) -> Advice | None:
    """Say how factors, levels and lists of a study are written."""
    token, before, at = place.token, place.before, place.at
    first, kind = place.kind(0), before.type if before else "NL"
    if kind in ("FREEZE", "ADAPT") and token.type == "LBRACE" and at == 1:
        assert before is not None
        edit = place.edit(before.start, before.start, "factor ")
        return _write(f"factor {place.text(before)} {{", edit)
    if first == "STUDY" and token.type == "OF" and at + 1 < len(place.line):
        return Advice(help=(f"write `of = [{place.text(place.line[at + 1])}]` between its braces",))
    if token.type == "NUMBER" and kind in ("NL", "LBRACE"):
        return Advice(help=(f"{_LEVELS}: `low {{ … }}`",))
    if token.type == "NAME" and at and before is not None and place.text(before) == "level":
        return _write(place.text(token), place.edit(before.start, token.start, ""))
    if first == "FACTOR" and token.type in ("EQUAL", "NUMBER", "PERCENTAGE", "LSQB", "LBRACE"):
        return Advice(help=(f"{_LEVELS}: `factor rate {{ low {{ … }} high {{ … }} }}`",))
    if place.text(place.line[0] if place.line else token) in ("only", "except"):
        if token.type in ("NL", "COMMA", "RBRACE"):
            return Advice(help=("it names a factor with its level: `FACTOR = LEVEL`",))
        if before is not None and at == 1:
            rest = place.text(token, place.line[-1]).strip("[](){} ")
            meant = f"{place.text(before)} {{ {rest} }}"
            return _write(meant, place.edit(place.line[0].start, place.end(), meant))
    if kind == "NAME" and at == 1 and token.type in ("COLON", "NL"):
        assert before is not None
        name = place.text(before)
        rest = place.text(place.line[2], place.line[-1]) if len(place.line) > 2 else "…"
        if token.type == "NL" or "=" in rest or ":" in rest:
            return Advice(help=(f"{_LEVELS}: `{name} {{ {rest} }}`",))
    return None


def _freezing_keys(place: Place, before: Token) -> Advice | None:
    """Say how the keys of a `freeze` or `adapt`, its end and single layers are written."""
    token, at, word = place.token, place.at, place.text(place.token)
    start = place.freezing()
    head = place.text(start, before)
    last = place.closing(at) if token.type == "LPAR" else len(place.line) - 1
    keys = place.text(token, place.line[last]).strip("()") if last is not None else ""
    if "=" in keys and "{" not in keys and token.type in ("LPAR", "NAME"):
        assert last is not None
        meant = f" {{ {keys.strip()} }}"
        return _write(head + meant, place.edit(before.end, place.line[last].end, meant))
    if token.type == "NUMBER" and before.type == "DOT" and at > 1:
        root = head.removeprefix(place.text(start)).split(",")[-1].strip().partition(".")[0]
        meant = f"{root}.layers[{word}]"
        return Advice(help=(f"a layer stands in brackets: `{meant}`",))
    if token.type == "NAME" and word in ("for", "during", "till") and at + 1 < len(place.line):
        until = f"until {place.text(place.line[at + 1])}"
        return _write(until, place.edit(token.start, place.end(), until))
    if (
        token.type == "NAME"
        and before.type in ("NUMBER", "PERCENTAGE")
        and place.kind(at - 2) == "UNTIL"
    ):
        return _unit(place, before)
    return None


def _python(place: Place) -> Advice | None:
    """Say that there are no functions, loops or conditions."""
    first = place.text(place.line[0]) if place.line else ""
    if first in _PYTHON and place.kind(1) not in ("EQUAL", "LBRACE") and place.at > 0:
        return Advice(
            help=("there are no functions, loops or conditions; a `study` varies things",)
        )
    if first in ("unfreeze", "thaw") and place.at == 1:
        return Advice(
            help=(
                "what is not frozen learns: `freeze vision until 30%` thaws, and `freeze nothing` "
                "takes back what a parent freezes",
            )
        )
    alone = place.kind(1) in ("NL", "STRING")
    if place.token.type == "STRING" and alone and place.at == 0 and len(place.expected) > 1:
        return Advice(help=("comments start with `#`",))
    return None


def _source(place: Place) -> Advice | None:
    """Say how a backbone says which encoder it is."""
    before = place.before
    if place.kind(0) not in ("BACKBONE", "EMBED") or before is None:
        return None
    equal = "" if place.kind(2) == "EQUAL" else "= "
    at = 2 if equal else 3
    if place.kind(at) == "STRING" and place.at in (at, at + 1) and place.kind(1) == "NAME":
        said = place.line[at]
        meant = source_named(text_value(place.text(said)), place.text(place.line[1]))
        return _write(equal + meant, place.edit(said.start, said.end, equal + meant))
    if equal:
        return None
    name = next((part for part in place.line[3:] if part.type == "STRING"), None)
    if place.token.type == "LPAR" and place.kind(place.at - 2) == "DOT":
        library = "timm" if place.text(place.line[3]) == "timm" else "huggingface"
        spelled = place.text(name) if name is not None else f'"{place.text(before)}"'
        last = place.closing(place.at)
        meant = f"{library}({spelled})"
        edits = (
            () if last is None else (place.edit(place.line[3].start, place.line[last].end, meant),)
        )
        return _write(meant, *edits)
    return None


def _then(place: Place) -> Advice | None:
    """Say that a study runs what its jobs start from without naming it."""
    rest = place.line[place.at + 1 :]
    if [place.kind(0), place.kind(1)] != ["OF", "EQUAL"] or place.text(place.token) != "then":
        return None
    if not rest:
        return None
    meant = re.split(r"\bthen\b", place.text(rest[0], rest[-1]))[-1].strip(" []")
    edit = place.edit(place.line[2].start, place.end(), f"[{meant}]")
    return _write(f"of = [{meant}]", edit)


def _number(place: Place) -> Advice | None:
    """Say how numbers are spelled that were cut in two."""
    token, text = place.token, place.source.text
    if token.type == "DOT" and "NUMBER" in place.expected:
        following = place.line[place.at + 1] if place.at + 1 < len(place.line) else None
        if following is None or following.type != "NUMBER":
            return Advice(help=("a number starts with a digit: `0.5`",))
        return Advice(
            help=(f"a number starts with a digit: `0.{place.text(following)}`",),
            edits=(place.edit(token.start, token.start, "0"),),
        )
    if token.type != "NUMBER" or place.before is None:
        return None
    line = text.rfind("\n", 0, token.start) + 1
    for pattern, mark, said in (
        (_GROUPED, "_", "digits are grouped by `_`"),
        (_DECIMAL, ".", "write a decimal point"),
    ):
        for found in pattern.finditer(text, line, place.end()):
            if found.start() <= place.before.start and found.end() >= token.end:
                number = re.sub("[ ,]", mark, found[0])
                edit = place.edit(found.start(), found.end(), number)
                return Advice(help=(f"{said}: `{number}`",), edits=(edit,))
    return None


def _list(place: Place) -> Advice | None:
    """Say how lists are written."""
    token, before, at = place.token, place.before, place.at
    kind = before.type if before else "NL"
    if kind == "EQUAL" and token.type in ("LPAR", "LBRACE"):
        last = place.closing(at)
        inner = "" if last is None else place.text(place.line[at], place.line[last])[1:-1].strip()
        named = re.fullmatch(r"\w+\s*=\s*[\w.]+(?:\s*,\s*\w+\s*=\s*[\w.]+)*", inner)
        if named and place.text(place.line[at - 2]) in _LISTS:
            inner = re.sub(r"\w+\s*=\s*", "", inner)
        elif token.type == "LBRACE" and not _VALUES_ALONE.fullmatch(inner):
            inner = ""
        if inner and not re.search("[={}]", inner):
            assert last is not None
            edit = place.edit(token.start, place.line[last].end, f"[{inner}]")
            return Advice(help=(f"lists stand in square brackets: `[{inner}]`",), edits=(edit,))
    if kind == "COMMA" and token.type in ("NUMBER", "STRING") and "EQUAL" not in place.expected:
        equal = [i for i in range(at) if place.kind(i) == "EQUAL"]
        if equal and not any(place.kind(i) in OPEN for i in range(equal[-1], at)):
            last = at
            while place.kind(last + 1) == "COMMA" and place.kind(last + 2) == token.type:
                last += 2
            first, end = place.line[equal[-1] + 1], place.line[last]
            meant = f"[{place.text(first, end)}]"
            edit = place.edit(first.start, end.end, meant)
            return Advice(help=(f"lists stand in square brackets: `{meant}`",), edits=(edit,))
    if kind == "NAME" and "EQUAL" in place.expected and token.type in ("NL", "RBRACE"):
        equal = [i for i in range(at) if place.kind(i) == "EQUAL"]
        kinds = [place.kind(i) for i in range(equal[-1] + 1, at)] if equal else []
        if place.text(place.line[max(equal[-1] - 1, 0)] if equal else token) in _LISTS and (
            kinds == ["NAME", *["COMMA", "NAME"] * (len(kinds) // 2)]
        ):
            first, final = place.line[equal[-1] + 1], place.line[at - 1]
            meant = f"[{place.text(first, final)}]"
            edit = place.edit(first.start, final.end, meant)
            return Advice(help=(f"lists stand in square brackets: `{meant}`",), edits=(edit,))
    opening = place.opening.type if place.opening else ""
    if opening == "LSQB" and token.type == "NUMBER" and before and token.start == before.end:
        return Advice(help=("a list names each of its values: `[0, 1, 2]`",))
    if opening in ("LPAR", "LSQB") and "COMMA" in place.expected and token.type in _VALUES:
        assert before is not None
        edit = place.edit(before.end, before.end, ",")
        return Advice(help=("put `,` between them",), edits=(edit,))
    if kind == "LSQB" and "NUMBER" in place.expected and at >= 2:
        last = place.closing(at - 1)
        inside = "…" if last is None else place.text(token, place.line[last - 1])
        word = place.line[at - 2]
        if at == 2 or place.kind(at - 3) in ("LBRACE", "COMMA"):
            edit = place.edit(word.end, word.end, " =")
            return _write(f"{place.text(word)} = [{inside}]", edit)
        return Advice(
            help=(f"values stand in parentheses: `{place.text(word)}({inside})`",),
            edits=()
            if last is None or before is None
            else (
                place.edit(before.start, before.end, "("),
                place.edit(place.line[last].start, place.line[last].end, ")"),
            ),
        )
    return None


def _brace(place: Place) -> Advice | None:
    """Say what stands before a brace, or takes one."""
    token, before, at = place.token, place.before, place.at
    first = place.line[0] if place.line else token
    word = place.text(before) if before else ""
    if token.type == "LBRACE" and before and before.type == "EQUAL" and place.kind(at - 3) == "DOT":
        return Advice(
            help=("braces follow on a name, without `.` and `=`: `base { model { … } }`",)
        )
    if token.type == "LBRACE" and place.new_line:
        return Advice(help=("put `{` on the line of what it belongs to",))
    if token.type == "LBRACE" and before and before.type == "EQUAL" and first.type in _blocks():
        head = place.text(first, place.line[at - 2])
        return _write(f"{head} {{", place.edit(place.line[at - 2].end, before.end, ""))
    if before is None or before.type != "NAME":
        return None
    if token.type == "LBRACE" and "EQUAL" in place.expected:
        for statement in _CHOSEN:
            if word in _words(statement):
                edit = place.edit(before.start, before.start, f"{statement} ")
                return _write(f"{statement} {word} {{ … }}", edit)
        if word in _words("source"):
            return _write(f"backbone text = {word} {{ … }}")
        if at == 1 and (meant := statement_of_a_model(word)) and "{" in meant:
            last = place.closing(at)
            inside = "" if last is None else place.text(token, place.line[last])
            size = _SIZE.search(inside)
            return _write(re.sub(r"\d+", size[1], meant) if size else meant)
    if token.type != "LPAR":
        return None
    last = place.closing(at)
    inside = "…" if last is None else place.text(token, place.line[last])[1:-1].strip()
    keyword = place.text(place.line[at - 2]) if at > 1 else ""
    if keyword == "fusion":
        if word in _words("fusion"):
            edit = place.edit(before.start, before.start, "joint = ")
            return _write(f"fusion joint = {word}({inside})", edit)
        return _write(f"fusion {word} = cross_attention({inside})")
    if keyword in _CHOSEN and inside and "=" not in inside:
        return Advice(help=(f"keys stand between braces: `{word} {{ … }}`",))
    if keyword in _CHOSEN:
        edits: tuple[Edit, ...] = (
            () if last is None else (place.edit(before.end, place.line[last].end, ""),)
        )
        if "=" in inside and last is not None:
            inside = re.sub(r"\s*=\s*", " = ", inside)
            word = _called(keyword, word) or word
            meant = f"{word} {{ {inside} }}"
            edits = (place.edit(before.start, place.line[last].end, meant),)
        return Advice(help=(f"keys stand between braces: `{word} {{ {inside} }}`",), edits=edits)
    return None


def _equal(place: Place) -> Advice | None:
    """Say that one `=` gives a value."""
    token, before, at = place.token, place.before, place.at
    kind = before.type if before else "NL"
    if token.type == "EQUAL" and kind == "EQUAL":
        return Advice(help=("write one `=`",), edits=(place.edit(token.start, token.end, ""),))
    if token.type != "COLON" or "EQUAL" not in place.expected or before is None:
        return None
    if place.kind(at + 1) == "LBRACE" and before.type in _blocks():
        word = place.text(before)
        return _write(f"{word} {FAMILIES[word].example if word in _CHOSEN else 'NAME'} {{ … }}")
    if place.kind(0) == "MODEL" and at == 2 and place.kind(3) == "NAME":
        name = place.text(place.line[3])
        return _write(f"extends {name}", place.edit(before.end, token.end, " extends"))
    if at == 1 and place.opening is None and place.text(before) == "defaults":
        named = _FILE.search(place.text(token, place.line[-1]))
        file = f"{named[0]}.vl" if named else "….vl"
        return Advice(help=(f'files are joined with `import "{file}"`',))
    edits = (place.edit(before.end, token.end, " ="),)
    return Advice(help=("a value is given with `=`",), edits=edits)


def _quoted(place: Place) -> Advice | None:
    """Say what stands in quotes, and what does not."""
    token, expected = place.token, place.expected
    text = place.text(token)
    kind = place.before.type if place.before else "NL"
    if token.type == "STRING" and kind in ("ON", "FROM", "OF") and not text[1:-1].isidentifier():
        return Advice(
            help=('a name of this file stands there; `weights = "…"` of a model takes a file',)
        )
    if token.type == "NAME" and expected == {"STRING"}:
        edit = place.edit(token.start, token.end, f'"{text}.vl"')
        return Advice(help=(f'a path stands in quotes: `"{text}.vl"`',), edits=(edit,))
    if token.type != "STRING" or "STRING" in expected:
        return None
    if kind == "NAME" and "LPAR" in expected and kind != "EQUAL" and place.at > 1:
        edits = (place.edit(token.start, token.end, f"({text})"),)
        return Advice(help=(f"write parentheses around it: `({text})`",), edits=edits)
    if "NAME" in expected and text[1:-1].isidentifier():
        edits = (place.edit(token.start, token.end, text[1:-1]),)
        return Advice(help=(f"names stand without quotes: `{text[1:-1]}`",), edits=edits)
    return None


def _declared(place: Place) -> Advice | None:
    """Say what stands between the name of a block and what it relates to."""
    token, before, at = place.token, place.before, place.at
    if token.type != "NAME" or before is None or before.type != "NAME" or at != 2:
        return None
    keyword, text = place.text(place.line[0]), place.text(token)
    if keyword in ("backbone", "embed", "fusion"):
        named = None if keyword == "fusion" else source_meant(text, place.text(before))
        edit = place.edit(before.end, token.end, f" = {named or text}")
        return _write(f"{keyword} {place.text(before)} = {named or text}", edit)
    relation = _RELATION_OF.get(keyword)
    if relation is None:
        return None
    if place.kind(at + 1) != "NAME":
        return _write(f"{relation} {text}", place.edit(token.start, token.start, f"{relation} "))
    close = nearest(text, _RELATIONS)
    relation = close[0] if close else relation
    meant = f"{relation} {place.text(place.line[at + 1])}"
    return _write(meant, place.edit(token.start, token.end, relation))


def _backbone(place: Place) -> Advice | None:
    """Say that `vision timm("…")` states a backbone."""
    token, before = place.token, place.before
    if place.at != 1 or before is None or before.type != "NAME":
        return None
    name, said = place.text(before), place.text(token)
    if "EQUAL" not in place.expected or not named_for_a_stream(name):
        return None
    if token.type == "LBRACE":
        edit = place.edit(before.start, before.start, "backbone ")
        return _write(f"backbone {name} {{ … }}", edit)
    if token.type != "NAME":
        return None
    last = place.closing(2) if place.kind(2) == "LPAR" else None
    end = token if last is None else place.line[last]
    meant = f"backbone {name} = {source_meant(said, name) or place.text(token, end)}"
    return _write(meant, place.edit(before.start, end.end, meant))


def keywords_like(word: str) -> Iterator[tuple[str, str]]:
    """Yield the keywords of statements that a word may stand for, each with its kind of token."""
    if (word in ("unfreeze", "thaw", *_PYTHON) and word != "def") or named_for_a_stream(word):
        return
    keywords = {text: tables().keywords[text] for text in _starting()}
    close = nearest(word, keywords)
    if len(close) == 1:
        yield close[0], keywords[close[0]]
    elif not close and (meant := statement(word)) is not None:
        yield meant, keywords[meant]


def _starting() -> tuple[str, ...]:
    """Return the keywords that statements start with."""
    blocks = (text for text, kind in tables().keywords.items() if kind in _blocks())
    return (*blocks, *_STATEMENTS)


def _keyword(place: Place) -> Advice | None:
    """Say which keyword a word in the place of one resembles."""
    token, before = place.token, place.before
    if before is None or before.type != "NAME" or "EQUAL" not in place.expected:
        return None
    if (
        token.type not in ("NAME", "STRING", "LBRACE", "LPAR")
        or place.kind(place.at - 2) in _blocks()
    ):
        return None
    word = place.text(before)
    close = nearest(word, _starting())
    if not close:
        return None
    edits = (place.edit(before.start, before.end, close[0]),) if len(close) == 1 else ()
    return Advice(help=suggestion(word, close, "a keyword"), edits=edits)


def _value(place: Place) -> Advice | None:
    """Say that `=` or a value is missing, or what is too much."""
    token, before, at = place.token, place.before, place.at
    if before is None:
        return None
    if before.type in ("NUMBER", "PERCENTAGE") and token.type == "NAME" and at > 1:
        return _unit(place, before)
    if "EQUAL" not in place.expected or before.type not in ("NAME", "RSQB"):
        return None
    start = at - 1
    while start > 0 and place.kind(start - 1) in ("DOT", "NAME", "RSQB", "LSQB", "LET", "NUMBER"):
        start -= 1
    if place.kind(start) not in ("NAME", "LET", *_blocks()):
        return None
    key = place.text(place.line[start], before) if at else place.text(before)
    if token.type in ("NL", "COMMA", "RBRACE"):
        return _write(f"{key} = …")
    if token.type in _VALUES and place.kind(start - 1) not in _blocks():
        last = place.closing(at) if token.type == "LSQB" else at
        value = place.text(token, None if last is None else place.line[last])
        return _write(f"{key} = {value}", place.edit(before.end, before.end, " ="))
    return None


def _unit(place: Place, number: Token) -> Advice:
    """Say how a number is written that has a word behind it."""
    word, spelled = place.text(place.token).lower(), place.text(number)
    key = place.line[place.at - 3] if place.at > 2 else number
    said = place.text(key)
    if said in _LISTS:
        return _write(f"{said} = [0, 1, 2]")
    for length in _LENGTHS:
        if word.rstrip("s") == length.rstrip("s") and length != said and said in _LENGTHS:
            edit = place.edit(key.start, place.token.end, f"{length} = {spelled}")
            return _write(f"{length} = {spelled}", edit)
    unit = next((unit for unit, words in _UNITS.items() if word in words), None)
    if unit is not None:
        edit = place.edit(number.start, place.token.end, spelled + unit)
        return _write(spelled + unit, edit)
    if word in ("epoch", "epochs") and said not in _LENGTHS:
        return Advice(help=("it is said in steps, or as a share of all steps: `10%`",))
    text = f"units are not written: `{spelled}`"
    return Advice(help=(text,), edits=(place.edit(number.end, place.token.end, ""),))


def _blocks() -> frozenset[str]:
    return frozenset(tables().blocks)


def _words(family: str) -> tuple[str, ...]:
    try:
        return words(family)
    except KindError:
        return ()


def _called(family: str, name: str) -> str | None:
    """Return the word of the kind that others call so; None if none is."""
    from renaissance.grammar.kinds.block import kind_called  # only mistakes pay for it

    found = {word: _schema(family, word) for word in _words(family)}
    return kind_called(name, {word: kind for word, kind in found.items() if kind is not None})


def _schema(family: str, word: str) -> Any:
    try:
        return schema(family, word)
    except KindError:
        return None

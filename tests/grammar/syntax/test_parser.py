"""The parser: trees of well-formed texts, and recovery in others."""

import random
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lark import Lark
from lark import Token as LarkToken
from lark.exceptions import UnexpectedToken

from benchmarks.parsing import HOSTILE
from renaissance.grammar import tree
from renaissance.grammar.printer import print_tree
from renaissance.grammar.source import Source
from renaissance.grammar.syntax import tables
from renaissance.grammar.syntax.lookahead import significant
from renaissance.grammar.syntax.parser import parse
from renaissance.grammar.syntax.tokens import tokenize


def read(text: str) -> tree.File:
    file, findings = parse(Source(name="a.vl", text=text))
    assert findings == ()
    assert not file.broken
    return file


def found(text: str) -> list[tuple[str, int]]:
    """Return code and line of each finding."""
    source = Source(name="a.vl", text=text)
    _, findings = parse(source)
    return [(item.code, source.position(item.span.start)[0]) for item in findings]


def only(text: str) -> tree.Statement:
    (statement,) = read(text).statements
    return statement


def value(text: str) -> tree.Value:
    statement = only(f"a = {text}")
    assert isinstance(statement, tree.Assignment)
    return statement.value


@pytest.mark.parametrize(
    ("spelling", "expected"),
    [
        ("12", 12),
        ("-3", -3),
        ("1_000", 1000),
        ("50k", 50_000),
        ("2M", 2_000_000),
        ("1.5k", 1500),
        ("1.1M", 1_100_000),
        ("0.1", 0.1),
        ("1e-4", 1e-4),
        ("2.5E3", 2500.0),
    ],
)
def test_numbers(spelling: str, expected: float) -> None:
    number = value(spelling)
    assert isinstance(number, tree.Number)
    assert (number.value, type(number.value)) == (expected, type(expected))
    assert number.spelling == spelling


def test_duration() -> None:
    for spelling, minutes in (("15min", 15), ("1_000min", 1000), ("0.5h", 30), ("2h", 120)):
        duration = value(spelling)
        assert isinstance(duration, tree.Duration)
        assert (duration.minutes, duration.spelling) == (minutes, spelling)


def test_percentage() -> None:
    share = value("0.5%")
    assert isinstance(share, tree.Percentage)
    assert (share.percent, share.spelling) == (0.5, "0.5%")


@pytest.mark.parametrize("escape", [r"\q", r"\u12", r"\ud800", r"\x41", r"\U"])
def test_unknown_escapes(escape: str) -> None:
    assert found(f'a = "x{escape} y"') == [("VL009", 1)]


def test_string_escapes() -> None:
    text = value(r'"a\"b\\c\n\u00e9 # no comment"')
    assert isinstance(text, tree.Text)
    assert text.value == 'a"b\\c\né # no comment'


@pytest.mark.parametrize(
    ("spelling", "start", "stop", "single"),
    [
        ("[3]", 3, None, True),
        ("[-1]", -1, None, True),
        ("[:4]", None, 4, False),
        ("[2:]", 2, None, False),
        ("[-2:]", -2, None, False),
        ("[1:3]", 1, 3, False),
        ("[:]", None, None, False),
    ],
)
def test_slices(spelling: str, start: int | None, stop: int | None, single: bool) -> None:
    address = value(f"text.layers{spelling}.mlp")
    assert isinstance(address, tree.Address)
    piece = address.parts[2]
    assert isinstance(piece, tree.Slice)
    assert (piece.start, piece.stop, piece.single) == (start, stop, single)


def test_a_name_with_a_body_is_a_call_and_without_is_an_address() -> None:
    call = value("random { layers = 2 }")
    assert isinstance(call, tree.Call)
    assert call.arguments is None
    assert isinstance(value("random"), tree.Address)
    applied = value("random()")
    assert isinstance(applied, tree.Call)
    assert applied.arguments == ()


def test_the_braces_behind_a_call_belong_to_it() -> None:
    statement = only('backbone text = timm("x") { image_size = 224 }')
    assert isinstance(statement, tree.Declaration)
    assert statement.body is None
    assert isinstance(statement.value, tree.Call)
    assert statement.value.body is not None


def test_declarations() -> None:
    statement = only("finetune vqa from base { epochs = 3 }")
    assert isinstance(statement, tree.Declaration)
    assert (statement.keyword.text, statement.name and statement.name.text) == ("finetune", "vqa")
    (relation,) = statement.relations
    assert (relation.word.text, relation.target.text) == ("from", "base")
    nested = only("model { freeze nothing }")
    assert isinstance(nested, tree.Declaration)
    assert nested.name is None


def test_a_block_keyword_may_be_a_key_and_part_of_an_address() -> None:
    file = read("data = [coco]\nscale_lr { fusion = 5 }\nfreeze fusion.layers[:2]\nmodel.data = 1")
    assert [type(statement) for statement in file.statements] == [
        tree.Assignment,
        tree.Declaration,
        tree.Freeze,
        tree.Assignment,
    ]


def test_a_comma_continues_the_list_of_selectors() -> None:
    statement = only("freeze a,\n  b.layers[:4] except norm,\n bias until 30% { lr = 1 }")
    assert isinstance(statement, tree.Freeze)
    assert [len(statement.selectors), len(statement.excluded)] == [2, 2]
    assert isinstance(statement.until, tree.Percentage)
    assert statement.body is not None
    nothing = only("freeze nothing")
    assert isinstance(nothing, tree.Freeze)
    assert nothing.selectors == ()


def test_commas_and_lines_end_statements() -> None:
    assert len(read("a = 1, b = 2\nc = 3,\n\nd = 4\n").statements) == 4
    assert len(read("model m {\n\n a = 1,\n}\n").statements) == 1


def test_lists_go_on_over_lines() -> None:
    items = value("[\n 1,\n 2\n , 3,\n]")
    assert isinstance(items, tree.Sequence)
    assert len(items.items) == 3


def test_empty_files() -> None:
    for text in ("", "\n\n", "# only a comment", "  \t\n# x\n"):
        assert read(text).statements == ()


def test_spans_cover_what_was_read() -> None:
    text = 'model m {\n  backbone text = timm("x") { a = 1 }  # c\n}\n'
    (model,) = read(text).statements
    assert isinstance(model, tree.Declaration)
    assert model.span.text == text.rstrip()
    assert model.body is not None
    (backbone,) = model.body.statements
    assert backbone.span.text == 'backbone text = timm("x") { a = 1 }'


@pytest.mark.parametrize("word", sorted(tables.load().keywords))
def test_no_keyword_can_be_a_name(word: str) -> None:
    assert found(f"data {word} {{ a = 1 }}")[0][0] in ("VL005", "VL001")
    assert found(f"let {word} = 1") == [("VL005", 1)]


def test_each_mistake_is_reported_once_and_the_rest_is_read() -> None:
    text = """\
model a {
  pool = = cls
  data = [coco, vg
  batch = 512
  true = 3
  lr = 1e-4 decay = 0.1
  x = timm("x", pretrained = true)
}
model extends x { steps = , batch = 2 }
pretrain p on a {
  fine = 1
"""
    assert found(text) == [
        ("VL001", 2),
        ("VL004", 4),
        ("VL005", 5),
        ("VL010", 6),
        ("VL014", 7),
        ("VL001", 9),
        ("VL006", 9),
        ("VL004", 12),
    ]
    file, _ = parse(Source(name="a.vl", text=text))
    model, pretrain = (item for item in file.statements if isinstance(item, tree.Declaration))
    assert model.body is not None
    assert model.body.broken
    assert [item.address.parts[0] for item in model.body.statements if hasattr(item, "address")]
    assert pretrain.body is not None
    assert pretrain.body.broken


def test_a_broken_statement_leaves_its_neighbours() -> None:
    file, _ = parse(Source(name="a.vl", text="a = 1\nb = = 2\nc = 3\n"))
    assert file.broken
    names = [
        item.address.span.text for item in file.statements if isinstance(item, tree.Assignment)
    ]
    assert names == ["a", "c"]


def test_only_the_body_around_a_mistake_is_broken() -> None:
    file, _ = parse(Source(name="a.vl", text="model a { b = = 1 }\nmodel c { d = 1 }\n"))
    bodies = [item.body for item in file.statements if isinstance(item, tree.Declaration)]
    assert [body.broken for body in bodies if body] == [True, False]
    assert not file.broken


def test_a_missing_brace_does_not_swallow_the_next_block() -> None:
    text = "model a {\n  fusion f {\n    x = 1\n}\npretrain p on a {\n  steps = 1\n}\n"
    source = Source(name="a.vl", text=text)
    file, (finding,) = parse(source)
    assert finding.code == "VL004"
    assert source.position(finding.related[0].span.start) == (2, 12)
    assert len(file.statements) == 2


def test_a_wrong_place_is_not_a_syntax_error() -> None:
    read("steps = 1\nmodel a {\nmodel b { }\n}\noptimizer adamw { }")


def test_reading_stops_after_too_many_mistakes() -> None:
    _, findings = parse(Source(name="a.vl", text="= 1\n" * 5000))
    assert len(findings) == 41
    assert findings[-1].code == "VL013"


def test_depth_is_limited() -> None:
    assert found("a = " + "[" * 100 + "]" * 100) == []
    assert found("a = " + "[" * 100_000) == [("VL007", 1)]
    assert found("model { " * 5000) == [("VL007", 1)]


def calls(text: str) -> int:
    """Return how many functions reading a text calls, Python's own included."""
    count = 0

    def note(frame: Any, event: str, argument: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    source = Source(name="a.vl", text=text)
    sys.setprofile(note)
    try:
        parse(source)
    finally:
        sys.setprofile(None)
    return count


def test_the_work_grows_with_the_text() -> None:
    text = "".join(f"model m{i} {{ a = [1, 2], b = f(x) {{ c = 1 }}, }}\n" for i in range(500))
    assert calls(text * 4) < 5 * calls(text)


@pytest.mark.parametrize(("before", "piece", "after"), HOSTILE)
def test_hostile_texts_take_work_in_proportion(before: str, piece: str, after: str) -> None:
    """How long they take is measured by `benchmarks/parsing.py`."""
    # A quadratic step would make the second 64 times as much as the first.
    assert calls(before + piece * 16_000 + after) < 10 * (
        calls(before + piece * 2000 + after) + 100
    )


@settings(max_examples=300, deadline=None)
@given(st.text())
def test_no_text_makes_it_fail(text: str) -> None:
    parse(Source(name="a.vl", text=text))


PIECES = [
    *tables.load().keywords,
    *"{}()[],=.:#%;-\\é\x00",
    *["\n", " ", "a", "b1", "12", "15%", "50k", '"x"', '"', "1x", "a-b", "\t", "\r"],
]


@settings(max_examples=500, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=60))
def test_no_sequence_of_tokens_makes_it_fail(pieces: list[str]) -> None:
    text = " ".join(pieces)
    file, findings = parse(Source(name="a.vl", text=text))
    places = [finding.span.start for finding in findings]
    assert places == sorted(places)
    assert all(0 <= item.span.start <= item.span.end <= len(text) for item in findings)
    assert isinstance(file, tree.File)


VALID = [
    "model m extends n { backbone a = f ( b , 1 ) { c = 2 } , d . e [ : 4 ] = true }",
    'import "x" , let a = [ 1 , [ 2 ] , ] , freeze a , b [ 1 ] except c until 30% { x = y }',
    "pretrain p on m { freeze nothing , data = g { } , objective mlm { a = -1 } , optimizer o }",
]


def test_a_comma_before_a_freeze_ends_a_line() -> None:
    for before in ("freeze a, b", "adapt a { rank = 2 }", "a = 1"):
        lines = f"model m {{\n{before}\nfreeze b\nadapt c\n}}"
        commas = f"model m {{ {before}, freeze b, adapt c }}"
        (one, _), (other, findings) = (parse(Source(name="a.vl", text=t)) for t in (lines, commas))
        assert not findings
        assert print_tree(one) == print_tree(other)


def test_it_accepts_what_lark_accepts() -> None:
    """Lark's own parser, fed with the same tokens, is the judge of our automaton."""
    grammar = (tables._FOLDER / "vl.lark").read_text(encoding="utf-8")
    lark = Lark(grammar, parser="lalr", lexer="basic", start="file", maybe_placeholders=False)
    chance = random.Random(0)
    verdicts = set()
    for _ in range(1500):
        pieces = chance.choice(VALID).split()
        for _ in range(chance.randint(0, 2)):
            index = chance.randrange(len(pieces))
            if chance.random() < 0.5:
                del pieces[index]
            else:
                pieces.insert(index, chance.choice(chance.choice(VALID).split()))
        source = Source(name="a.vl", text=" ".join(pieces))
        # Lines end nowhere here; a comma that starts or ends a block is a matter of the driver.
        accepted = parse(source)[1] == ()
        assert accepted == _accepts(lark, source), source.text
        verdicts.add(accepted)
    assert verdicts == {True, False}


def _accepts(lark: Lark, source: Source) -> bool:
    state = lark.parse_interactive()
    try:
        for token in significant(tokenize(source)[0]):
            state.feed_token(LarkToken(token.type, source.text[token.start : token.end]))
    except UnexpectedToken:
        return False
    return True

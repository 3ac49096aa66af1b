"""Printing and reading are inverse, and formatting keeps what it must, on generated trees."""

import random
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from renaissance.grammar import tree
from renaissance.grammar.comments import Comments
from renaissance.grammar.formatter import format_source, print_tree
from renaissance.grammar.source import Source, Span
from renaissance.grammar.syntax import tables
from renaissance.grammar.syntax.parser import parse
from renaissance.grammar.syntax.tokens import minutes_value, number_value, text_value, tokenize

KEYWORDS = tables.load().keywords
BLOCKS = sorted(word for word, kind in KEYWORDS.items() if kind in tables.load().blocks)
NOWHERE = Span(source=Source(name="none", text=""), start=0, end=0)


def spell(text: str) -> str:
    escapes = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
    return '"' + "".join(escapes.get(letter, letter) for letter in text) + '"'


words = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,20}", fullmatch=True).filter(
    lambda word: word not in KEYWORDS
)
names = st.builds(lambda text: tree.Name(span=NOWHERE, text=text), words)
keywords = st.builds(lambda text: tree.Name(span=NOWHERE, text=text), st.sampled_from(BLOCKS))
number_spellings = st.one_of(
    st.integers(-(10**12), 10**12).map(str),
    st.integers(0, 10**6).map("{:_}".format),
    st.builds("{}.{}{}".format, st.integers(-9, 99), st.integers(0, 99), st.sampled_from("kM")),
    st.floats(allow_nan=False, allow_infinity=False)
    .map(abs)
    .filter(lambda number: number != 0)
    .map(repr),
)
numbers = number_spellings.map(
    lambda spelling: tree.Number(span=NOWHERE, value=number_value(spelling), spelling=spelling)
)
percentages = st.from_regex(r"[0-9]{1,3}(\.[0-9]{1,2})?%", fullmatch=True).map(
    lambda spelling: tree.Percentage(span=NOWHERE, percent=float(spelling[:-1]), spelling=spelling)
)
texts = (
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), max_size=60)
    .map(spell)
    .map(lambda spelling: tree.Text(span=NOWHERE, value=text_value(spelling), spelling=spelling))
)
booleans = st.booleans().map(lambda value: tree.Boolean(span=NOWHERE, value=value))
indices = st.integers(-20, 20)
slices = st.one_of(
    indices.map(lambda start: tree.Slice(span=NOWHERE, start=start, stop=None, single=True)),
    st.builds(
        lambda start, stop: tree.Slice(span=NOWHERE, start=start, stop=stop, single=False),
        st.none() | indices,
        st.none() | indices,
    ),
)
addresses = st.builds(
    lambda first, rest: tree.Address(span=NOWHERE, parts=(first, *rest)),
    names | keywords,
    st.lists(names | keywords | slices, max_size=3),
)
durations = st.from_regex(r"[0-9]{1,3}(\.[0-9]{1,2})?(min|h)", fullmatch=True).map(
    lambda spelling: tree.Duration(span=NOWHERE, minutes=minutes_value(spelling), spelling=spelling)
)
atoms = st.one_of(numbers, percentages, durations, texts, booleans, addresses)


def sequences(values: st.SearchStrategy[tree.Value]) -> st.SearchStrategy[tree.Value]:
    return st.lists(values, max_size=6).map(
        lambda items: tree.Sequence(span=NOWHERE, items=tuple(items))
    )


def bodies(values: st.SearchStrategy[tree.Value]) -> st.SearchStrategy[tree.Body]:
    assignments = st.builds(
        lambda address, value: tree.Assignment(span=NOWHERE, address=address, value=value),
        addresses,
        values,
    )
    return st.lists(assignments | freezes(st.none()), max_size=4).map(
        lambda items: tree.Body(span=NOWHERE, statements=tuple(items))
    )


def freezes(
    inside: st.SearchStrategy[tree.Body | None],
) -> st.SearchStrategy[tree.Freeze]:
    nothing = st.just(tree.Freeze(span=NOWHERE, selectors=(), excluded=(), until=None, body=None))
    something = st.builds(
        lambda selectors, excluded, until, body: tree.Freeze(
            span=NOWHERE,
            selectors=tuple(selectors),
            excluded=tuple(excluded),
            until=until,
            body=body,
        ),
        st.lists(addresses, min_size=1, max_size=4),
        st.lists(addresses, max_size=2),
        st.none() | numbers | percentages | addresses,
        inside,
    )
    return nothing | something


def calls(values: st.SearchStrategy[tree.Value]) -> st.SearchStrategy[tree.Value]:
    arguments = st.lists(values, max_size=3).map(tuple)
    return st.one_of(
        st.builds(
            lambda name, items, body: tree.Call(
                span=NOWHERE, function=name, arguments=items, body=body
            ),
            names,
            arguments,
            st.none() | bodies(values),
        ),
        st.builds(
            lambda name, body: tree.Call(span=NOWHERE, function=name, arguments=None, body=body),
            names,
            bodies(values),
        ),
    )


values = st.recursive(atoms, lambda inner: sequences(inner) | calls(inner), max_leaves=8)
relations = st.builds(
    lambda word, target: tree.Relation(
        span=NOWHERE, word=tree.Name(span=NOWHERE, text=word), target=target
    ),
    st.sampled_from(["extends", "on", "from", "of"]),
    names,
)


@st.composite
def declarations(draw: st.DrawFn, inside: st.SearchStrategy[tree.Body]) -> tree.Declaration:
    name = draw(st.none() | names)
    value = None if name is None else draw(st.none() | values)
    body = draw(inside) if name is None else None if value else draw(st.none() | inside)
    bound = () if name is None or value else tuple(draw(st.lists(relations, max_size=2)))
    return tree.Declaration(
        span=NOWHERE,
        keyword=draw(keywords),
        name=name,
        relations=bound,
        value=value,
        body=body,
    )


simple = st.one_of(
    st.builds(
        lambda address, value: tree.Assignment(span=NOWHERE, address=address, value=value),
        addresses,
        values,
    ),
    st.builds(lambda name, value: tree.Let(span=NOWHERE, name=name, value=value), names, values),
    st.builds(lambda path: tree.Import(span=NOWHERE, path=path), texts),
    freezes(st.none()),
)
statements = st.recursive(
    simple,
    lambda inner: st.one_of(
        declarations(
            st.lists(inner, max_size=4).map(
                lambda items: tree.Body(span=NOWHERE, statements=tuple(items))
            )
        ),
        freezes(
            st.lists(inner, max_size=2).map(
                lambda items: tree.Body(span=NOWHERE, statements=tuple(items))
            )
        ),
    ),
    max_leaves=8,
)


def blocks(
    word: str, *kinds: st.SearchStrategy[tree.Statement]
) -> st.SearchStrategy[tree.Declaration]:
    """A block of a study: by its word and a name, or by the name of a level or block alone."""
    return st.builds(
        lambda keyword, name, items: tree.Declaration(
            span=NOWHERE,
            keyword=tree.Name(span=NOWHERE, text=word) if word else keyword,
            name=name if word else None,
            relations=(),
            value=None,
            body=tree.Body(span=NOWHERE, statements=tuple(items)),
        ),
        names
        | st.sampled_from(["except", "nothing"]).map(lambda w: tree.Name(span=NOWHERE, text=w)),
        names | keywords,
        st.lists(st.one_of(*kinds), max_size=3),
    )


goals = st.builds(
    lambda word, value: tree.Assignment(
        span=NOWHERE,
        address=tree.Address(span=NOWHERE, parts=(tree.Name(span=NOWHERE, text=word),)),
        value=value,
    ),
    st.sampled_from(["of", "freeze"]),
    values,
)
levels = blocks("", simple, blocks("", simple, goals))
studies = blocks("study", simple, goals, levels, blocks("factor", levels)).filter(
    lambda study: study.name is not None and study.name.text not in KEYWORDS
)
files = st.lists(statements | studies, max_size=6).map(
    lambda items: tree.File(span=NOWHERE, statements=tuple(items))
)


def read(text: str) -> tree.File:
    file, findings = parse(Source(name="a.vl", text=text))
    assert findings == (), text
    return file


@settings(max_examples=100, deadline=None)
@given(files)
def test_reading_what_was_printed_gives_the_same_tree(file: tree.File) -> None:
    text = print_tree(file)
    assert read(text) == file
    assert all(line == line.rstrip() for line in text.splitlines()) or '"' in text


@settings(max_examples=100, deadline=None)
@given(files)
def test_printed_text_is_formatted(file: tree.File) -> None:
    # A block that was printed on several lines is read as one that was written so.
    text = print_tree(file)
    assert format_source(Source(name="a.vl", text=text)) == text


@settings(max_examples=100, deadline=None)
@given(files, st.integers(0, 2**32))
def test_formatting_keeps_comments_and_meaning(file: tree.File, seed: int) -> None:
    source = Source(name="a.vl", text=_mess_up(print_tree(file), random.Random(seed)))
    formatted = Source(name="a.vl", text=format_source(source))
    assert read(formatted.text) == file
    assert Counter(Comments(formatted).texts) == Counter(Comments(source).texts)
    assert format_source(formatted) == formatted.text


def _mess_up(text: str, chance: random.Random) -> str:
    """Change spaces, and add lines and comments wherever the language allows them."""
    source = Source(name="a.vl", text=text)
    tokens = [token for token in tokenize(source)[0] if token.type != "$END"]
    kinds = [token.type for token in tokens]
    pieces: list[str] = [_lines(chance) if chance.random() < 0.3 else ""]
    open_brackets: list[str] = []
    for number, token in enumerate(tokens):
        kind, after = kinds[number], [*kinds, "$END"][number + 1]
        before = kinds[number - 1] if number else "NL"
        if kind == "LSQB" and before not in ("EQUAL", "COMMA", "LPAR", "LSQB", "NL"):
            open_brackets.append("slice")
        elif kind in ("LSQB", "LPAR", "LBRACE"):
            open_brackets.append(kind)
        elif kind in ("RSQB", "RPAR", "RBRACE"):
            open_brackets.pop()
        pieces.append(source.text[token.start : token.end])
        inside = open_brackets[-1] if open_brackets else ""
        in_list = inside in ("LSQB", "LPAR") and (
            kind in ("LSQB", "LPAR", "COMMA") or after in ("COMMA", "RSQB", "RPAR")
        )
        if (
            kind == "NL"
            or (kind in ("LBRACE", "COMMA") and inside != "slice")
            or after == "NL"
            or in_list
        ):
            pieces.append(_lines(chance) if chance.random() < 0.3 else " ")
        else:
            pieces.append(" " * chance.randint(1, 3))
    return "".join(pieces)


def _lines(chance: random.Random) -> str:
    """Return line ends with comments between them, ending with a line end."""
    lines = []
    for _ in range(chance.randint(1, 3)):
        comment = chance.choice(["", "", "# c", "#", "#x  ", '# "{[', "# é\t"])
        lines.append(" " * chance.randint(0, 4) + comment + "\n")
    return "".join(lines)

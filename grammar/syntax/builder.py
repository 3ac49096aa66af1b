"""Turn finished productions of `vl.lark` into nodes of the syntax tree."""

from collections.abc import Callable
from typing import Any

from renaissance.grammar import tree
from renaissance.grammar.diagnostics import Diagnostic
from renaissance.grammar.source import Source, Span
from renaissance.grammar.syntax.tokens import Token, minutes_value, number_value, text_value


class Items(list[Any]):
    """Values of a production that is only a list inside its parent."""


class Broken:
    """Stands for a statement that could not be read."""


class Builder:
    """Makes the node of a production from the nodes and tokens it consists of."""

    def __init__(self, source: Source) -> None:
        """Read the text of tokens from `source`; keep findings about values in `findings`.

        `meant` has the keywords that misspelt words stand for, by where these start.
        """
        self._source = source
        self.findings: list[Diagnostic] = []
        self.meant: dict[int, str] = {}

    def maker(self, name: str) -> Callable[[list[Any]], Any]:
        """Return what makes that which the production `name` stands for of its values in order."""
        if name.startswith("_"):
            return _items
        make: Callable[[list[Any]], Any] = getattr(self, f"_{name}")

        def made(values: list[Any]) -> Any:
            if Items in map(type, values):
                values = [
                    inner
                    for value in values
                    for inner in (value if type(value) is Items else (value,))
                ]
            return make(values)

        return made

    def _span(self, values: list[Any]) -> Span:
        if not values:
            return Span(self._source, 0, len(self._source.text))
        first, last = values[0], values[-1]
        return Span(
            self._source,
            first.start if type(first) is Token else first.span.start,
            last.end if type(last) is Token else last.span.end,
        )

    def _text_of(self, token: Token) -> str:
        return self._source.text[token.start : token.end]

    def _name(self, token: Token) -> tree.Name:
        span = Span(self._source, token.start, token.end)
        return tree.Name(span=span, text=self.meant.get(token.start) or span.text)

    def _file(self, values: list[Any]) -> tree.File:
        statements, broken = _statements(values)
        return tree.File(span=self._span([]), statements=statements, broken=broken)

    def _body(self, values: list[Any]) -> tree.Body:
        statements, broken = _statements(values[1:-1])
        # The parser closes an open body with an empty token.
        broken = broken or values[-1].start == values[-1].end
        return tree.Body(span=self._span(values), statements=statements, broken=broken)

    def _error(self, values: list[Any]) -> Broken:
        return Broken()

    def _assignment(self, values: list[Any]) -> tree.Assignment:
        address, _, value = values
        return tree.Assignment(span=self._span(values), address=address, value=value)

    def _let(self, values: list[Any]) -> tree.Let:
        _, name, _, value = values
        return tree.Let(span=self._span(values), name=self._name(name), value=value)

    def _import(self, values: list[Any]) -> tree.Import:
        return tree.Import(span=self._span(values), path=self._text([values[1]]))

    def _declaration(self, values: list[Any]) -> tree.Declaration:
        keyword, *rest = values
        name = value = body = None
        relations = []
        if rest and isinstance(rest[0], Token):
            name = self._name(rest.pop(0))
        if rest and isinstance(rest[0], Token):
            value = rest[1]
        else:
            for relation in rest:
                if isinstance(relation, tree.Relation):
                    relations.append(relation)
                else:
                    body = relation
        return tree.Declaration(
            span=self._span(values),
            keyword=keyword,
            name=name,
            relations=tuple(relations),
            value=value,
            body=body,
        )

    def _study(self, values: list[Any]) -> tree.Declaration:
        word, *name, body = values
        return self._block_of(values, word, name[0] if name else None, body)

    def _factor(self, values: list[Any]) -> tree.Declaration:
        word, name, body = values
        return self._block_of(values, word, name, body)

    def _part(self, values: list[Any]) -> tree.Declaration:
        word, body = values
        return self._block_of(values, word, None, body)

    def _assigned(self, values: list[Any]) -> tree.Assignment:
        """Return the assignment to a key, or of a factor, that is called like a keyword."""
        word, _, value = values
        address = tree.Address(span=self._span([word]), parts=(self._name(word),))
        return tree.Assignment(span=self._span(values), address=address, value=value)

    def _group(self, values: list[Any]) -> tree.Body:
        return self._body(values)

    def _block_of(
        self, values: list[Any], word: Token, name: Token | tree.Name | None, body: tree.Body
    ) -> tree.Declaration:
        return tree.Declaration(
            span=self._span(values),
            keyword=self._name(word),
            name=self._name(name) if isinstance(name, Token) else name,
            relations=(),
            value=None,
            body=body,
        )

    def _relation(self, values: list[Any]) -> tree.Relation:
        word, target = values
        return tree.Relation(
            span=self._span(values), word=self._name(word), target=self._name(target)
        )

    def _freeze(self, values: list[Any]) -> tree.Freeze:
        return self._directive(tree.Freeze, values)

    def _adapt(self, values: list[Any]) -> tree.Freeze:
        return self._directive(tree.Adapt, values)

    def _directive(self, kind: type[tree.Freeze], values: list[Any]) -> tree.Freeze:
        parts = {value.role: value.value for value in values if isinstance(value, Clause)}
        body = values[-1] if isinstance(values[-1], tree.Body) else None
        return kind(
            span=self._span(values),
            selectors=parts.get("selectors", ()),
            excluded=parts.get("except", ()),
            until=parts.get("until"),
            body=body,
        )

    def _selectors(self, values: list[Any]) -> "Clause":
        return Clause(span=self._span(values), role="selectors", value=tuple(values[::2]))

    def _except(self, values: list[Any]) -> "Clause":
        return Clause(span=self._span(values), role="except", value=values[1].value)

    def _until(self, values: list[Any]) -> "Clause":
        return Clause(span=self._span(values), role="until", value=values[1])

    def _call(self, values: list[Any]) -> tree.Call:
        function, *rest = values
        body = rest.pop() if isinstance(rest[-1], tree.Body) else None
        return tree.Call(
            span=self._span(values),
            function=self._name(function),
            arguments=rest[0].value if rest else None,
            body=body,
        )

    def _arguments(self, values: list[Any]) -> "Clause":
        return Clause(span=self._span(values), role="arguments", value=_without_punctuation(values))

    def _sequence(self, values: list[Any]) -> tree.Sequence:
        return tree.Sequence(span=self._span(values), items=_without_punctuation(values))

    def _number(self, values: list[Any]) -> tree.Number:
        spelling = self._text_of(values[0])
        return tree.Number(span=self._span(values), value=number_value(spelling), spelling=spelling)

    def _percentage(self, values: list[Any]) -> tree.Percentage:
        spelling = self._text_of(values[0])
        return tree.Percentage(
            span=self._span(values), percent=float(number_value(spelling)), spelling=spelling
        )

    def _duration(self, values: list[Any]) -> tree.Duration:
        spelling = self._text_of(values[0])
        return tree.Duration(
            span=self._span(values), minutes=minutes_value(spelling), spelling=spelling
        )

    def _text(self, values: list[Any]) -> tree.Text:
        spelling = self._text_of(values[0])
        return tree.Text(span=self._span(values), value=text_value(spelling), spelling=spelling)

    def _boolean(self, values: list[Any]) -> tree.Boolean:
        return tree.Boolean(span=self._span(values), value=values[0].type == "TRUE")

    def _address(self, values: list[Any]) -> tree.Address:
        return tree.Address(span=self._span(values), parts=_without_punctuation(values))

    def _slice(self, values: list[Any]) -> tree.Slice:
        colon = next((i for i, token in enumerate(values) if token.type == "COLON"), None)
        start = None if colon == 1 else self._index(values[1])
        stop = None if colon in (None, len(values) - 2) else self._index(values[-2])
        return tree.Slice(span=self._span(values), start=start, stop=stop, single=colon is None)

    def _index(self, token: Token) -> int:
        value = number_value(self._text_of(token))
        if isinstance(value, int):
            return value
        self.findings.append(
            Diagnostic(
                code="VL008",
                message=f"`{self._text_of(token)}` is not a whole number",
                span=self._span([token]),
                label="layers are counted in whole numbers, from 0",
            )
        )
        return int(value)

    def _word(self, values: list[Any]) -> tree.Name:
        word = values[0]
        return self._name(word) if isinstance(word, Token) else word

    def _block(self, values: list[Any]) -> tree.Name:
        return self._name(values[0])


class Clause(tree.Node):
    """A piece of a statement that is no node of its own; `role` is its rule in the grammar."""

    role: str
    value: Any


def _items(values: list[Any]) -> Items:
    """Return the list that a production is; the grammar's lists recurse on the left."""
    items = values[0] if values and type(values[0]) is Items else Items(values[:1])
    for value in values[1:]:
        items.extend(value if type(value) is Items else (value,))
    return items


def _without_punctuation(values: list[Any]) -> tuple[Any, ...]:
    return tuple([value for value in values if type(value) is not Token])


def _statements(values: list[Any]) -> tuple[tuple[tree.Statement, ...], bool]:
    kept = tuple([value for value in values if type(value) not in (Token, Broken)])
    return kept, Broken in map(type, values)

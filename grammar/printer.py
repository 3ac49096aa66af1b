"""Write a syntax tree as text: width 100, two spaces a level, aligned `=`.

Every node has a flat form, on one line, and a broken one. A list is flat where it fits. A block is
flat where it fits and stood on one line before. Comments and blank lines come from `Comments`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from renaissance.grammar import tree
from renaissance.grammar.comments import Comment, Comments

WIDTH = 100
_STEP = "  "


def print_tree(file: tree.File, comments: Comments | None = None) -> str:
    """Return the text of a tree in canonical layout; without `comments` it has none.

    Reading the result gives an equal tree.
    """
    printer = _Printer(comments or Comments())
    lines = printer.block(file.statements, file.span.end, "")
    return "".join(f"{line}\n" for line in lines)


@dataclass(slots=True, kw_only=True)
class _Row:
    """A statement ready to be placed: `left = lines` or only `lines`."""

    lines: list[str]
    left: str = ""
    group: str = ""
    blank: bool = False
    above: Sequence[Comment] = ()
    comment: str = ""
    padding: int = field(default=0, init=False)

    def aligned(self) -> bool:
        return bool(self.left) and len(self.lines) == 1

    def attached(self) -> bool:
        """Tell whether nothing separates the row from the one before."""
        return not self.blank and not self.above

    def text(self, indent: str) -> list[str]:
        if not self.left:
            return [indent + self.lines[0], *self.lines[1:]]
        first = f"{indent}{self.left.ljust(self.padding)} = {self.lines[0]}"
        return [first, *self.lines[1:]]


class _Printer:
    """Prints one file. Lines after the first of a piece carry their indentation."""

    def __init__(self, comments: Comments) -> None:
        self._comments = comments

    def block(self, statements: Sequence[tree.Statement], end: int, indent: str) -> list[str]:
        """Return the lines of statements; `end` is where the block closes."""
        rows = [self._row(statement, indent) for statement in statements]
        _align(rows, indent)
        lines: list[str] = []
        columns = _comment_columns(rows, indent)
        for row, column in zip(rows, columns, strict=True):
            self._above(lines, row.above, indent)
            if row.blank and lines:
                lines.append("")
            lines.extend(row.text(indent))
            if row.comment:
                lines[-1] = f"{lines[-1].ljust(column)}  {row.comment}"
        self._above(lines, self._comments.above(end), indent)
        return lines

    def _above(self, lines: list[str], comments: Sequence[Comment], indent: str) -> None:
        for comment in comments:
            if comment.blank and lines:
                lines.append("")
            lines.append(indent + comment.text)

    def _row(self, statement: tree.Statement, indent: str) -> _Row:
        start, end = statement.span.start, statement.span.end
        left = group = ""
        match statement:
            case tree.Assignment(address=address, value=value):
                left, group = _address(address), "="
                lines = self._value(value, indent, f"{left} = ")
            case tree.Let(name=name, value=value):
                left, group = f"let {name.text}", "let"
                lines = self._value(value, indent, f"{left} = ")
            case tree.Import(path=path):
                lines = [f"import {path.spelling}"]
            case tree.Freeze():
                lines = self._freeze(statement, indent)
            case tree.Declaration(value=None):
                lines = self._with_body([_head(statement)], statement.body, indent, "")
            case tree.Declaration(value=value) if value is not None:
                left, group = _head(statement), statement.keyword.text
                lines = self._value(value, indent, f"{left} = ")
        return _Row(
            lines=lines,
            left=left,
            group=group,
            blank=self._comments.blank(start),
            above=self._comments.above(start),
            comment=self._comments.behind(end),
        )

    def _value(self, value: tree.Value, indent: str, before: str) -> list[str]:
        """Return the lines of a value that stands behind `before`."""
        flat = self._flat(value)
        if flat is not None and len(indent) + len(before) + len(flat) <= WIDTH:
            return [flat]
        match value:
            case tree.Sequence(items=items):
                return ["[", *self._items(items, value.span.end - 1, indent), f"{indent}]"]
            case tree.Call(function=function, arguments=arguments, body=body):
                lines = self._arguments(function.text, arguments, value, indent, before)
                return self._with_body(lines, body, indent, before)
        return [_atom(value)]

    def _arguments(
        self,
        function: str,
        arguments: tuple[tree.Value, ...] | None,
        call: tree.Call,
        indent: str,
        before: str,
    ) -> list[str]:
        if arguments is None:
            return [function]
        end = call.span.end if call.body is None else call.body.span.start
        if not self._comments.between(call.span.start, end):
            flats = [self._flat(argument) for argument in arguments]
            flat = f"{function}({', '.join(text or '' for text in flats)})"
            reserve = 0 if call.body is None else 2
            if None not in flats and len(indent) + len(before) + len(flat) + reserve <= WIDTH:
                return [flat]
        closing = end - 1 if call.body is None else self._comments.token_before(end)
        return [f"{function}(", *self._items(arguments, closing, indent), f"{indent})"]

    def _items(self, items: Sequence[tree.Value], end: int, indent: str) -> list[str]:
        """Return values one a line; `end` is where the closing bracket stands."""
        inner = indent + _STEP
        lines: list[str] = []
        for item in items:
            for comment in self._comments.above(item.span.start):
                lines.append(inner + comment.text)
            first, *rest = self._value(item, inner, ",")
            lines.extend([inner + first, *rest])
            lines[-1] += "," + _behind(self._comments.behind(item.span.end))
        lines.extend(inner + comment.text for comment in self._comments.above(end))
        return lines

    def _with_body(
        self, lines: list[str], body: tree.Body | None, indent: str, before: str
    ) -> list[str]:
        """Add a body behind the last line."""
        if body is None:
            return lines
        flat = self._flat_body(body)
        start = len(indent) + len(before) if len(lines) == 1 else 0
        if flat is not None and start + len(lines[-1]) + 1 + len(flat) <= WIDTH:
            return [*lines[:-1], f"{lines[-1]} {flat}"]
        opening = f"{lines[-1]} {{" + _behind(self._comments.behind(body.span.start + 1))
        inside = self.block(body.statements, body.span.end - 1, indent + _STEP)
        return [*lines[:-1], opening, *inside, f"{indent}}}"]

    def _freeze(self, freeze: tree.Freeze, indent: str) -> list[str]:
        flat = _freeze_head(freeze)
        end = freeze.span.end if freeze.body is None else freeze.body.span.start
        comments = self._comments.between(freeze.span.start, end)
        reserve = 0 if freeze.body is None else 2
        if not comments and len(indent) + len(flat) + reserve <= WIDTH:
            return self._with_body([flat], freeze.body, indent, "")
        # Lines may end only behind the commas between selectors.
        lines = [""]
        for word, selectors in ((_word(freeze), freeze.selectors), (" except", freeze.excluded)):
            for number, selector in enumerate(selectors):
                if number:
                    for comment in self._comments.above(selector.span.start):
                        lines.append(f"{indent}{_STEP * 2}{comment.text}")
                    lines.append(f"{indent}{_STEP * 2}{_address(selector)}")
                else:
                    lines[-1] += f"{word} {_address(selector)}"
                if selector is not selectors[-1]:
                    lines[-1] += "," + _behind(self._comments.behind(selector.span.end))
        if freeze.until is not None:
            lines[-1] += f" until {_atom(freeze.until)}"
        return self._with_body(lines, freeze.body, indent, "")

    def _flat(self, value: tree.Value) -> str | None:
        """Return a value on one line, or None where it cannot be."""
        match value:
            case tree.Sequence(items=items):
                if self._comments.between(value.span.start, value.span.end):
                    return None
                texts = [self._flat(item) for item in items]
                return None if None in texts else f"[{', '.join(text or '' for text in texts)}]"
            case tree.Call(function=function, arguments=arguments, body=body):
                if self._comments.between(value.span.start, value.span.end):
                    return None
                texts = [self._flat(argument) for argument in arguments or ()]
                block = None if body is None else self._flat_body(body)
                if None in texts or (body is not None and block is None):
                    return None
                head = function.text
                if arguments is not None:
                    head += f"({', '.join(text or '' for text in texts)})"
                return head if block is None else f"{head} {block}"
        return _atom(value)

    def _flat_body(self, body: tree.Body) -> str | None:
        if self._comments.between(body.span.start, body.span.end):
            return None
        if not body.statements:
            return "{}"
        # A comma behind a `freeze` would continue its list.
        takes_comma = any(_takes_comma(statement) for statement in body.statements[:-1])
        if takes_comma or "\n" in body.span.text:
            return None
        texts = [self._flat_statement(statement) for statement in body.statements]
        return None if None in texts else f"{{ {', '.join(text or '' for text in texts)} }}"

    def _flat_statement(self, statement: tree.Statement) -> str | None:
        value: tree.Value | None = None
        body: tree.Body | None = None
        match statement:
            case tree.Assignment():
                head, value = _address(statement.address), statement.value
            case tree.Let():
                head, value = f"let {statement.name.text}", statement.value
            case tree.Import():
                head = f"import {statement.path.spelling}"
            case tree.Freeze():
                head, body = _freeze_head(statement), statement.body
            case tree.Declaration():
                head, value, body = _head(statement), statement.value, statement.body
        if value is not None:
            text = self._flat(value)
            return None if text is None else f"{head} = {text}"
        if body is not None:
            text = self._flat_body(body)
            return None if text is None else f"{head} {text}"
        return head


def _align(rows: Sequence[_Row], indent: str) -> None:
    """Give the rows of a run of assignments one column for their `=`."""
    start = 0
    while start < len(rows):
        end = start + 1
        while (
            end < len(rows)
            and rows[start].aligned()
            and rows[end].aligned()
            and rows[end].attached()
            and rows[end].group == rows[start].group
        ):
            end += 1
        run = rows[start:end]
        column = max(len(row.left) for row in run)
        if all(len(indent) + column + 3 + len(row.lines[0]) <= WIDTH for row in run):
            for row in run:
                row.padding = column
        start = end


def _comment_columns(rows: Sequence[_Row], indent: str) -> list[int]:
    """Return for each row where a comment behind it starts: one column for adjacent rows."""
    ends = [len(row.text(indent)[-1]) for row in rows]
    columns = list(ends)
    start = 0
    while start < len(rows):
        end = start + 1
        while (
            end < len(rows)
            and rows[start].comment
            and rows[end].comment
            and rows[end].attached()
            and len(rows[end].lines) == 1
        ):
            end += 1
        column = max(ends[start:end])
        if all(column + 2 + len(row.comment) <= WIDTH for row in rows[start:end]):
            columns[start:end] = [column] * (end - start)
        start = end
    return columns


def _behind(comment: str) -> str:
    return f"  {comment}" if comment else ""


def _head(declaration: tree.Declaration) -> str:
    words = [declaration.keyword.text]
    if declaration.name is not None:
        words.append(declaration.name.text)
    for relation in declaration.relations:
        words.extend((relation.word.text, relation.target.text))
    return " ".join(words)


def _freeze_head(freeze: tree.Freeze) -> str:
    text = f"{_word(freeze)} {', '.join(map(_address, freeze.selectors)) or 'nothing'}"
    if freeze.excluded:
        text += f" except {', '.join(map(_address, freeze.excluded))}"
    if freeze.until is not None:
        text += f" until {_atom(freeze.until)}"
    return text


def _word(freeze: tree.Freeze) -> str:
    return "adapt" if isinstance(freeze, tree.Adapt) else "freeze"


def _takes_comma(statement: tree.Statement) -> bool:
    """Tell whether a comma behind the statement would be a part of it."""
    return (
        isinstance(statement, tree.Freeze)
        and bool(statement.selectors)
        and statement.until is None
        and statement.body is None
    )


def _address(address: tree.Address) -> str:
    text = ""
    for part in address.parts:
        match part:
            case tree.Name():
                text += f".{part.text}" if text else part.text
            case tree.Slice(single=True):
                text += f"[{part.start}]"
            case tree.Slice():
                ends = ("" if end is None else str(end) for end in (part.start, part.stop))
                text += f"[{':'.join(ends)}]"
    return text


def _atom(value: tree.Value) -> str:
    match value:
        case tree.Number() | tree.Percentage() | tree.Duration() | tree.Text():
            return value.spelling
        case tree.Boolean():
            return "true" if value.value else "false"
        case tree.Address():
            return _address(value)
    raise TypeError(f"{type(value).__name__} has parts of its own")

"""The parser's tables: Lark computes them from `vl.lark`, and they ship as `tables.json`.

Reading a spec must not pay for building them, nor for importing Lark. A file in the package needs
no cache folder, no locks and no unpickling. Write it again with
`python -m renaissance.grammar.syntax.tables`; a test compares it with the grammar.
"""

import json
from pathlib import Path
from typing import Any

from renaissance.grammar.record import Record

_FOLDER = Path(__file__).parent


class Rule(Record):
    """A production: `length` values become one node `name`.

    A name that starts with `_` is only a list inside its parent.
    """

    name: str
    length: int


class Tables(Record):
    """LALR(1) tables and the terminals they speak of.

    Attributes:
        patterns: terminals with their regular expressions, in the order of trying them.
        ignored: terminals that mean nothing to the parser.
        keywords: reserved words with their terminals.
        blocks: terminals of the keywords that open a block; they may also be keys.
        rules: productions by number.
        actions: for each state, what to do on a terminal or a finished rule: go to state `n >= 0`,
            or finish rule `-n - 1`; the first state is 0.
        end: the state that, at the end of the text, means success.
    """

    patterns: list[tuple[str, str]]
    ignored: frozenset[str]
    keywords: dict[str, str]
    blocks: frozenset[str]
    rules: list[Rule]
    actions: list[dict[str, int]]
    end: int


def load() -> Tables:
    """Return the tables that ship with the package."""
    content = json.loads((_FOLDER / "tables.json").read_text(encoding="utf-8"))
    return Tables(
        patterns=[(name, pattern) for name, pattern in content["patterns"]],
        ignored=frozenset(content["ignored"]),
        keywords=content["keywords"],
        blocks=frozenset(content["blocks"]),
        rules=[Rule(name=name, length=length) for name, length in content["rules"]],
        actions=content["actions"],
        end=content["end"],
    )


def build() -> dict[str, Any]:
    """Compute the content of `tables.json` from `vl.lark`."""
    from lark import Lark
    from lark.lexer import BasicLexer, PatternStr
    from lark.parsers.lalr_analysis import Reduce

    grammar = (_FOLDER / "vl.lark").read_text(encoding="utf-8")
    lark = Lark(grammar, parser="lalr", lexer="basic", start="file", maybe_placeholders=False)
    words = {
        terminal.pattern.value: terminal.name
        for terminal in lark.terminals
        if isinstance(terminal.pattern, PatternStr) and terminal.pattern.value.isidentifier()
    }
    ordered = BasicLexer(lark.lexer_conf).terminals
    # Lark keeps its LALR tables in private attributes; this function is the only place that knows.
    table = lark.parser.parser._parse_table
    rules = sorted(lark.rules, key=lambda rule: (rule.origin.name, rule.order, str(rule)))
    numbers = {rule: number for number, rule in enumerate(rules)}
    # Lark numbers the states as its sets happen to be ordered; number them as they are reached.
    order = {table.start_states["file"]: 0}
    actions = []
    for state in (reached := list(order)):
        row = {}
        for symbol, (action, target) in sorted(table.states[state].items()):
            if action is not Reduce and target not in order:
                order[target] = len(order)
                reached.append(target)
            row[symbol] = -numbers[target] - 1 if action is Reduce else order[target]
        actions.append(row)
    return {
        "patterns": [
            [terminal.name, terminal.pattern.to_regexp()]
            for terminal in ordered
            if terminal.name not in words.values()
        ],
        "ignored": sorted(lark.lexer_conf.ignore),
        "keywords": words,
        "blocks": [rule.expansion[0].name for rule in rules if rule.origin.name == "block"],
        "rules": [[rule.origin.name, len(rule.expansion)] for rule in rules],
        "actions": actions,
        "end": order[table.end_states["file"]],
    }


def spell(content: dict[str, Any]) -> str:
    """Return the text of `tables.json`, one entry a line so that a change reads well."""
    parts = []
    for key, value in content.items():
        if isinstance(value, list):
            lines = ",\n".join(json.dumps(item) for item in value)
            parts.append(f"{json.dumps(key)}: [\n{lines}\n]")
        else:
            parts.append(f"{json.dumps(key)}: {json.dumps(value)}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


if __name__ == "__main__":
    (_FOLDER / "tables.json").write_text(spell(build()), encoding="utf-8")

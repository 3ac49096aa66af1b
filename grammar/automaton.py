"""The LALR(1) machine of `vl.lark`: takes tokens, builds nodes, can be cut back after a mistake."""

from typing import Any

from renaissance.grammar import tree
from renaissance.grammar.builder import Builder
from renaissance.grammar.source import Source
from renaissance.grammar.tokens import Token, tables

CLOSING = {"LBRACE": "RBRACE", "LPAR": "RPAR", "LSQB": "RSQB"}
OPENING = {closing: opening for opening, closing in CLOSING.items()}


class Automaton:
    """A stack of states, and beside it what was read on the way to each."""

    def __init__(self, source: Source) -> None:
        """Start at the beginning of a text."""
        self.builder = Builder(source)
        self._actions = tables().actions
        self._rules = tables().rules
        self._states = [0]
        self._values: list[Any] = []

    def fits(self, kind: str) -> bool:
        """Tell whether a token of this kind can be taken now."""
        return self._plan(kind) is not None

    def expected(self) -> frozenset[str]:
        """Return the kinds of tokens that fit."""
        return frozenset(kind for kind in self._actions[self._states[-1]] if self.fits(kind))

    def take(self, token: Token) -> bool:
        """Take a token; False if it does not fit, and then nothing has changed."""
        plan = self._plan(token.type)
        if plan is None:
            return False
        for rule in plan:
            self._reduce(rule)
        self._states.append(self._actions[self._states[-1]][token.type])
        self._values.append(token)
        return True

    def finish(self) -> tree.File | None:
        """Return the whole file; None if something is missing, and then nothing has changed."""
        plan = self._plan("$END")
        if plan is None:
            return None
        for rule in plan:
            self._reduce(rule)
        file: tree.File = self._values[-1]
        return file

    def innermost(self, kinds: tuple[str, ...]) -> str:
        """Return which of some kinds of tokens was taken last among those not yet in a node."""
        for value in reversed(self._values):
            if isinstance(value, Token) and value.type in kinds:
                return value.type
        return ""

    def cut_back(self) -> list[Token]:
        """Go back to where `ERROR` may stand for a statement; return the brackets left open."""
        brackets = []
        closed = 0
        while closed or self._actions[self._states[-1]].get("ERROR", -1) < 0:
            self._states.pop()
            value = self._values.pop()
            kind = value.type if isinstance(value, Token) else ""
            if kind in OPENING:
                closed += 1
            elif kind in CLOSING and closed:
                closed -= 1
            elif kind in CLOSING:
                brackets.append(value)
        return brackets[::-1]

    def _plan(self, kind: str) -> list[int] | None:
        """Return the rules to finish before a token of this kind can be taken, or None.

        LALR tables may finish rules before they notice that a token does not fit, so this looks
        ahead on a copy.
        """
        action = self._actions[self._states[-1]].get(kind)
        if action is None or action >= 0:
            return None if action is None else []
        states = self._states.copy()
        rules: list[int] = []
        while True:
            action = self._actions[states[-1]].get(kind)
            if action is None:
                return None
            if action >= 0:
                return rules
            rule = self._rules[-action - 1]
            if rule.length:
                del states[-rule.length :]
            states.append(self._actions[states[-1]][rule.name])
            rules.append(-action - 1)
            if kind == "$END" and states[-1] == tables().end:
                return rules

    def _reduce(self, number: int) -> None:
        rule = self._rules[number]
        values = self._values[len(self._values) - rule.length :]
        if rule.length:
            del self._values[-rule.length :]
            del self._states[-rule.length :]
        self._values.append(self.builder.finish(rule.name, values))
        self._states.append(self._actions[self._states[-1]][rule.name])

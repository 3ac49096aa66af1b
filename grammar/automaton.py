"""The LALR(1) machine of `vl.lark`: takes tokens, builds nodes, can be cut back after a mistake."""

from collections.abc import Iterable
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
        # A list of one thing is that thing, until the list grows.
        self._makers = [
            None if rule.length == 1 and rule.name[0] == "_" else self.builder.maker(rule.name)
            for rule in tables().rules
        ]
        self._actions = tables().actions
        self._rules = tables().rules
        self._end = tables().end
        self._states = [0]
        self._values: list[Any] = []

    def fits(self, kind: str) -> bool:
        """Tell whether a token of this kind can be taken now."""
        return self._plan(kind, self._states.copy()) is not None

    def expected(self) -> frozenset[str]:
        """Return the kinds of tokens that fit."""
        return frozenset(kind for kind in self._actions[self._states[-1]] if self.fits(kind))

    def take(self, token: Token) -> bool:
        """Take a token; False if it does not fit, and then nothing has changed."""
        if not self._reduced(token.type):
            return False
        self._states.append(self._actions[self._states[-1]][token.type])
        self._values.append(token)
        return True

    def retake(self, token: Token, following: Iterable[str]) -> bool:
        """Take a token in the place of the last one; False, with nothing changed, if it fits not.

        Args:
            token: to be taken.
            following: kinds of tokens that have to fit behind it, one after the other.
        """
        states, values = self._states, self._values
        self._states, self._values = states[:-1], values[:-1]
        if self.take(token) and self._fit(following):
            return True
        self._states, self._values = states, values
        return False

    def _fit(self, kinds: Iterable[str]) -> bool:
        states = self._states.copy()
        for kind in kinds:
            if self._plan(kind, states) is None:
                return False
            states.append(self._actions[states[-1]][kind])
        return True

    def finish(self) -> tree.File | None:
        """Return the whole file; None if something is missing, and then nothing has changed."""
        if not self._reduced("$END"):
            return None
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

    def _reduced(self, kind: str) -> bool:
        """Finish what ends before a token of this kind; False, with nothing changed, if none fits.

        LALR tables may finish rules before they notice that a token does not fit, so this looks
        ahead on a copy.
        """
        action = self._actions[self._states[-1]].get(kind)
        if action is None or action >= 0:
            return action is not None
        states = self._states.copy()
        plan = self._plan(kind, states)
        if plan is None:
            return False
        self._states = states
        values = self._values
        for number in plan:
            make = self._makers[number]
            if make is not None:
                start = len(values) - self._rules[number].length
                values[start:] = [make(values[start:])]
        return True

    def _plan(self, kind: str, states: list[int]) -> list[int] | None:
        """Return the rules to finish before a token of this kind can be taken, or None.

        Args:
            kind: of the token.
            states: changed as the rules change them.
        """
        plan: list[int] = []
        while (action := self._actions[states[-1]].get(kind)) is not None and action < 0:
            rule = self._rules[-action - 1]
            if rule.length:
                del states[-rule.length :]
            states.append(self._actions[states[-1]][rule.name])
            plan.append(-action - 1)
            if kind == "$END" and states[-1] == self._end:
                return plan
        return None if action is None else plan

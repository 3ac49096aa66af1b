"""The LALR(1) machine of `vl.lark`: takes tokens, builds nodes, can be cut back after a mistake."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from renaissance.grammar import tree
from renaissance.grammar.source import Source
from renaissance.grammar.syntax.builder import Builder
from renaissance.grammar.syntax.tokens import Token, tables

CLOSING = {"LBRACE": "RBRACE", "LPAR": "RPAR", "LSQB": "RSQB"}
OPENING = {closing: opening for opening, closing in CLOSING.items()}


_REMEMBERED = 12
"""How many of the innermost states tell what a token finishes, in nearly all files."""


class _Step(NamedTuple):
    """What happens before a token is taken: nodes are made, and states change.

    Attributes:
        makers: what makes each node, and of how many values.
        left: how many states are left.
        entered: states in their place.
    """

    makers: tuple[tuple[Callable[[list[Any]], Any], int], ...]
    left: int
    entered: tuple[int, ...]


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
        self._steps: dict[tuple[str, tuple[int, ...]], _Step] = {}

    def fits(self, kind: str) -> bool:
        """Tell whether a token of this kind can be taken now."""
        return self._plan(kind, self._states) is not None

    def expected(self) -> frozenset[str]:
        """Return the kinds of tokens that fit."""
        return frozenset(kind for kind in self._actions[self._states[-1]] if self.fits(kind))

    def take(self, token: Token) -> bool:
        """Take a token; False if it does not fit, and then nothing has changed."""
        kind, states = token.type, self._states
        state = self._actions[states[-1]].get(kind)
        if state is None:
            return False
        if state < 0:
            if not self._reduced(kind):
                return False
            state = self._actions[states[-1]][kind]
        states.append(state)
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
            step = self._plan(kind, states)
            if step is None:
                return False
            states[len(states) - step.left :] = step.entered
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

    def among(self, kind: str) -> bool:
        """Tell whether a statement of the innermost block may begin with a kind of token."""
        for state in reversed(self._states):
            actions = self._actions[state]
            if actions.get("ERROR", -1) >= 0:
                return kind in actions
        return False

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
        ahead first. What it sees depends on the innermost states alone, and these come again.
        """
        action = self._actions[self._states[-1]].get(kind)
        if action is None or action >= 0:
            return action is not None
        inner = (kind, tuple(self._states[-_REMEMBERED:]))
        step = self._steps.get(inner) or self._plan(kind, self._states)
        if step is None:
            return False
        if step.left < len(inner[1]):
            self._steps[inner] = step
        self._states[len(self._states) - step.left :] = step.entered
        values = self._values
        for make, length in step.makers:
            start = len(values) - length
            values[start:] = [make(values[start:])]
        return True

    def _plan(self, kind: str, states: list[int]) -> _Step | None:
        """Return what to finish before a token of this kind can be taken; None if it cannot.

        Args:
            kind: of the token.
            states: those there are, the innermost one last; they stay.
        """
        makers = []
        kept, entered = len(states), list[int]()
        while True:
            action = self._actions[entered[-1] if entered else states[kept - 1]].get(kind)
            if action is None:
                return None
            if action >= 0:
                break
            rule, make = self._rules[-action - 1], self._makers[-action - 1]
            kept -= max(0, rule.length - len(entered))
            del entered[max(0, len(entered) - rule.length) :]
            entered.append(self._actions[entered[-1] if entered else states[kept - 1]][rule.name])
            if make is not None:
                makers.append((make, rule.length))
            if kind == "$END" and entered[-1] == self._end:
                break
        return _Step(tuple(makers), len(states) - kept, tuple(entered))

"""Options that are given once: a second value is refused, where argparse would forget the first."""

from argparse import Action, ArgumentError, ArgumentParser, Namespace
from collections.abc import Sequence
from typing import Any


class OnceParser(ArgumentParser):
    """Reads the arguments of a verb from one command line."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        for action in (None, "store"):
            self.register("action", action, _Once)


class _Once(Action):
    """Keeps the value of an option; what may be given several times says so by `append`."""

    given: object = None

    def __call__(
        self,
        parser: ArgumentParser,
        namespace: Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        if option_string is not None and self.given is not None:
            raise ArgumentError(self, f"is given twice: {self.given} and {values}")
        self.given = values
        setattr(namespace, self.dest, values)

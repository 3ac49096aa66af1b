"""Parts of models that are said again in the same words, and need not be read again.

Models of one file are variants of each other: what is said of a part in the same words as before is
the same block, of which nothing can be wrong now.
"""

from collections.abc import Hashable, Iterable
from typing import NamedTuple

from renaissance.grammar import tree
from renaissance.grammar.composition.drafts import Choice, Content
from renaissance.grammar.composition.scope import Scope
from renaissance.grammar.declaration import Block
from renaissance.grammar.places import Path, Places
from renaissance.grammar.schema.vocabulary import names_of, positional_key


class KnownPart(NamedTuple):
    """A part that was read without a finding.

    Attributes:
        block: what it was read as.
        argument: the field that stands between its parentheses.
        keys: the fields that were said between its braces.
    """

    block: Block
    argument: str | None
    keys: tuple[str, ...]

    def put(self, choice: Choice, path: Path, places: Places) -> None:
        """Note where the part is said once more."""
        put, word = places.put, choice.kind.span
        put(path, word, choice.span)
        if choice.arguments and self.argument is not None:
            if isinstance(getattr(self.block, self.argument), tuple):
                for index, argument in enumerate(choice.arguments):
                    put((*path, self.argument, index), word, argument.span)
            else:
                [argument] = choice.arguments
                put((*path, self.argument), argument.span, argument.span)
        for name, setting in zip(self.keys, choice.keys.values(), strict=True):
            put((*path, name), setting.place, setting.span)


def known_part(block: Block, keys: Iterable[str] = ()) -> KnownPart:
    """Return a part that was read, with the spellings of the keys that were said of it."""
    fields = names_of(type(block))
    return KnownPart(block, positional_key(type(block)), tuple([fields[key] for key in keys]))


def words_of(choice: Choice, what: str, scope: Scope) -> Hashable | None:
    """Return what a choice says; None where names or blocks inside it say more."""
    if choice.broken or scope.settings:
        return None
    arguments = choice.arguments
    values = [setting.value for setting in choice.keys.values()]
    spelled = [_spelled(value, scope) for value in (*(arguments or ()), *values)]
    if None in spelled:
        return None
    count = None if arguments is None else len(arguments)
    return what, choice.kind.text, count, *choice.keys, *spelled


def _spelled(value: Content, scope: Scope) -> str | None:
    """Return the word, number or string that a value is; None for all else."""
    if type(value) is tree.Number or type(value) is tree.Text:
        return value.spelling
    if type(value) is tree.Address and len(value.parts) == 1:
        name = value.parts[0]
        if type(name) is tree.Name and name.text not in scope.lets:
            return name.text
    return None

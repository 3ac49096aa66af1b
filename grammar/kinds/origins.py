"""Which packages bring the kinds that a spec uses."""

from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any

from renaissance.grammar.declaration import Block
from renaissance.grammar.kinds.block import KindBlock
from renaissance.grammar.kinds.registry import KindError, brought_by, distributions, origin

Origins = Mapping[str, Mapping[str, str]]
"""Name and version of a distribution by family and word; of words that are not ours."""


def origins(spec: Block) -> Origins:
    """Return where the kinds of a spec come from.

    Raises:
        KindError: if another package brings a word of ours that the spec uses.
    """
    found: dict[str, dict[str, str]] = {}
    used = {(block.family, block.word()): type(block) for block in kinds_in(spec)}
    for (family, word), block in sorted(used.items(), key=lambda entry: entry[0]):
        distribution = origin(block)
        if distribution is not None:
            found.setdefault(family, {})[word] = distribution
        elif doubles := brought_by(family, word):
            raise KindError(
                f"the {family} `{word}` is a word of renaissance, and {doubles} brings another one",
                "uninstall that",
            )
    return found


def failure_of_others(problem: BaseException) -> KindError | None:
    """Return what to say of an error that comes from another package's code; None if from ours.

    Args:
        problem: was raised by that code, or by what it called, or says that it lacks something.
    """
    brought = distributions()
    module = _lacking(problem)
    place, step = "failed", problem.__traceback__
    while step is not None:
        name = str(step.tb_frame.f_globals.get("__name__", ""))
        if name.partition(".")[0] in brought:
            module, place = name, f"failed in line {step.tb_lineno} of `{name}`"
        step = step.tb_next
    package = brought.get(module.partition(".")[0])
    if package is None:
        return None
    text = " ".join(str(problem).split())
    return KindError(f"`{package}` {place}: {type(problem).__name__}: {text}")


def _lacking(problem: BaseException) -> str:
    """Return the module that an attribute was looked for in, or whose class; empty for none."""
    owner = getattr(problem, "obj", None) if isinstance(problem, AttributeError) else None
    return str(owner.__name__ if isinstance(owner, ModuleType) else type(owner).__module__)


def kinds_in(value: Any) -> Iterator[KindBlock]:
    """Go through the blocks of kinds in a block, from the outside to the inside."""
    if isinstance(value, KindBlock):
        yield value
    if isinstance(value, Block):
        for name in type(value).model_fields:
            yield from kinds_in(getattr(value, name))
    elif isinstance(value, Mapping):
        for entry in value.values():
            yield from kinds_in(entry)
    elif isinstance(value, tuple):
        for entry in value:
            yield from kinds_in(entry)

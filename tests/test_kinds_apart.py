"""Everything that a kind is stands in its folder: nothing outside names it."""

import ast
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from renaissance.grammar.kinds.registry import FAMILIES, schema, words

ROOT = Path(__file__).parents[1]
LAYERS = ("grammar", "compiler", "runtime", "renaissance")
HOMES = {family: ROOT / Path(*found.package.split(".")[1:]) for family, found in FAMILIES.items()}
KINDS = [(family, word) for family in FAMILIES for word in words(family)]

# Also the names of other things: of libraries, of maps, of parts of models, of forms of products.
AMBIGUOUS = {
    "constant",
    "cross_attention",
    "datasets",
    "huggingface",
    "linear",
    "patches",
    "plain",
    "random",
    "regions",
    "timm",
}
EXAMPLES = {
    ROOT / "grammar" / "kinds" / "registry.py",  # the word of each family that messages show
    ROOT / "renaissance" / "arguments.py",  # what `--help` prints
}
DEFAULTS = {(ROOT / "grammar" / "schema" / "jobs.py", "linear")}
"""Keys that have a default name its word."""


class Said(NamedTuple):
    """A name, an import or a text in a file of the package."""

    path: Path
    line: int
    text: str

    def __str__(self) -> str:
        """Show where it stands."""
        return f"{self.path.relative_to(ROOT)}:{self.line}: {self.text}"


@cache
def everything() -> tuple[list[Said], list[Said], list[Said]]:
    """Return all imported modules, all names and all texts but documentation of the package."""
    imports, names, texts = [], [], []
    for path in (path for layer in LAYERS for path in sorted((ROOT / layer).rglob("*.py"))):
        if any(parent.is_symlink() for parent in path.parents):
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        documentation = docstrings(tree)
        for node in ast.walk(tree):
            match node:
                case ast.Import(names=aliases):
                    imports += [Said(path, node.lineno, alias.name) for alias in aliases]
                case ast.ImportFrom(module=str(module), names=aliases):
                    imported = [f"{module}.{alias.name}" for alias in aliases]
                    imports += [Said(path, node.lineno, name) for name in imported]
                case ast.Name(id=name):
                    names.append(Said(path, node.lineno, name))
                case ast.Constant(value=str(text)) if id(node) not in documentation:
                    texts.append(Said(path, node.lineno, text))
    return imports, names, texts


def of_a_kind(path: Path) -> bool:
    """Tell whether a file stands in the folder of some kind, which may build on others."""
    return any(home in path.parents and path.parent != home for home in HOMES.values())


def docstrings(tree: ast.Module) -> set[int]:
    """Return the constants of a file that are documentation."""
    found = set()
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        for statement in body if isinstance(body, list) else ():
            if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
                found.add(id(statement.value))
    return found


@pytest.mark.parametrize(("family", "word"), KINDS)
def test_no_file_outside_imports_a_kind(family: str, word: str) -> None:
    package = f"{FAMILIES[family].package}.{word}."
    imports, _, _ = everything()
    named = [said for said in imports if f"{said.text}.".startswith(package)]
    found = [said for said in named if not of_a_kind(said.path)]
    assert list(map(str, found)) == []


@pytest.mark.parametrize(("family", "word"), KINDS)
def test_no_file_outside_names_the_class_of_a_kind(family: str, word: str) -> None:
    kind = schema(family, word)
    assert kind is not None
    _, names, _ = everything()
    found = [said for said in names if said.text == kind.__name__ and not of_a_kind(said.path)]
    assert list(map(str, found)) == []


@pytest.mark.parametrize(("family", "word"), KINDS)
def test_no_text_outside_names_the_word_of_a_kind(family: str, word: str) -> None:
    if word in AMBIGUOUS:
        pattern = re.compile(rf"(?<![\w.]){FAMILIES[family].tag} {word}\b")
    else:
        pattern = re.compile(rf"(?<![\w.]){word}(?![\w.])")
    _, _, texts = everything()
    found = [
        said
        for said in texts
        if pattern.search(said.text)
        and not of_a_kind(said.path)
        and said.path not in EXAMPLES
        and (said.path, word) not in DEFAULTS
    ]
    assert list(map(str, found)) == []

"""Which layer imports which: grammar, compiler, runtime, front door, in this direction only."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAY_IMPORT = {
    "grammar": {"grammar"},
    "specs": {"specs"},
    "compiler": {"grammar", "compiler"},
    "runtime": {"grammar", "compiler", "runtime"},
}
PRINTING = {"print", "sys.stdout", "sys.stderr"}
FOR_GRAMMAR = {"lark", "pydantic", "pydantic_core"}
OF_ANOTHER_NAME = {"PIL": "pillow"}
BY_TORCH = {"triton"}
"""What torch brings along where it can be had, and what is not imported elsewhere."""
NOT_IMPORTED = {"easy-vqa", "tensorboard"}
"""Data that are looked for, and what torch's writer needs."""


def modules(layer: str) -> list[Path]:
    return sorted((ROOT / layer).rglob("*.py"))


def imports(path: Path) -> Iterator[str]:
    """Yield the full names of all modules that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("layer", MAY_IMPORT)
def test_a_layer_imports_only_what_stands_to_its_left(layer: str) -> None:
    for path in modules(layer):
        for name in imports(path):
            top, _, rest = name.partition(".")
            assert top not in MAY_IMPORT, f"{path} imports {name} without its package"
            if top == "renaissance":
                inner = rest.partition(".")[0]
                allowed = inner in MAY_IMPORT[layer] or inner == "__version__"
                assert allowed, f"{path} imports {name}"


def test_the_grammar_needs_only_lark_and_pydantic() -> None:
    assert modules("grammar")
    allowed = FOR_GRAMMAR | {"renaissance"} | sys.stdlib_module_names
    for path in modules("grammar"):
        for name in imports(path):
            assert name.partition(".")[0] in allowed, f"{path} imports {name}"


@pytest.mark.parametrize("layer", ["grammar", "compiler", "runtime"])
def test_only_the_front_door_prints(layer: str) -> None:
    for path in modules(layer):
        text = path.read_text(encoding="utf-8")
        if 'if __name__ == "__main__":' in text:
            continue  # a tool of the developers, run by hand
        for node in ast.walk(ast.parse(text)):
            name = ast.unparse(node) if isinstance(node, ast.Name | ast.Attribute) else ""
            assert name not in PRINTING, f"{path} prints"
        libraries = {name.partition(".")[0] for name in imports(path)}
        assert "rich" not in libraries, f"{path} imports rich"


def test_init_files_only_hand_names_on() -> None:
    for layer in ("grammar", "compiler", "runtime"):
        for path in (ROOT / layer).rglob("__init__.py"):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            defined = [
                node.name
                for node in tree.body
                if isinstance(node, ast.FunctionDef | ast.ClassDef)
                and not node.name.startswith("__")
            ]
            assert not defined, f"{path} defines {defined}"


def test_dependencies_are_what_is_imported() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed = [*project["dependencies"], *project["optional-dependencies"]["lsp"]]
    own = {"renaissance", *MAY_IMPORT} | sys.stdlib_module_names
    imported = {
        name.partition(".")[0]
        for layer in ("renaissance", *MAY_IMPORT)
        for path in modules(layer)
        for name in imports(path)
    }
    packages = {
        OF_ANOTHER_NAME.get(name, name.replace("_", "-")) for name in imported - own - BY_TORCH
    }
    assert packages | NOT_IMPORTED == {re.split("[<>=]", line)[0] for line in needed}

"""Functions are read top to bottom: none is longer than 60 lines, kernels aside."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[1]
LAYERS = ("grammar", "compiler", "runtime", "renaissance")
LONGEST = 60


def long_functions() -> set[str]:
    """Return the functions that are longer, by file and name."""
    found = set()
    for layer in LAYERS:
        for path in (ROOT / layer).rglob("*.py"):
            name = path.relative_to(ROOT).as_posix()
            if name.startswith("compiler/kernels/"):
                continue  # a kernel is one function, as Triton compiles it
            tree = ast.parse(path.read_text(encoding="utf-8"))
            found |= {f"{name}: {function}" for function in too_long(tree)}
    return found


def too_long(tree: ast.Module) -> set[str]:
    """Return the names of the functions of a file that are longer."""
    return {
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno >= LONGEST
    }


def test_no_function_is_longer_than_sixty_lines() -> None:
    assert long_functions() == set()


def test_a_long_function_is_found() -> None:
    lines = ["def long():", *["    pass"] * LONGEST, "def short():", *["    pass"] * (LONGEST - 1)]
    assert too_long(ast.parse("\n".join(lines))) == {"long"}

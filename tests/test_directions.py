"""Imports inside the layers have one direction, too: what stands in a folder forms no circle.

All imports count, those inside functions and for types alike: whoever reads a file has to know what
it names, and an import inside a function is how a circle is hidden.
"""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).parents[1]
LAYERS = ("grammar", "compiler", "runtime", "renaissance")

Graph = Mapping[str, set[str]]


def modules() -> dict[str, Path]:
    """Return the files of all layers by what they are imported as, `__init__` written out."""
    found = {}
    for layer in LAYERS:
        # The other layers stand in `renaissance/` as links, which are not followed.
        for path in (ROOT / layer).rglob("*.py"):
            found[".".join(path.relative_to(ROOT).with_suffix("").parts)] = path
    return found


def imported(path: Path, known: Mapping[str, Path]) -> Iterator[str]:
    """Yield the modules that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            yield from _module(name, known)


def _module(name: str, known: Mapping[str, Path]) -> Iterator[str]:
    """Yield the module that has a name, or in which something has it."""
    parts = name.split(".")
    if parts[0] != "renaissance" or name == "renaissance.__version__":
        return
    if len(parts) > 1 and parts[1] in LAYERS:
        parts = parts[1:]
    for end in (len(parts), len(parts) - 1):
        whole = ".".join(parts[:end])
        for spelled in (whole, f"{whole}.__init__"):
            if spelled in known:
                yield spelled
                return


def neighbours() -> dict[str, Graph]:
    """Return by folder what stands in it, and which of it imports which."""
    known = modules()
    folders: dict[str, dict[str, set[str]]] = {}
    for name, path in known.items():
        for other in imported(path, known):
            here, there = name.split("."), other.split(".")
            depth = 0
            while here[depth] == there[depth] and depth < min(len(here), len(there)) - 1:
                depth += 1
            graph = folders.setdefault(".".join(here[:depth]), {})
            graph.setdefault(".".join(here[: depth + 1]), set()).add(".".join(there[: depth + 1]))
    return folders


def circles(graph: Graph) -> Iterator[tuple[str, ...]]:
    """Yield each group of nodes that lead to one another."""
    left = dict.fromkeys(graph)
    while left:
        start = next(iter(left))
        group = {
            other
            for other in reached(graph, start)
            if other == start or start in reached(graph, other)
        }
        if len(group) > 1 or start in graph[start]:
            yield tuple(sorted(group))
        for other in group | {start}:
            left.pop(other, None)


def reached(graph: Graph, start: str) -> set[str]:
    """Return what a node leads to."""
    found: set[str] = set()
    waiting = [start]
    while waiting:
        for other in graph.get(waiting.pop(), ()):
            if other not in found:
                found.add(other)
                waiting.append(other)
    return found


def test_what_stands_side_by_side_forms_no_circle() -> None:
    folders = neighbours()
    assert {"", "grammar", "compiler.planning", "runtime", "renaissance"} <= set(folders)
    found = {circle for graph in folders.values() for circle in circles(graph)}
    assert found == set(), [
        f"{one} imports {other}"
        for graph in folders.values()
        for one, others in graph.items()
        for other in sorted(others)
        for circle in found
        if one in circle and other in circle
    ]


def test_a_circle_is_found() -> None:
    graph = {"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"d"}}
    assert set(circles(graph)) == {("b", "c"), ("d",)}

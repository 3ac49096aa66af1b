"""What a file may be that was given in the place of a spec, and what may have been meant."""

from pathlib import PurePath

from renaissance.grammar.names import listing, nearest
from renaissance.grammar.paths import children, is_file
from renaissance.grammar.shipped import shipped_names

_TABLES = frozenset({".csv", ".tsv", ".jsonl", ".parquet", ".arrow", ".feather", ".xlsx"})
_WEIGHTS = frozenset({".pt", ".pth", ".bin", ".ckpt", ".safetensors", ".onnx", ".npz", ".pkl"})
_IMAGES = frozenset({".jpg", ".jpeg", ".png", ".gif", ".webp", ".svg"})
_OTHERS = {
    ".yaml": "a YAML file",
    ".yml": "a YAML file",
    ".toml": "a TOML file",
    ".py": "a Python file",
    ".ipynb": "a notebook",
    ".html": "a page",
    ".log": "a log",
    ".sh": "a shell script",
    ".zip": "an archive",
    ".gz": "an archive",
    ".tar": "an archive",
}


def no_spec(path: str) -> str | None:
    """Return what a file is, if its name says that it is no spec, and what reads it."""
    suffix = PurePath(path).suffix.lower()
    if suffix in _TABLES:
        return (
            "is a table, not a .vl spec: a spec names it, as `table = …` of its data; "
            "`renaissance predict RUN TABLE` answers its rows"
        )
    if suffix in _WEIGHTS:
        return (
            "holds weights, and is no .vl spec: a spec names it, as `weights = …` of a model; "
            "of a run give the folder to `report` or `predict`"
        )
    if suffix in _IMAGES:
        return "is an image, not a .vl spec"
    if suffix == ".json":
        return (
            "is a JSON file, not a .vl spec: a run folder has its spec as `spec.vl`; a table of "
            "rows is named by `table = …` of data"
        )
    if suffix in _OTHERS:
        return f"is {_OTHERS[suffix]}, not a .vl spec: `renaissance specs quickstart` shows one"
    return None


def of_folder(path: str) -> str:
    """Return what to give in the place of a folder."""
    inside = children(path)
    if "spec.vl" in inside:
        verb = "run" if "run.sh" in inside or "lock.json" in inside else "report"
        return f"its spec is {path.rstrip('/')}/spec.vl; `renaissance {verb}` takes the folder"
    specs = [name for name in inside if name.endswith(".vl")]
    return f"give a file in it, such as {path.rstrip('/')}/{specs[0]}" if specs else ""


def meant_by(path: str) -> tuple[str, ...]:
    """Return names of specs that one which is not there may have been meant for."""
    name = PurePath(path)
    beside = [
        str(name.parent / other) for other in children(str(name.parent)) if other[-3:] == ".vl"
    ]
    if is_file(f"{path}.vl"):
        return (f"{path}.vl",)
    if path.endswith(".vl"):
        return nearest(path, beside)
    return nearest(path, shipped_names()) or nearest(path, beside) or nearest(f"{path}.vl", beside)


def hint(names: tuple[str, ...]) -> str:
    """Return the end of a message that names what may have been meant."""
    return f"; is {listing(names, between=' or ')} meant?" if names else ""

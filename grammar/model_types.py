"""What each type of model of transformers reads: `model_types.tsv`, by the name in `config.json`.

The table is made from transformers by `python -m renaissance.compiler.model_types_table`.
"""

from functools import cache
from pathlib import Path
from typing import Literal

from renaissance.grammar.record import Record

TABLE = Path(__file__).with_name("model_types.tsv")

Reads = Literal["images", "texts", "pair", "nothing"]


class ModelType(Record):
    """A type of model.

    Attributes:
        name: `model_type` of its `config.json`.
        reads: images or texts, as an encoder; `pair` where it holds an encoder of each, or of one
            beside others; `nothing` where it can be no tower.
        refused: why it can be no tower, a clause; empty where it can.
        vision: type of its encoder of images where it is a pair; empty if there is none or several
            may be.
        text: the same of texts.
    """

    name: str
    reads: Reads
    refused: str = ""
    vision: str = ""
    text: str = ""


def model_type(name: str) -> ModelType | None:
    """Return what is known of a type of model; None of one that the table does not have."""
    line = _lines().get(name)
    return None if line is None else parsed(line)


def model_types() -> tuple[str, ...]:
    """Return the names of all types in the table."""
    return tuple(_lines())


def parsed(line: str) -> ModelType:
    """Read a line of the table."""
    name, reads, detail = line.split("\t")
    if reads == "pair":
        vision, text = (half.strip("-") for half in detail.split())
        return ModelType(name=name, reads="pair", vision=vision, text=text)
    return ModelType(name=name, reads=reads, refused=detail)  # type: ignore[arg-type]


def line_of(model: ModelType) -> str:
    """Return the line of the table that says what is known of a type."""
    halves = f"{model.vision or '-'} {model.text or '-'}"
    return "\t".join((model.name, model.reads, halves if model.reads == "pair" else model.refused))


def table_of(version: str, lines: list[str]) -> str:
    """Return the text of the table."""
    head = f"# transformers {version}: model_type, what it reads, why no tower or types of halves"
    return "\n".join((head, *lines, ""))


@cache
def _lines() -> dict[str, str]:
    lines = TABLE.read_text("utf-8").splitlines()
    return {line.partition("\t")[0]: line for line in lines[1:]}

"""Which library loads an encoder that is only named."""

from typing import Literal


def source_named(name: str, stream: str) -> str:
    """Return how a backbone is written that is loaded by its name: `timm("…")`.

    Args:
        name: hub id, or name of a model of timm.
        stream: name of the backbone, which tells what it reads where the name is unknown.
    """
    return f'{library_of(name, stream)}("{name}")'


def library_of(name: str, stream: str) -> Literal["huggingface", "timm"]:
    """Return which library loads a model; one of timm has no `/` in its name."""
    from renaissance.grammar.catalogue import find, named_as_timm_does  # only mistakes pay for it

    if "/" not in name and named_as_timm_does(name):
        return "timm"
    reads_text = any(part in stream.lower() for part in ("text", "lang", "word", "caption"))
    known = "/" in name or find(name) is not None
    return "huggingface" if known or reads_text else "timm"

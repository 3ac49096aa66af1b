"""Which library loads an encoder that is only named."""

from typing import Literal

_OF_TEXTS = ("text", "lang", "word", "caption")
_OF_IMAGES = ("vision", "visual", "image", "img", "pixel")


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

    hub = name.startswith(("timm/", "hf-hub:", "hf_hub:"))
    if hub or ("/" not in name and named_as_timm_does(name)):
        return "timm"
    known = "/" in name or find(name) is not None
    return "huggingface" if known or _reads(stream, _OF_TEXTS) else "timm"


def source_meant(word: str, stream: str) -> str | None:
    """Return how the encoder is written that a word without quotes names; None if there is none.

    Args:
        word: such as `deit_tiny_patch16_224`, or `bert_base_uncased` for `bert-base-uncased`.
        stream: name of the backbone.
    """
    from renaissance.grammar.catalogue import find, named_as_timm_does

    if named_as_timm_does(word):
        return source_named(word, stream)
    hubs = (word, word.replace("_", "-"))
    return next((source_named(name, stream) for name in hubs if find(name) is not None), None)


def encoder_example(word: str) -> str:
    """Say how an encoder of a library is named, by one whose name starts with a word if any."""
    from renaissance.grammar.catalogue import names_like

    starts = (name for name in names_like(word) if name.startswith(f"{word}_"))
    return f'an encoder of a library stands in parentheses: `timm("{next(starts, "…")}")`'


def named_for_a_stream(name: str) -> bool:
    """Tell whether a backbone may be called so, by what it reads."""
    return _reads(name, (*_OF_TEXTS, *_OF_IMAGES))


def _reads(name: str, parts: tuple[str, ...]) -> bool:
    return any(part in name.lower() for part in parts)

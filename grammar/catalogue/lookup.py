"""Finds published encoders by hub id and by timm name."""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Literal

from renaissance.grammar.architectures import Architecture, from_config
from renaissance.grammar.catalogue.images import IMAGES
from renaissance.grammar.catalogue.pairs import PAIRS
from renaissance.grammar.catalogue.published import Published
from renaissance.grammar.catalogue.texts import TEXTS
from renaissance.grammar.catalogue.timm import TIMM
from renaissance.grammar.catalogue.timm_models import name_of_today, timm_model, timm_names

ENTRIES: tuple[Published, ...] = (*TEXTS, *IMAGES, *PAIRS)


def find(id: str, half: Literal["vision", "text"] = "vision") -> Architecture | None:
    """Return the published architecture of this hub id or timm name, or None if it is not known.

    Args:
        id: hub id or timm name.
        half: which one is meant where a model has an encoder of images and one of texts.
    """
    if half == "text" and id in _texts():
        return _texts()[id]
    bare = bare_name(id)
    return published().get(id) or published().get(bare) or _of_timm(bare)


def names() -> tuple[str, ...]:
    """Return the ids of encoders that are described here, sorted; timm has others."""
    return tuple(sorted(published()))


def names_like(id: str) -> Iterator[str]:
    """Yield every name that may be meant by one that is not known, those described here first.

    Of timm's models their tags follow where only the tag is unknown.
    """
    yield from published()
    if "/" in (bare := bare_name(id)):
        return
    name, dot, _ = bare.partition(".")
    model = timm_model(name) if dot else None
    yield from timm_names() if model is None else (f"{name}.{tag}" for tag in model.tags)


def named_as_timm_does(id: str) -> bool:
    """Tell whether timm has a model of this name, whatever its tag.

    One that says where it lies, on the hub or in a folder, may be any.
    """
    bare = bare_name(id)
    return "/" in bare or ":" in id or timm_model(bare.partition(".")[0]) is not None


def bare_name(id: str) -> str:
    """Return the name of a model of timm without what says where its weights lie.

    It is that of today where timm has given it another one.
    """
    hub = ("hf-hub:", "hf_hub:")
    stem = next((id.removeprefix(prefix) for prefix in hub if id.startswith(prefix)), id)
    return name_of_today(stem.removeprefix("timm/"))


@cache
def published() -> dict[str, Architecture]:
    """Return all architectures that are described here, by hub id and by timm name."""
    found = {
        id: replace(from_config(id, entry.config, entry.statistics), refused=entry.refused)
        for entry in ENTRIES
        for id in entry.ids
    }
    for tags, architecture in TIMM:
        found[architecture.id] = architecture
        for tag in tags:
            found[f"{architecture.id.partition('.')[0]}.{tag}"] = architecture
    return found


@cache
def _texts() -> dict[str, Architecture]:
    """Return the encoders of texts that stand beside one of images, by hub id."""
    return {
        id: replace(from_config(id, entry.texts, None), refused=entry.refused)
        for entry in ENTRIES
        if entry.texts is not None
        for id in entry.ids
    }


@cache
def _of_timm(bare: str) -> Architecture | None:
    """Return what the table of timm's models says of a name, with or without a tag."""
    if "/" in bare:
        return None
    name, dot, tag = bare.partition(".")
    model = timm_model(name)
    if model is None or (dot and tag not in model.tags):
        return None
    return model.architecture(tag)

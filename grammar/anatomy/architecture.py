"""Which published architecture a block names."""

from renaissance.grammar.architectures import Architecture
from renaissance.grammar.catalogue import find
from renaissance.grammar.encoder_folder import FolderError, read_folder
from renaissance.grammar.kinds.source import Half, SourceBlock, half_of
from renaissance.grammar.paths import is_folder


def architecture_of(block: SourceBlock) -> Architecture | None:
    """Return what is known about the architecture that a block names, without any network."""
    if block.identifier is None:
        return None
    return architecture_named(block.identifier, half_of(block))


def architecture_named(name: str, half: Half = "vision") -> Architecture | None:
    """Return what is known about an architecture, without any network.

    Args:
        name: hub id, timm name or folder.
        half: which one is meant where it has an encoder of images and one of texts.
    """
    known = find(name, half)
    if known is None and is_folder(name):
        try:
            return read_folder(name, half)
        except FolderError:
            return None
    return known


def problem_of(block: SourceBlock) -> str | None:
    """Say in a sentence why what a block names is no encoder; None if nothing is wrong."""
    return None if block.identifier is None else problem_of_name(block.identifier)


def problem_of_name(name: str) -> str | None:
    """Say in a sentence why a folder or known encoder can be no tower; None if nothing is wrong."""
    known = find(name)
    if known is not None and known.refused:
        return f"`{name}` can be no tower: {known.refused}"
    if known is not None or not is_folder(name):
        return None
    try:
        read_folder(name)
    except FolderError as error:
        return str(error)
    return None

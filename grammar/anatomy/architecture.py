"""Which published architecture a block names."""

from renaissance.grammar.architectures import Architecture
from renaissance.grammar.catalogue import find
from renaissance.grammar.encoder_folder import FolderError, read_folder
from renaissance.grammar.kinds.source import SourceBlock
from renaissance.grammar.paths import is_folder


def architecture_of(block: SourceBlock) -> Architecture | None:
    """Return what is known about the architecture that a block names, without any network."""
    return None if block.identifier is None else architecture_named(block.identifier)


def architecture_named(name: str) -> Architecture | None:
    """Return what is known about an architecture, without any network."""
    known = find(name)
    if known is None and is_folder(name):
        try:
            return read_folder(name)
        except FolderError:
            return None
    return known


def folder_problem(block: SourceBlock) -> str | None:
    """Say in a sentence why the folder that a block names is no model; None if nothing is wrong."""
    return None if block.identifier is None else problem_of_folder(block.identifier)


def problem_of_folder(name: str) -> str | None:
    """Say in a sentence why a folder is no model; None if nothing is wrong."""
    if find(name) is not None or not is_folder(name):
        return None
    try:
        read_folder(name)
    except FolderError as error:
        return str(error)
    return None

"""Which published architecture a block names."""

from renaissance.grammar.architectures import Architecture
from renaissance.grammar.catalogue import find
from renaissance.grammar.encoder_folder import FolderError, read_folder
from renaissance.grammar.kinds.source import SourceBlock
from renaissance.grammar.paths import is_folder


def architecture_of(block: SourceBlock) -> Architecture | None:
    """Return what is known about the architecture that a block names, without any network."""
    name = block.identifier
    if name is None:
        return None
    known = find(name)
    if known is None and is_folder(name):
        try:
            return read_folder(name)
        except FolderError:
            return None
    return known


def folder_problem(block: SourceBlock) -> str | None:
    """Say in a sentence why the folder that a block names is no model; None if nothing is wrong."""
    name = block.identifier
    if name is None or find(name) is not None or not is_folder(name):
        return None
    try:
        read_folder(name)
    except FolderError as error:
        return str(error)
    return None

"""Which published architecture a block names."""

from pathlib import Path

from renaissance.grammar.architectures import Architecture
from renaissance.grammar.catalogue import find
from renaissance.grammar.encoder_flaws import Flaw, flaw_of_settings
from renaissance.grammar.encoder_folder import FolderError, read_folder
from renaissance.grammar.encoder_halves import Half
from renaissance.grammar.kinds.source import SourceBlock, half_of
from renaissance.grammar.paths import is_folder
from renaissance.grammar.tokenizer_files import flaw_of_tokenizer, tokens_in
from renaissance.grammar.weight_files import flaw_of_weights


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


def vocabulary_named(name: str) -> int | None:
    """Return the rows that the words of a tokenizer need in an embedding; None where nobody knows.

    A folder's encoder says how many it has; a folder of a tokenizer alone, how many tokens.

    Args:
        name: hub id or folder whose tokenizer is used.
    """
    known = architecture_named(name, "text")
    if known is not None and known.vocabulary is not None:
        return known.vocabulary
    return tokens_in(Path(name)) if is_folder(name) else None


def problem_of(block: SourceBlock, *, reads: bool) -> Flaw | None:
    """Say why what a block names is no encoder that can be built; None if nothing is wrong.

    Args:
        block: a tower, or the stack of a one-tower model.
        reads: whether it reads texts, with the tokenizer of a folder, and not vectors.
    """
    name, half = block.identifier, half_of(block)
    if name is None:
        return None
    found = problem_of_name(name, half, weights=block.loads_weights)
    if found is not None or not reads or not is_folder(name):
        return found
    known = architecture_named(name, half)
    return flaw_of_tokenizer(Path(name), known) if known and known.modality == "text" else None


def problem_of_name(name: str, half: Half = "vision", *, weights: bool) -> Flaw | None:
    """Say why a folder or known encoder can be no tower; None if nothing is wrong.

    Args:
        name: hub id, timm name or folder.
        half: which one is meant where it has an encoder of images and one of texts.
        weights: whether its weights are wanted too.
    """
    known = find(name)
    if known is not None and known.refused:
        return Flaw(message=f"`{name}` can be no tower: {known.refused}")
    if known is not None or not is_folder(name):
        return None
    try:
        found = read_folder(name, half)
    except FolderError as error:
        return error.flaw
    flaw = None
    if found.library == "transformers":
        flaw = flaw_of_settings(name, found.config, found, weights=weights)
    return flaw or (flaw_of_weights(Path(name), found, half) if weights else None)

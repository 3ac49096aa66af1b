"""What local folders that a model names hold: they may be moved, but not changed, unnoticed."""

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from renaissance.grammar.kinds.source import Detected
from renaissance.grammar.paths import is_folder
from renaissance.grammar.schema.model import Model
from renaissance.runtime.caches import cache_folder
from renaissance.runtime.feature_cache.content import ImageContents

OF_ENCODERS = frozenset({".bin", ".json", ".model", ".pt", ".pth", ".safetensors", ".txt"})
"""Endings of files that say what an encoder or its tokenizer is: weights, settings, words."""
OF_REGIONS = frozenset({".npz"})
"""Endings of files in which a detector keeps what it found."""
MEMORY = 2**26
"""Most bytes in which digests are remembered, by path, size and time of change."""
LARGEST = 2**40
"""Bytes of a file of weights."""


class FolderContents:
    """Digests of folders of encoders and of detected regions, each found once."""

    def __init__(self) -> None:
        """Read nothing yet."""
        self._found: dict[str, str] = {}

    def named_by_content(self, content: Any, model: Model) -> Any:
        """Return JSON values of a model with the content of folders in place of their names.

        Args:
            content: what identifies the model.
            model: that names them; what it names that is no folder stays as it is.

        Raises:
            OSError: if a file cannot be read.
        """
        named = {model.weights, *(source.identifier for source in model.sources)}
        named |= {source.tokenizer for source in model.sources}
        words = {
            name: self._digest(name, _files_of_encoder(name))
            for name in named
            if name is not None and is_folder(name)
        }
        for source in model.sources:
            if isinstance(source, Detected) and is_folder(source.features):
                words[source.features] = self._digest(
                    source.features, _files_of_regions(source.features)
                )
        return _replaced(content, words)

    def _digest(self, folder: str, paths: Iterable[Path]) -> str:
        if folder not in self._found:
            paths = sorted(paths)
            known = ImageContents(_memory(), MEMORY, LARGEST)
            digest = hashlib.blake2b(digest_size=16)
            for path, content in zip(paths, known.digests([*map(str, paths)]), strict=True):
                if content is None:
                    raise OSError(f"`{path}` cannot be read")
                name = os.fsencode(path.relative_to(folder))
                digest.update(name + b"\0" + content.hex().encode() + b"\0")
            self._found[folder] = f"content:{digest.hexdigest()}"
        return self._found[folder]


def _files_of_encoder(folder: str) -> Iterable[Path]:
    return (path for path in Path(folder).iterdir() if path.suffix in OF_ENCODERS)


def _files_of_regions(folder: str) -> Iterable[Path]:
    """Yield files of images, which may lie in folders as the images do."""
    return (path for path in Path(folder).rglob("*") if path.suffix in OF_REGIONS)


def _memory() -> Path:
    """Return where digests are remembered; where nothing can be, files are read each time."""
    try:
        return cache_folder("encoders")
    except OSError:
        return Path(os.devnull)


def _replaced(content: Any, words: dict[str, str]) -> Any:
    if isinstance(content, dict):
        return {key: _replaced(value, words) for key, value in content.items()}
    if isinstance(content, list):
        return [_replaced(value, words) for value in content]
    return words.get(content, content) if isinstance(content, str) else content

"""What local folders of encoders hold: they may be moved and copied, but not changed, unnoticed."""

import hashlib
from pathlib import Path
from typing import Any

from renaissance.grammar.paths import is_folder
from renaissance.grammar.schema.model import Model
from renaissance.runtime.caches import cache_folder
from renaissance.runtime.feature_cache.content import ImageContents

DECIDE = frozenset({".bin", ".json", ".model", ".pt", ".pth", ".safetensors", ".txt"})
"""Endings of files that say what an encoder or its tokenizer is: weights, settings, words."""
MEMORY = 2**20
"""Most bytes in which digests are remembered, by path, size and time of change."""
LARGEST = 2**40
"""Bytes of a file of weights."""


class EncoderFolders:
    """Digests of folders, each found once."""

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
        folders = {name for name in named if name is not None and is_folder(name)}
        return _replaced(content, {name: self._digest(name) for name in folders})

    def _digest(self, folder: str) -> str:
        if folder not in self._found:
            paths = sorted(path for path in Path(folder).iterdir() if path.suffix in DECIDE)
            known = ImageContents(cache_folder("encoders"), MEMORY, LARGEST)
            digest = hashlib.blake2b(digest_size=16)
            for path, content in zip(paths, known.digests([*map(str, paths)]), strict=True):
                if content is None:
                    raise OSError(f"`{path}` cannot be read")
                digest.update(f"{path.name}\0{content.hex()}\0".encode())
            self._found[folder] = f"content:{digest.hexdigest()}"
        return self._found[folder]


def _replaced(content: Any, words: dict[str, str]) -> Any:
    if isinstance(content, dict):
        return {key: _replaced(value, words) for key, value in content.items()}
    if isinstance(content, list):
        return [_replaced(value, words) for value in content]
    return words.get(content, content) if isinstance(content, str) else content

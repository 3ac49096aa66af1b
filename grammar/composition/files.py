"""Where the text of a spec and of its imports is read from."""

import posixpath
from pathlib import Path
from typing import Protocol

from renaissance.grammar.paths import exists, is_file, is_folder
from renaissance.grammar.source import Source, SourceError, read_source


class Files(Protocol):
    """A place that holds files: the disk, or a revision of a repository."""

    def read(self, path: str) -> Source:
        """Return the text of a file.

        Raises:
            SourceError: if there is no such file or it is not text.
        """
        ...

    def beside(self, importer: str, path: str) -> str:
        """Return where an imported path lies; relative paths start at the importing file.

        Args:
            importer: name of the source that imports.
            path: as the import spells it.
        """
        ...


class Disk:
    """The file system."""

    def read(self, path: str) -> Source:
        """Return the text of an ordinary file; its name is the path from the working folder.

        Raises:
            SourceError: if there is no such file or it is not text.
        """
        file = Path(path)
        if is_folder(file):
            raise SourceError(f"{file.as_posix()} is a folder, and a file is wanted")
        if exists(file) and not is_file(file):
            # A pipe or a device may never end.
            raise SourceError(f"{file.as_posix()} is not an ordinary file")
        return read_source("./-" if path == "-" else path)

    def beside(self, importer: str, path: str) -> str:
        """Return where an imported path lies; what standard input imports lies where we work."""
        return below(importer, path)


def below(importer: str, path: str) -> str:
    """Return a path from the folder of the importing file, without `..` where that is possible."""
    folder = "" if importer.startswith("<") else posixpath.dirname(importer)
    return posixpath.normpath(posixpath.join(folder, path))

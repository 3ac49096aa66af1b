"""Files as they were in a revision of a git repository."""

import os
import subprocess
from pathlib import Path

from renaissance.grammar.composition.files import below
from renaissance.grammar.record import Record
from renaissance.grammar.source import Source, SourceError, source_of

PREFIX = "git:"
_PATIENCE = 30


class Revision(Record):
    """The files of a commit.

    Attributes:
        name: of the revision, as the user spells it.
        commit: its hash.
    """

    name: str
    commit: str

    def read(self, path: str) -> Source:
        """Return the text of a file in the commit; paths start at the working folder.

        Args:
            path: with or without the prefix `git:REVISION:`.

        Raises:
            SourceError: if there is no such file or it is not text.
        """
        name = path.removeprefix(self._prefix)
        content = _git("cat-file", "blob", f"{self.commit}:{_inside(name)}")
        if content is None:
            raise SourceError(f"there is no file {name} in revision {self.name}")
        return source_of(self._prefix + name, content)

    def beside(self, importer: str, path: str) -> str:
        """Return where an imported path lies, in the same revision."""
        return self._prefix + below(importer.removeprefix(self._prefix), path)

    @property
    def _prefix(self) -> str:
        return f"{PREFIX}{self.name}:"


def open_revision(address: str) -> tuple[Revision, str]:
    """Return the revision and the path that `git:REVISION:PATH` names.

    Raises:
        SourceError: if it is not written like that, or there is no such revision here.
    """
    name, colon, path = address.removeprefix(PREFIX).partition(":")
    if not (name and colon and path):
        raise SourceError(f"{address} is not written as git:REVISION:PATH")
    if name.startswith("-"):
        raise SourceError(f"{name} is not the name of a revision")
    commit = _git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    if commit is None:
        raise SourceError(f"there is no revision {name} in this repository")
    return Revision(name=name, commit=commit.decode().strip()), path


def _inside(path: str) -> str:
    """Return a path as git takes it: from the working folder."""
    if Path(path).is_absolute():
        path = os.path.relpath(path)
    return f"./{Path(path).as_posix()}"


def _git(*arguments: str) -> bytes | None:
    """Return what git prints, or None if it says no.

    Raises:
        SourceError: if git is not there, or there is no repository.
    """
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0", "GIT_NO_LAZY_FETCH": "1", "LC_ALL": "C"}
    try:
        done = subprocess.run(
            ["git", *arguments],
            capture_output=True,
            env=environment,
            stdin=subprocess.DEVNULL,
            timeout=_PATIENCE,
            check=False,
        )
    except FileNotFoundError:
        raise SourceError("git is not installed, so revisions cannot be read") from None
    except (subprocess.TimeoutExpired, ValueError, OSError):
        raise SourceError(f"git {arguments[0]} did not answer") from None
    if done.returncode == 0:
        return done.stdout
    complaint = done.stderr.decode(errors="replace").strip().splitlines()
    if any("not a git repository" in line for line in complaint):
        raise SourceError("the working folder is not inside a git repository")
    if any("dubious ownership" in line for line in complaint):
        raise SourceError("git does not read this repository because it belongs to somebody else")
    return None

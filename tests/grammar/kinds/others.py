"""Packages of others that a test installs in a folder, with real entry points."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

FORMAT = '''"""Keys of `{word}`."""

from typing import Literal

from renaissance.grammar.declaration import key
from renaissance.grammar.kinds.data import FormatBlock


class Lines(FormatBlock):
    """A text file with a line for each image."""

    format: Literal["{word}"] = "{word}"
    table: str = key(doc="path of the file", impact="training", path="file")
    limit: int = key(9, doc="most lines that are read", impact="training", ge=1)
'''
"""A data format, as small as one can be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """A folder of packages, and what the command line answers beside it."""

    folder: Path

    def install(
        self,
        name: str,
        points: Mapping[str, str],
        *,
        version: str = "1.0",
        files: Mapping[str, str],
    ) -> None:
        """Write a distribution.

        Args:
            name: of the distribution.
            points: `FAMILY.WORD` and the package that holds the kind.
            version: of the distribution.
            files: texts of schemas, by path; readers beside them are empty.
        """
        for path, text in files.items():
            module = self.folder / path
            module.parent.mkdir(parents=True, exist_ok=True)
            (module.parent / "__init__.py").touch()
            module.write_text(text, encoding="utf-8")
            (module.parent / "reader.py").touch()
        info = self.folder / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        lines = []
        for point, value in points.items():
            family, word = point.split(".")
            lines += [f"[renaissance.{family}]", f"{word} = {value}"]
        (info / "entry_points.txt").write_text("\n".join(lines) + "\n")

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the command line in a new process that sees the packages."""
        return self.python("-m", "renaissance", *arguments)

    def python(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run an interpreter that sees the packages."""
        path = os.pathsep.join([str(self.folder), *filter(None, sys.path)])
        return subprocess.run(
            [sys.executable, *arguments],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "PYTHONPATH": path},
        )

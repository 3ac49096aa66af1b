"""Resolve texts in tests of the language."""

from pathlib import Path

import pytest

from renaissance.grammar.composition.resolution import Resolution, resolve
from renaissance.grammar.source import Source


class Workshop:
    """A folder to which a test writes files and in which it resolves them."""

    def write(self, **files: str) -> None:
        """Write `NAME.vl` for each name."""
        for name, text in files.items():
            Path(f"{name}.vl").write_text(text, encoding="utf-8")

    def resolve(self, text: str) -> Resolution:
        """Resolve a text as the file `main.vl`."""
        return resolve(Source(name="main.vl", text=text))

    def codes(self, text: str) -> list[str]:
        """Return the codes of all findings, in order."""
        return [finding.code for finding in self.resolve(text).diagnostics]


@pytest.fixture
def workshop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workshop:
    monkeypatch.chdir(tmp_path)
    return Workshop()

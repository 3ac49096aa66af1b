"""Specs as a person names them in Python: a file, a shipped one, or what is loaded already."""

from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

from renaissance.files import find_spec
from renaissance.grammar import diff as differences
from renaissance.grammar import loading
from renaissance.grammar.schema.spec import Spec


class SpecDiff(differences.SpecDiff):
    """Everything that differs between two specs; `print` shows it as `renaissance diff` does.

    Attributes:
        old: what the old spec is called.
        new: what the new spec is called.
    """

    old: str
    new: str

    def __str__(self) -> str:
        """Return the text."""
        from renaissance.render.color import Palette
        from renaissance.render.comparison import render_comparison

        return render_comparison(self, self.old, self.new, Palette(colored=False))

    def __repr__(self) -> str:
        """Return the same where Python shows a value."""
        return str(self)

    def _repr_html_(self) -> str:
        """Return the same for a notebook."""
        return f"<pre>{escape(str(self))}</pre>"


def load(path: str | Path, set: Mapping[str, Any] | None = None) -> Spec:
    """Return the resolved spec of a `.vl` file, or of a shipped spec by its name.

    Args:
        path: of the file, or a name such as `quickstart`; a file of this name comes first.
        set: values by address that take the place of those of the file, such as
            `{"base.batch": 64, "base.optimizer.lr": 1e-4}`; texts as a file spells a value, with
            or without quotes.

    Raises:
        SourceError: if the file cannot be read.
        SpecError: if it has errors; carries every finding.
    """
    return loading.load(find_spec(str(path)), set)


def opened(spec: Spec | str | Path) -> Spec:
    """Return a spec that is loaded already, or is to be; raises what `load` raises."""
    return spec if isinstance(spec, Spec) else load(spec)


def diff(old: Spec | str | Path, new: Spec | str | Path) -> SpecDiff:
    """Compare what two specs mean, given as files, as names of shipped ones, or loaded.

    Raises:
        SourceError: if a file cannot be read.
        SpecError: if one has errors.
    """
    found = differences.diff_specs(opened(old), opened(new))
    return SpecDiff(blocks=found.blocks, old=_called(old, "old"), new=_called(new, "new"))


def _called(spec: Spec | str | Path, otherwise: str) -> str:
    return otherwise if isinstance(spec, Spec) else str(spec)

"""The language: from the text of a `.vl` file to a checked and resolved spec.

Names are imported when they are first used.
"""

from typing import TYPE_CHECKING

from renaissance.grammar.first_use import on_first_use

__all__ = ["Diagnostic", "Resolution", "Spec", "SpecError", "load", "print_spec", "resolve"]

if TYPE_CHECKING:
    from renaissance.grammar.canonical import print_spec
    from renaissance.grammar.composition.resolution import Resolution, resolve
    from renaissance.grammar.diagnostics import Diagnostic, SpecError
    from renaissance.grammar.loading import load
    from renaissance.grammar.schema.spec import Spec

__getattr__ = on_first_use(
    __name__,
    {
        "Diagnostic": "renaissance.grammar.diagnostics",
        "Resolution": "renaissance.grammar.composition.resolution",
        "Spec": "renaissance.grammar.schema.spec",
        "SpecError": "renaissance.grammar.diagnostics",
        "load": "renaissance.grammar.loading",
        "print_spec": "renaissance.grammar.canonical",
        "resolve": "renaissance.grammar.composition.resolution",
    },
)

"""Renaissance: a declarative model-spec compiler for vision-language encoders.

    import renaissance as rn

    spec = rn.load("quickstart.vl")
    plan = rn.plan(spec)
    model = rn.build(spec)

Names are imported when they are first used, so that `import renaissance` costs nothing.
"""

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

__all__ = [
    "Spec",
    "SpecError",
    "__version__",
    "build",
    "compile",
    "diff",
    "load",
    "plan",
    "run",
]

_HOME = {
    "Spec": "renaissance.grammar",
    "SpecError": "renaissance.grammar.diagnostics",
    "build": "renaissance.compiler",
    "compile": "renaissance.compiler",
    "diff": "renaissance.grammar.loading",
    "load": "renaissance.grammar.loading",
    "plan": "renaissance.planning",
    "run": "renaissance.runtime",
}

if TYPE_CHECKING:
    from renaissance.compiler import build, compile
    from renaissance.grammar import Spec
    from renaissance.grammar.diagnostics import SpecError
    from renaissance.grammar.loading import diff, load
    from renaissance.planning import plan
    from renaissance.runtime import run


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

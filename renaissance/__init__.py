"""Renaissance: a declarative model-spec compiler for vision-language encoders.

    import renaissance as rn

    spec = rn.load("quickstart.vl")
    plan = rn.plan(spec, machine="h100")
    model = rn.build(spec)
    answers = rn.load_run("runs/quickstart").predict([{"text": "a cat?", "image": "cat.jpg"}])

Names are imported when they are first used, so that `import renaissance` costs nothing.
"""

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

__all__ = [
    "CompileError",
    "DataError",
    "Diagnostic",
    "InputError",
    "JobError",
    "SourceError",
    "Spec",
    "SpecError",
    "__version__",
    "build",
    "compile",
    "diff",
    "load",
    "load_run",
    "loads",
    "plan",
    "run",
]

if TYPE_CHECKING:
    from renaissance.building import build, compile
    from renaissance.compiler.errors import CompileError, InputError
    from renaissance.grammar import Spec
    from renaissance.grammar.diagnostics import Diagnostic, SpecError
    from renaissance.grammar.loading import loads
    from renaissance.grammar.source import SourceError
    from renaissance.opening import diff, load
    from renaissance.planning import plan
    from renaissance.runtime import run
    from renaissance.runtime.data.errors import DataError
    from renaissance.runtime.errors import JobError
    from renaissance.runtime.predicting.trained import load_run

_HOMES = {
    "CompileError": "renaissance.compiler.errors",
    "DataError": "renaissance.runtime.data.errors",
    "Diagnostic": "renaissance.grammar.diagnostics",
    "InputError": "renaissance.compiler.errors",
    "JobError": "renaissance.runtime.errors",
    "SourceError": "renaissance.grammar.source",
    "Spec": "renaissance.grammar",
    "SpecError": "renaissance.grammar.diagnostics",
    "build": "renaissance.building",
    "compile": "renaissance.building",
    "diff": "renaissance.opening",
    "load": "renaissance.opening",
    "load_run": "renaissance.runtime.predicting.trained",
    "loads": "renaissance.grammar.loading",
    "plan": "renaissance.planning",
    "run": "renaissance.runtime",
}


def __getattr__(name: str) -> Any:
    from renaissance.grammar.first_use import on_first_use  # who only imports this loads nothing

    return on_first_use(__name__, _HOMES)(name)


def __dir__() -> list[str]:
    return sorted(__all__)

"""The modules that build what a spec declares, and the libraries that they bring along."""

from renaissance.compiler.heads import kinds_of
from renaissance.grammar.kinds.registry import optional_facet
from renaissance.grammar.schema.spec import Spec

_OF_JOBS = ("head", "items", "loss")


def import_modules(spec: Spec) -> None:
    """Import what building and stepping through a spec needs, so that nothing waits for it later.

    Libraries of encoders take seconds to import; a spec that names none of theirs needs none.

    Raises:
        KindError: if a module of another package cannot be imported.
    """
    for model in (*spec.models.values(), *spec.job_models.values()):
        for block in (*model.sources, model.fusion):
            optional_facet(block, "module")
    for name in spec.jobs:
        for kind in kinds_of(spec.training_job(name)).values():
            for facet in _OF_JOBS:
                optional_facet(kind, facet)

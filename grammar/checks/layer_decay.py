"""Do the factors of `decay_lr` reach layers that learn?"""

from renaissance.grammar.anatomy.depth import depth, layers_above, whole_root
from renaissance.grammar.anatomy.model import Anatomy
from renaissance.grammar.anatomy.parts import Leaf
from renaissance.grammar.checks.job_freezing import frozen_leaves
from renaissance.grammar.checks.selecting import no_match
from renaissance.grammar.diagnostics import Diagnostic
from renaissance.grammar.findings import Findings
from renaissance.grammar.names import listing
from renaissance.grammar.places import Places
from renaissance.grammar.schema.jobs import Finetune, Pretrain
from renaissance.grammar.schema.model import Model
from renaissance.grammar.source import Span


def check_decays(
    job: Pretrain | Finetune, model: Model, places: Places, findings: Findings
) -> None:
    """Report factors of what is no stream and no fusion, has no layers, or never learns.

    Args:
        job: the job.
        model: its model, with its overrides.
        places: where everything was said.
        findings: receives what is wrong.
    """
    if not job.decay_lr:
        return
    anatomy = model.anatomy(job.heads())
    frozen = frozen_leaves(model, anatomy)
    for root in job.decay_lr:
        path = ("jobs", job.name, "decay_lr", root)
        span = places.key(path)
        if span is None:
            raise LookupError(f"nothing was said about {path}")
        found = _wrong(root, model.name, anatomy, span) or _useless(root, anatomy, frozen, span)
        if found is not None:
            findings.add(found)


def _wrong(root: str, model: str, anatomy: Anatomy, span: Span) -> Diagnostic | None:
    """Return the finding that something has no layers that rates could decay over."""
    if whole_root(root) is None or root not in anatomy.roots:
        if root.partition(".")[0].partition("[")[0] not in anatomy.roots:
            return no_match("decay_lr", root, model, anatomy, span)
        message = f"`decay_lr` takes whole streams and the fusion, not `{root}`"
        label, help = "a part of one", "`scale_lr` takes parts of them"
    elif layers_above(anatomy, root) == 0:
        message = f"`decay_lr` takes what has layers, and `{root}` has none"
        label, help = (
            "nothing of it stands below anything",
            f"`scale_lr {{ {root} = … }}` scales it",
        )
    else:
        return None
    layered = [name for name in anatomy.roots if layers_above(anatomy, name) != 0]
    return Diagnostic(
        code="VL510",
        message=message,
        span=span,
        label=label,
        help=(help,),
        notes=(f"layers are in {listing(layered)}",) if layered else (),
    )


def _useless(root: str, anatomy: Anatomy, frozen: frozenset[Leaf], span: Span) -> Diagnostic | None:
    """Return the finding that nothing learns below the top of a root."""
    layers = layers_above(anatomy, root)
    if layers is None or not anatomy.known(root):
        return None
    of_root = anatomy.select(root).leaves
    if any(depth(leaf.address, leaf.kinds, layers) for leaf in of_root - frozen):
        return None
    below = "it is" if of_root <= frozen else "its layers and embeddings are"
    return Diagnostic(
        code="VL506",
        message=f"`{root}` has no effect here",
        span=span,
        severity="warning",
        label=f"{below} frozen throughout",
    )

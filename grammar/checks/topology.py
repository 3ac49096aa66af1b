"""Do the parts of a model fit together?"""

from renaissance.grammar.checks.fusing import check_fusing
from renaissance.grammar.checks.joining import check_joined
from renaissance.grammar.checks.model_findings import ModelFindings
from renaissance.grammar.checks.partial import PartialModel
from renaissance.grammar.checks.pooling import check_pool
from renaissance.grammar.checks.sizes import check_dimensions, check_stream
from renaissance.grammar.findings import Findings
from renaissance.grammar.places import Places


def check_parts(parts: PartialModel, places: Places, findings: Findings) -> None:
    """Report what does not fit in a model.

    Args:
        parts: the model, with holes where a part is already known to be wrong.
        places: where everything was said.
        findings: receives what is wrong.
    """
    found = ModelFindings(parts=parts, places=places, findings=findings)
    for name, stream in parts.streams.items():
        if stream is not None:
            check_stream(found, stream, (*parts.path, "streams", name))
    if parts.fusion is not None:
        check_dimensions(found, parts.fusion, (*parts.path, "fusion"))
        if parts.fusion.stack is not None:
            check_dimensions(found, parts.fusion.stack, (*parts.path, "fusion", "encoder"))
    if not parts.broken:
        check_joined(found)
        check_fusing(parts, places, findings)
        check_pool(found)
        if parts.weights is not None:
            from renaissance.grammar.checks.published import check_published

            check_published(found)

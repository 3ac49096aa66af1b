"""What the fusion of a model has to say about its streams."""

from renaissance.grammar.anatomy.encoders import stream_anatomy
from renaissance.grammar.checks.partial import PartialModel
from renaissance.grammar.diagnostics import Diagnostic, Label
from renaissance.grammar.findings import Findings
from renaissance.grammar.kinds.source import modality
from renaissance.grammar.places import Places


def check_fusing(parts: PartialModel, places: Places, findings: Findings) -> None:
    """Report streams that a fusion cannot take as it is declared."""
    if parts.fusion is None:
        return
    path = (*parts.path, "fusion")
    for name in parts.inputs:
        stream = parts.streams.get(name)
        if stream is None:
            continue
        width = stream_anatomy(stream).width
        for remark in parts.fusion.remarks_on(name, modality(stream), width):
            own = None if remark.key is None else places.value((*path, remark.key))
            findings.add(
                Diagnostic(
                    code=remark.code,
                    message=remark.message,
                    span=own or places.key(path) or parts.span,
                    severity=remark.severity,
                    label=remark.label,
                    help=remark.help,
                    related=tuple(
                        Label(span=span, text=text)
                        for key, text in remark.related
                        if places.said((*path, key)) and (span := places.value((*path, key)))
                    ),
                )
            )

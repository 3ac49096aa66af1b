"""Is the tokenizer there that the texts of a job are read with?"""

from pathlib import Path as FilePath

from renaissance.grammar.diagnostics import Diagnostic
from renaissance.grammar.findings import Findings
from renaissance.grammar.kinds.source import modality
from renaissance.grammar.paths import is_folder
from renaissance.grammar.places import Path, Places
from renaissance.grammar.schema.model import Model
from renaissance.grammar.schema.vocabulary import positional_key
from renaissance.grammar.tokenizer_files import absent_tokenizer


def check_tokenizers(model: Model, path: Path, places: Places, findings: Findings) -> None:
    """Warn about folders of encoders whose texts cannot be read, since no tokenizer lies there.

    A plan needs none, and a file may be checked on another machine than that which trains.

    Args:
        model: that a job trains; one that nobody trains needs none.
        path: where it stands in the spec.
        places: where everything was said.
        findings: receives what is wrong.
    """
    for name, stream in model.streams.items():
        if modality(stream) != "text" or stream.tokenizer is None:
            continue
        flaw = absent_tokenizer(FilePath(stream.tokenizer)) if is_folder(stream.tokenizer) else None
        if flaw is None:
            continue
        place = (*path, "streams", name)
        span = places.value((*place, positional_key(type(stream)) or "")) or places.value(place)
        findings.add(
            Diagnostic(
                code="VL520",
                message=flaw.message,
                span=span,  # type: ignore[arg-type]
                severity="warning",
                label="no job can read its texts",
                help=flaw.help,
            )
        )

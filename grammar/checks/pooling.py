"""Has every stream of a model the token that is pooled?"""

from renaissance.grammar.anatomy.architecture import architecture_of
from renaissance.grammar.checks.model_findings import ModelFindings
from renaissance.grammar.diagnostics import Label
from renaissance.grammar.kinds.source import Detected, is_embedding, modality, pools_itself


def check_pool(found: ModelFindings) -> None:
    """Report a first token that is pooled and no class token, of a stream of images."""
    parts = found.parts
    if parts.pool not in ("cls", "first", "last"):
        return
    names = parts.inputs[:1] if parts.pool == "first" else parts.inputs
    for name in names:
        stream = parts.streams.get(name)
        if stream is None or modality(stream) != "vision":
            continue
        known = architecture_of(stream)
        if isinstance(stream, Detected):
            text = "has regions only"
        elif (
            known is None
            or (known.prefix_tokens != 0 and known.class_token is not False)
            or is_embedding(stream)
            or pools_itself(stream)
        ):
            continue
        else:
            has = "register tokens" if known.prefix_tokens else "patches"
            text = f"`{known.id}` has {has} only"
        found.error(
            "VL309",
            f"`pool = {parts.pool}` needs a class token, and `{name}` has none",
            found.value((*parts.path, "pool")),
            "",
            "write `pool = mean`",
            related=(Label(span=found.value((*parts.path, "streams", name)), text=text),),
        )

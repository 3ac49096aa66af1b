"""Write the model of a published folder as a file of the language."""

import re
from pathlib import Path
from typing import Any

from renaissance.grammar.formatter import format_source
from renaissance.grammar.published_models import Part, PublishedModel, spelled
from renaissance.grammar.source import Source
from renaissance.grammar.spelling import is_name

_DEFAULTS: dict[str, Any] = {
    "activation": "gelu",
    "bias": False,
    "boxes": True,
    "cross": "shared",
    "normalise": "half",
    "pool": "cls",
    "pooler": "tanh",
    "type_embedding": True,
}
"""What a file need not say."""


def text_of(model: PublishedModel) -> str:
    """Return a file with a model that computes what the published one does, in canonical layout.

    Args:
        model: as its folder describes it.
    """
    name = re.sub(r"\W", "_", Path(model.folder).resolve().name.lower())
    streams = [
        f"{part.statement} {stream} = {_said(part)}"
        for stream, part in (("text", model.text), ("vision", model.vision))
    ]
    joined = dict(model.fusion.keys)
    stack = "" if model.stack is None else f"encoder = {_said(model.stack)}\n"
    body = stack + _keys(joined)
    fusion = f"fusion {model.fusion_name} = {model.fusion.word}(text, vision) {{\n{body}\n}}"
    text = f"""# The {model.model_type} in the folder that `weights` names, computed as there.
# Heads of these objectives start from it too: {"; ".join(model.heads)}.

model {name if is_name(name) else f"m_{name}"} {{
{chr(10).join(streams)}
{fusion}
{_keys(model.keys)}
weights = "{model.folder}"
}}
"""
    return format_source(Source(name="model.vl", text=text))


def _said(part: Part) -> str:
    body = _keys(part.keys)
    return f"{part.word} {{\n{body}\n}}" if body else part.word


def _keys(keys: dict[str, Any]) -> str:
    stated = {key: said for key, said in keys.items() if _DEFAULTS.get(key) != said}
    return "\n".join(f"{key} = {spelled(said)}" for key, said in stated.items())

"""What stands at the end of a line though nobody wrote it: sizes, and what of a part learns."""

from collections.abc import Iterator

from lsprotocol import types

from renaissance.editor.documents import Analysis
from renaissance.editor.places import Columns
from renaissance.grammar import tree
from renaissance.grammar.anatomy.architecture import architecture_of
from renaissance.grammar.anatomy.counting import parameters_of
from renaissance.grammar.anatomy.model import Anatomy
from renaissance.grammar.anatomy.parts import Leaf
from renaissance.grammar.catalogue.lookup import bare_name
from renaissance.grammar.catalogue.timm_models import timm_model
from renaissance.grammar.kinds.source import Shortened
from renaissance.grammar.schema.model import Model
from renaissance.grammar.schema.spec import Spec


def hints(analysis: Analysis, spec: Spec, columns: Columns) -> Iterator[types.InlayHint]:
    """Yield a hint for each part of a model and for each job that trains one.

    Args:
        analysis: of the text.
        spec: what the text means; while it has errors, what it meant last.
        columns: how places are counted.
    """
    for statement in analysis.statements:
        if not isinstance(statement, tree.Declaration) or statement.name is None:
            continue
        name = statement.name.text
        if statement.keyword.text == "model" and name in spec.models:
            model = spec.models[name]
            for part in statement.body.statements if statement.body else ():
                if isinstance(part, tree.Declaration):
                    yield from _hint(part, _about_part(model, part), analysis, columns)
        elif statement.keyword.text in ("pretrain", "finetune") and name in spec.jobs:
            yield from _hint(statement, _about_job(spec, name), analysis, columns)


def _hint(
    statement: tree.Declaration, text: str, analysis: Analysis, columns: Columns
) -> Iterator[types.InlayHint]:
    if not text:
        return
    line, _ = analysis.source.position(statement.span.start)
    code = analysis.source.line(line).partition("#")[0].rstrip()
    offset = analysis.source.line_starts[line - 1] + len(code)
    yield types.InlayHint(
        position=columns.position(analysis.source, offset), label=text, padding_left=True
    )


def _about_part(model: Model, part: tree.Declaration) -> str:
    """Say sizes that the statement does not, and what is frozen; nothing of an unknown part."""
    anatomy = model.anatomy()
    if part.name is None or part.name.text not in anatomy.roots:
        return ""
    root, said = part.name.text, []
    body = part.value.body if isinstance(part.value, tree.Call) else part.body
    keys = (key for key in (body.statements if body else ()) if isinstance(key, tree.Assignment))
    written = {key.address.span.text for key in keys}
    layers, width = anatomy.layers(root), anatomy.width(root) if root in anatomy.streams else None
    if layers and "layers" not in written:
        said.append(f"{layers} layers" if layers > 1 else "1 layer")
    if width is not None and "width" not in written:
        said.append(f"{width} wide")
    said += (_parameters(model, root), _share(model, anatomy, root))
    return ", ".join(filter(None, said))


def _parameters(model: Model, root: str) -> str:
    """Say how many parameters an encoder with published weights has, where nothing is built."""
    block = model.streams.get(root)
    if not isinstance(block, Shortened) or block.identifier is None:
        return ""
    if block.library == "timm":
        found = timm_model(bare_name(block.identifier).partition(".")[0])
        number = None if found is None or block.layers is not None else found.parameters
    else:
        known = architecture_of(block)
        size = getattr(block, "image_size", None)
        number = (
            None if known is None else parameters_of(known, image_size=size, layers=block.layers)
        )
    return "" if number is None else f"{number / 1e6:.3g}M parameters"


def _about_job(spec: Spec, name: str) -> str:
    model = spec.model_of(name)
    anatomy = model.anatomy()
    roots = [root for root in anatomy.roots if root not in ("pool", "heads")]
    shares = {root: _share(model, anatomy, root) for root in roots}
    return "; ".join(f"{root} {share}" for root, share in shares.items() if share)


def _share(model: Model, anatomy: Anatomy, root: str) -> str:
    """Say what of a part is frozen: all, some of its layers, some of its parameters, or nothing."""
    own = anatomy.select(root).leaves
    held: frozenset[Leaf] = frozenset()
    later: frozenset[Leaf] = frozenset()
    for directive in model.frozen:
        leaves = anatomy.selected(directive.selectors, directive.excluded) & own
        held |= leaves
        if directive.until is not None:
            later |= leaves
    adapted = any(anatomy.selected(one.selectors, one.excluded) & own for one in model.adapt)
    if not held:
        return ""
    until = " at first" if held & later else ""
    plain = frozenset(leaf for leaf in own if not leaf.adapts)
    if plain <= held:
        return "learns through adapters" if adapted else f"frozen{until}"
    layers = anatomy.layers(root) or 0
    whole = sum(
        1
        for index in range(layers)
        if (layer := anatomy.select(f"{root}.layers[{index}]").leaves) and layer <= held
    )
    if whole:
        return f"{whole} of {layers} layers frozen{until}"
    return f"partly frozen{until}"

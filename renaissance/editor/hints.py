"""What stands at the end of a line though nobody wrote it: sizes, and what of a part learns."""

from collections.abc import Iterator

from lsprotocol import types

from renaissance.editor.documents import Analysis
from renaissance.editor.places import Columns
from renaissance.grammar import tree
from renaissance.grammar.anatomy.model import Anatomy
from renaissance.grammar.anatomy.parts import Leaf
from renaissance.grammar.parser import parse
from renaissance.grammar.schema.model import Model
from renaissance.grammar.schema.spec import Spec


def hints(analysis: Analysis, columns: Columns) -> Iterator[types.InlayHint]:
    """Yield a hint for each part of a model and for each job that trains one.

    There is none while the file has errors.
    """
    spec = analysis.resolution.spec
    if spec is None:
        return
    for statement in parse(analysis.source)[0].statements:
        if not isinstance(statement, tree.Declaration) or statement.name is None:
            continue
        name = statement.name.text
        if statement.keyword.text == "model" and name in spec.models:
            model = spec.models[name]
            for part in statement.body.statements if statement.body else ():
                if isinstance(part, tree.Declaration) and part.name is not None:
                    yield _hint(part, _about_part(model, part.name.text), analysis, columns)
        elif statement.keyword.text in ("pretrain", "finetune") and name in spec.jobs:
            yield _hint(statement, _about_job(spec, name), analysis, columns)


def _hint(
    statement: tree.Declaration, text: str, analysis: Analysis, columns: Columns
) -> types.InlayHint:
    line, _ = analysis.source.position(statement.span.start)
    code = analysis.source.line(line).partition("#")[0].rstrip()
    offset = analysis.source.line_starts[line - 1] + len(code)
    return types.InlayHint(
        position=columns.position(analysis.source, offset), label=text, padding_left=True
    )


def _about_part(model: Model, root: str) -> str:
    anatomy = model.anatomy()
    said = []
    layers = anatomy.layers(root)
    if layers:
        said.append(f"{layers} layers" if layers > 1 else "1 layer")
    if root in anatomy.streams and (width := anatomy.width(root)) is not None:
        said.append(f"{width} wide")
    said.append(_share(model, anatomy, root))
    return ", ".join(said)


def _about_job(spec: Spec, name: str) -> str:
    model = spec.model_of(name)
    anatomy = model.anatomy()
    roots = [root for root in anatomy.roots if root not in ("pool", "heads")]
    shares = {root: _share(model, anatomy, root) for root in roots}
    frozen = [f"{root} {share}" for root, share in shares.items() if share != "learns"]
    return "; ".join(frozen) if frozen else "everything learns"


def _share(model: Model, anatomy: Anatomy, root: str) -> str:
    """Say what of a part is frozen: all, some of its layers, or some of its parameters."""
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
        return "learns"
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

"""Read the values of a composed draft into a model of the schema."""

from renaissance.grammar import tree
from renaissance.grammar.anatomy.encoders import stack_anatomy
from renaissance.grammar.checks.partial import PartialModel
from renaissance.grammar.composition.drafts import assignments, plain_text
from renaissance.grammar.composition.encoders import complete_stack, complete_stream
from renaissance.grammar.composition.model_drafts import ModelDraft
from renaissance.grammar.composition.reader import Reader
from renaissance.grammar.composition.values import FAILED
from renaissance.grammar.kinds.fusion import FusionBlock
from renaissance.grammar.kinds.registry import Kinds
from renaissance.grammar.kinds.source import Position, SourceBlock, is_embedding
from renaissance.grammar.places import Path
from renaissance.grammar.schema.model import Adapt, Freeze, Model
from renaissance.grammar.schema.vocabulary import Kind, keys_of, kind_of, sources


def read_model(draft: ModelDraft, path: Path, reader: Reader) -> PartialModel:
    """Read every value of a draft.

    Args:
        draft: the model as files state it.
        path: where it stands in the spec.
        reader: knows names, receives findings and places.
    """
    findings, places = reader.findings, reader.places
    places.put(path, draft.name.span, draft.name.span)
    sound = True
    streams: dict[str, SourceBlock | None] = {}
    for name, stream in draft.streams.items():
        where = (*path, "streams", name)
        places.put(where, stream.name.span, stream.name.span)
        block = None
        if stream.choice is not None:
            position: Position = "embed" if stream.keyword.text == "embed" else "backbone"
            block = reader.part(stream.choice, sources(position), where, position)
        if block is not None:
            block = complete_stream(block, where, places, findings)  # type: ignore[arg-type]
        streams[name] = block
    fusion = _fusion(draft, path, reader)
    fusion = _embedding_widths(fusion, streams, path, reader)
    keys: dict[str, object] = {}
    for name, info in keys_of(Model).items():
        if name not in draft.keys:
            keys[name] = info.default
            continue
        setting = draft.keys[name]
        value = reader.value(
            setting.value, kind_of(info), "", (*path, name), key=name, place=setting.place
        )
        sound &= value is not FAILED
        keys[name] = None if value is FAILED else value
    freeze, adapt = _directives(draft, path, reader)
    return PartialModel(
        name=draft.name.text,
        path=path,
        span=draft.name.span,
        streams=streams,
        embedded=frozenset(n for n, s in draft.streams.items() if s.keyword.text == "embed"),
        fusion_name=draft.fusion_name.text if draft.fusion_name else "",
        fusion=fusion,
        inputs=_inputs(draft),
        pool=keys["pool"],  # type: ignore[arg-type]
        pooler=keys["pooler"],  # type: ignore[arg-type]
        weights=keys["weights"],  # type: ignore[arg-type]
        attention=keys["attention"],  # type: ignore[arg-type]
        lower=keys["lower"],  # type: ignore[arg-type]
        freeze=freeze,
        adapt=adapt,
        broken=draft.broken,
        sound=sound and len(freeze) == len(draft.freeze) and len(adapt) == len(draft.adapt),
    )


def _fusion(draft: ModelDraft, path: Path, reader: Reader) -> FusionBlock | None:
    if draft.fusion is None or draft.fusion_name is None:
        return None
    where = (*path, "fusion")
    reader.places.put((*path, "fusion_name"), draft.fusion_name.span, draft.fusion_name.span)
    for index, argument in enumerate(draft.fusion.arguments or ()):
        reader.places.put((*where, "inputs", index), argument.span, argument.span)
    block = reader.part(draft.fusion, Kinds(FusionBlock), where, "fusion")
    if not isinstance(block, FusionBlock) or block.stack is None:
        return block  # type: ignore[return-value]
    stack = complete_stack(block.stack, (*where, "encoder"), reader.places, reader.findings)
    return None if stack is None else block.with_stack(stack)


def _inputs(draft: ModelDraft) -> tuple[str, ...]:
    arguments = draft.fusion.arguments if draft.fusion else None
    return tuple(
        argument.value if isinstance(argument, tree.Text) else plain_text(argument)
        for argument in arguments or ()
        if isinstance(argument, tree.Address | tree.Text)
    )


def _embedding_widths(
    fusion: FusionBlock | None, streams: dict[str, SourceBlock | None], path: Path, reader: Reader
) -> FusionBlock | None:
    """Embeddings without a width of their own take the width of the layers behind them."""
    if fusion is None:
        return fusion
    width = getattr(fusion, "width", None) if fusion.embeds_first else None
    if fusion.stack is not None:
        width = stack_anatomy(fusion.stack).width
    for name, stream in streams.items():
        if stream is None or not is_embedding(stream) or width is None:
            continue
        if getattr(stream, "width", width) is None:
            streams[name] = stream.model_copy(update={"width": width})
            reader.places.derived[*path, "streams", name, "width"] = (
                "from the stack" if fusion.stack is not None else "from the fusion"
            )
    return fusion


def _directives(
    draft: ModelDraft, path: Path, reader: Reader
) -> tuple[tuple[Freeze, ...], tuple[Adapt, ...]]:
    """Return the directives of a model that can be read."""
    freeze = [
        _freeze(statement, (*path, "freeze", index), reader, draft)
        for index, statement in enumerate(draft.freeze)
    ]
    adapt = [
        _adapt(statement, (*path, "adapt", index), reader, draft)
        for index, statement in enumerate(draft.adapt)
    ]
    return tuple(one for one in freeze if one), tuple(one for one in adapt if one)


def _freeze(statement: tree.Freeze, path: Path, reader: Reader, draft: ModelDraft) -> Freeze | None:
    places = reader.places
    places.put(path, statement.span, statement.span)
    until = statement.until
    moment: object = None
    if until is not None:
        kind = Kind(count=True, share=True)
        moment = reader.value(until, kind, "steps", (*path, "until"), key="until", place=until.span)
        if moment is FAILED:
            return None
    selected = {**_selected(statement, path, reader, draft), "until": moment}
    if moment is None and statement.body is None:
        return reader.directive(Freeze, selected)  # type: ignore[return-value]
    keys, broken = assignments(statement.body, reader.findings)
    return reader.block(  # type: ignore[return-value]
        Freeze,
        keys,
        path,
        where=statement.span,
        what="`freeze`",
        broken=broken,
        fixed=selected,
    )


def _adapt(statement: tree.Freeze, path: Path, reader: Reader, draft: ModelDraft) -> Adapt | None:
    reader.places.put(path, statement.span, statement.span)
    selected = _selected(statement, path, reader, draft)
    if statement.body is None:
        return reader.directive(Adapt, selected)  # type: ignore[return-value]
    keys, broken = assignments(statement.body, reader.findings)
    return reader.block(  # type: ignore[return-value]
        Adapt, keys, path, where=statement.span, what="`adapt`", broken=broken, fixed=selected
    )


def _selected(
    statement: tree.Freeze, path: Path, reader: Reader, draft: ModelDraft
) -> dict[str, object]:
    """Return the selectors of a directive and its exceptions, and note where they stand."""
    selected: dict[str, object] = {}
    for field, addresses in (("selectors", statement.selectors), ("excluded", statement.excluded)):
        for index, address in enumerate(addresses):
            reader.places.put((*path, field, index), address.span, address.span)
        selected[field] = tuple(_canonical(address, draft) for address in addresses)
    return selected


def _canonical(address: tree.Address, draft: ModelDraft) -> str:
    """Return the one spelling of a selector: `fusion` stands for the fusion's own name."""
    return with_fusion_name(
        plain_text(address), draft.fusion_name.text if draft.fusion_name else None
    )


def with_fusion_name(address: str, fusion_name: str | None) -> str:
    """Return an address whose root is the fusion's name where it says `fusion`."""
    if fusion_name is None:
        return address
    for end in ("", ".", "["):
        if address == "fusion" + end or (end and address.startswith("fusion" + end)):
            return fusion_name + address.removeprefix("fusion")
    return address

"""Values that are set from outside of a file: `--set base.batch=64`."""

from collections.abc import Mapping

from renaissance.grammar import tree
from renaissance.grammar.composition.scope import SETTINGS, Scope
from renaissance.grammar.diagnostics import Diagnostic
from renaissance.grammar.findings import Findings
from renaissance.grammar.kinds.data import FormatBlock
from renaissance.grammar.kinds.registry import KindError, Kinds
from renaissance.grammar.names import listing, suggestion
from renaissance.grammar.parser import parse
from renaissance.grammar.record import replace
from renaissance.grammar.schema.model import Model
from renaissance.grammar.schema.study import StudyKeys
from renaissance.grammar.schema.vocabulary import JOBS, keys_of, spelling_of
from renaissance.grammar.source import Source
from renaissance.grammar.spelling import quoted

Settings = Mapping[str, str]
"""Values by address, as a file spells them; texts may do without quotes."""

_BLOCKS_OF_A_JOB = ("model", "optimizer", "schedule", "objective", "augment")


def apply_settings(scope: Scope, settings: Settings, findings: Findings) -> None:
    """Lay values over what the files of a scope declare.

    Args:
        scope: what they declare; changed in place.
        settings: values by address: `base.batch`, `shapes.vision.image_size`, or the name of a
            value that `let` defines.
        findings: told of addresses and values that cannot be read, and of names that are not there.
    """
    if not settings:
        return
    lines = (f"{address} = {_spelled(value)}\n" for address, value in settings.items())
    file, found = parse(Source(name=SETTINGS, text="".join(lines)))
    findings.extend(found)
    for statement in file.statements:
        if isinstance(statement, tree.Assignment):
            change(scope, statement, findings)


def change(scope: Scope, statement: tree.Assignment, findings: Findings) -> None:
    """Lay one value over what a scope declares.

    Args:
        scope: what is declared; changed in place.
        statement: the address, which starts with the name of a block or is that of a named value,
            and the value.
        findings: told of a name that is not there.
    """
    root, *rest = statement.address.parts
    if not isinstance(root, tree.Name):
        return
    if not rest:
        let = scope.lets.get(root.text)
        if let is None:
            findings.add(_no_value(root, scope))
        else:
            scope.lets[root.text] = replace(let, value=statement.value)
        return
    what = block_of(root, rest[0], scope, findings)
    if what is not None:
        inner = tree.Address(span=statement.address.span, parts=tuple(rest))
        assignment = tree.Assignment(span=statement.span, address=inner, value=statement.value)
        body = tree.Body(span=statement.span, statements=(assignment,))
        scope.set_from_outside(what, root.text, body)


def block_of(
    name: tree.Name, key: "tree.Name | tree.Slice | None", scope: Scope, findings: Findings
) -> str | None:
    """Return which kind of block a name stands for: `job`, `model` or `data`.

    Args:
        name: of the block.
        key: the first one of the address inside it, which tells blocks of one name apart.
        scope: what is declared.
        findings: told where there is no such block, or more than one.
    """
    declared = {
        "job": scope.jobs,
        "model": scope.models,
        "data": scope.data,
        "study": scope.studies,
    }
    found = [what for what, names in declared.items() if name.text in names]
    if len(found) > 1 and isinstance(key, tree.Name):
        found = [w for w in found if _has(declared[w][name.text], w, key.text)] or found
    if len(found) == 1:
        return found[0]
    if found:
        findings.add(
            Diagnostic(
                code="VL104",
                message=f"`{name.text}` may be several blocks",
                span=name.span,
                label="is " + listing(found, between=" and "),
                help=("give them names of their own",),
            )
        )
    elif not scope.incomplete:
        known = tuple(block for names in declared.values() for block in names)
        findings.add(
            Diagnostic(
                code="VL104",
                message=f"there is no job, model, data or study named `{name.text}`",
                span=name.span,
                help=suggestion(name.text, known, "a block"),
                notes=(f"there is {listing(known)}",) if known else (),
            )
        )
    return None


def _has(block: tree.Declaration, what: str, key: str) -> bool:
    """Tell whether a block has a key, or a component, of this name."""
    word = block.keyword.text
    if what == "study":
        return key in StudyKeys.model_fields
    if what == "job":
        return key in _BLOCKS_OF_A_JOB or key in keys_of(JOBS[word])
    statements = block.body.statements if block.body else ()
    if what == "model":
        parts = {s.name.text for s in statements if isinstance(s, tree.Declaration) and s.name}
        return key in keys_of(Model) or key == "fusion" or key in parts
    stated = (s.address.span.text for s in statements if isinstance(s, tree.Assignment))
    return key in stated or any(
        key == spelling_of(name, info)
        for format in _formats()
        for name, info in keys_of(format).items()
    )


def _formats() -> tuple[type[FormatBlock], ...]:
    try:
        return tuple(Kinds(FormatBlock).values())
    except KindError:
        return ()


def _no_value(name: tree.Name, scope: Scope) -> Diagnostic:
    blocks = {**scope.jobs, **scope.models, **scope.data}
    inside = (f"an address goes on to a key: `{name.text}.…`",) if name.text in blocks else ()
    return Diagnostic(
        code="VL104",
        message=f"there is no value named `{name.text}`",
        span=name.span,
        help=inside or suggestion(name.text, {**scope.lets, **blocks}, "a name"),
        notes=("values are named by `let`; keys of blocks are set by address, as `base.batch`",),
    )


def _spelled(value: str) -> str:
    """Return a value as a file spells it: in quotes where it is nothing else."""
    file, found = parse(Source(name=SETTINGS, text=f"let value = {value}\n"))
    alone = len(file.statements) == 1 and isinstance(file.statements[0], tree.Let)
    plain = alone and not found and not {"\n", "#"} & set(value)
    return value if plain else quoted(value)

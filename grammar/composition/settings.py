"""Values that are set from outside of a file: `--set base.batch=64`."""

import re
from collections.abc import Iterable, Mapping

from renaissance.grammar import tree
from renaissance.grammar.borrowed import ours
from renaissance.grammar.composition.mistakes import home_of
from renaissance.grammar.composition.scope import SETTINGS, Scope
from renaissance.grammar.declaration import Block
from renaissance.grammar.diagnostics import Diagnostic
from renaissance.grammar.findings import Findings
from renaissance.grammar.kinds.data import FormatBlock
from renaissance.grammar.kinds.optimizer import OptimizerBlock
from renaissance.grammar.kinds.registry import KindError, Kinds
from renaissance.grammar.names import FEW, listing, suggestion
from renaissance.grammar.record import replace
from renaissance.grammar.schema.model import Model
from renaissance.grammar.schema.study import StudyKeys
from renaissance.grammar.schema.vocabulary import JOBS, keys_of, kind_of, spelling_of
from renaissance.grammar.source import Source, Span
from renaissance.grammar.spelling import quoted
from renaissance.grammar.syntax.parser import parse

Settings = Mapping[str, str]
"""Values by address, as a file spells them; texts may do without quotes."""

_DIRECTIVE = re.compile(r"[A-Za-z_]\w*(?:\.model)?\.(?:freeze|adapt)")
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
    settings = {a: _without_comment(a, v, findings) for a, v in settings.items()}
    keys = {a: v for a, v in settings.items() if not _DIRECTIVE.fullmatch(a)}
    lines = (f"{address} = {_spelled(address, value)}\n" for address, value in keys.items())
    file, found = parse(Source(name=SETTINGS, text="".join(lines)))
    findings.extend(found)
    for statement in file.statements:
        if isinstance(statement, tree.Assignment):
            change(scope, statement, findings)
    for address in settings.keys() - keys.keys():
        _direct(scope, address, settings[address], findings)


def _direct(scope: Scope, address: str, value: str, findings: Findings) -> None:
    """Lay `base.model.freeze = vision` over a scope, which a file says with a statement."""
    *path, verb = address.split(".")
    selectors = value.strip()
    if selectors.startswith("[") and selectors.endswith("]"):
        selectors = selectors[1:-1].strip()  # those of a layer stay
    said = f"{verb} {'nothing' if selectors in ('', 'none', 'null') else selectors}"
    file, found = parse(Source(name=SETTINGS, text=f"{said}\n"))
    findings.extend(found[:1])  # of one value, the rest follows from it
    source = Source(name=SETTINGS, text=f"{address} = {value}\n")
    places = re.finditer(r"\w+", address)
    names = [
        tree.Name(span=Span(source=source, start=one.start(), end=one.end()), text=one[0])
        for one in places
    ]
    what = block_of(names[0], None, scope, findings)
    if what is None or found:
        return
    if what != ("job" if len(path) > 1 else "model"):
        findings.add(_no_model(names[0], verb, selectors, scope))
        return
    body = tree.Body(span=file.span, statements=file.statements)
    for inner in names[-2:0:-1]:
        block = tree.Declaration(
            span=file.span, keyword=inner, name=None, relations=(), value=None, body=body
        )
        body = tree.Body(span=file.span, statements=(block,))
    scope.set_from_outside(what, names[0].text, body)


def _without_comment(address: str, value: str, findings: Findings) -> str:
    """Return a value without a comment behind it, which is a finding: it may belong to a text."""
    before, sign, _ = value.partition("#")
    before = before.strip()
    if not sign or not before:
        return value
    said = _said(before)
    text = said is None or isinstance(said, tree.Address | tree.Text)
    if text and not _DIRECTIVE.fullmatch(address):
        return value
    source = Source(name=SETTINGS, text=f"{address} = {value}\n")
    start = source.text.index("#", len(address))
    findings.add(
        Diagnostic(
            code="VL002",
            message="a comment stands behind a value that is set",
            span=Span(source=source, start=start, end=len(source.text) - 1),
            help=(f"leave it out: `{address}={before}`",),
        )
    )
    return before


def unknown_settings(findings: Iterable[Diagnostic]) -> frozenset[str]:
    """Return the addresses that are set and that start with a name which is not there."""
    return frozenset(
        finding.span.source.line(finding.span.source.position(finding.span.start)[0])
        .partition("=")[0]
        .strip()
        for finding in findings
        if finding.code == "VL104"
        and finding.span.source.name == SETTINGS
        and finding.message.startswith(("there is no value named", "there is no job, model"))
    )


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
                message=f"there is no job, model, data or study named `{name.text}`"
                + _in_file(name, scope),
                span=name.span,
                help=suggestion(name.text, known, "a block") or _of_a_job(name, key, scope),
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


def _takes_list(key: str, value: str) -> bool:
    """Tell whether a key takes a list of plain values; of kinds only where there are several."""
    blocks: list[type[Block]] = [*JOBS.values(), StudyKeys]
    if "," in value:
        blocks.extend(Kinds(OptimizerBlock).values())
    items = (kind_of(keys_of(block)[key]).item for block in blocks if key in keys_of(block))
    return any(item is not None and not item.blocks for item in items)


def _formats() -> tuple[type[FormatBlock], ...]:
    try:
        return tuple(Kinds(FormatBlock).values())
    except KindError:
        return ()


def _no_value(name: tree.Name, scope: Scope) -> Diagnostic:
    blocks = {**scope.jobs, **scope.models, **scope.data}
    inside = (f"an address goes on to a key: `{name.text}.…`",) if name.text in blocks else ()
    meant = addresses_of(name.text, scope)
    address = (f"set the key of a block: {listing(meant, most=FEW)}",) if meant else ()
    return Diagnostic(
        code="VL104",
        message=f"there is no value named `{name.text}`" + _in_file(name, scope),
        span=name.span,
        help=inside or address or suggestion(name.text, {**scope.lets, **blocks}, "a name"),
        notes=("values are named by `let`; keys of blocks are set by address, as `base.batch`",),
    )


def _in_file(name: tree.Name, scope: Scope) -> str:
    """Return in which file something is not there that is set from outside of all files."""
    return f" in {scope.main}" if name.span.source.name == SETTINGS else ""


def _of_a_job(
    name: tree.Name, key: "tree.Name | tree.Slice | None", scope: Scope
) -> tuple[str, ...]:
    """Say where an address starts that begins with a block of a job: `optimizer.lr`."""
    if name.text not in _BLOCKS_OF_A_JOB or not scope.jobs:
        return ()
    inner = f".{key.text}" if isinstance(key, tree.Name) else ""
    return (f"an address starts with a job: `{next(iter(scope.jobs))}.{name.text}{inner}`",)


def _no_model(name: tree.Name, verb: str, selectors: str, scope: Scope) -> Diagnostic:
    """Explain a `freeze` that is set for a block which has none."""
    job = name.text if name.text in scope.jobs else next(iter(scope.jobs), "JOB")
    return Diagnostic(
        code="VL108",
        message=f"`{name.text}` has no `{verb}`",
        span=name.span,
        help=(f"set that of the model of a job: `{job}.model.{verb}={selectors}`",),
    )


def addresses_of(key: str, scope: Scope) -> tuple[str, ...]:
    """Return the addresses at which blocks of a scope have a key, also one that others call so."""
    found: list[str] = []
    for meant in (key, *ours(key)):
        for name, job in scope.jobs.items():
            kind = JOBS[job.keyword.text]
            if meant in keys_of(kind):
                found.append(f"{name}.{meant}")
            elif home := home_of(kind, meant):
                family, word = home.split()
                inner = f"{family}.{word}" if family == "objective" else family
                found.append(f"{name}.{inner}.{meant}")
        if found:
            break
    return tuple(found)


def _spelled(address: str, value: str) -> str:
    """Return a value as a file spells it: in quotes where it is nothing else.

    A shell has no use for brackets: `0,1`, and a value alone, is a list where a key takes one.
    """
    key = address.rpartition(".")[2].strip()
    if not value.startswith("[") and value not in ("none", "null") and _takes_list(key, value):
        value = f"[{value}]"
    if _said(value) is not None:
        return value
    if value.startswith("[") and value.endswith("]"):
        items = (item.strip() for item in value[1:-1].split(","))
        return f"[{', '.join(item if _said(item) else quoted(item) for item in items)}]"
    return quoted(value)


def _said(value: str) -> tree.Value | None:
    """Return the value that a text is as it stands; None for others."""
    file, found = parse(Source(name=SETTINGS, text=f"let value = {value}\n"))
    match file.statements:
        case (tree.Let(value=said),) if not found and said.span.text == value:
            return said
    return None

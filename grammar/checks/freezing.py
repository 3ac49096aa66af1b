"""Does what is frozen mean something?"""

from renaissance.grammar.anatomy.model import Anatomy, Selected
from renaissance.grammar.anatomy.parts import Leaf
from renaissance.grammar.anatomy.selectors import KINDS
from renaissance.grammar.checks.caching import check_caching
from renaissance.grammar.checks.partial import PartialModel
from renaissance.grammar.checks.selecting import beyond_layers, no_match
from renaissance.grammar.declaration import Share
from renaissance.grammar.diagnostics import Diagnostic, Edit, Label
from renaissance.grammar.findings import Findings
from renaissance.grammar.names import listing
from renaissance.grammar.places import Path, Places
from renaissance.grammar.record import Record
from renaissance.grammar.schema.model import Freeze
from renaissance.grammar.source import Span


def check_freezing(parts: PartialModel, places: Places, findings: Findings) -> None:
    """Report directives of a model that mean nothing.

    Args:
        parts: the model, with holes where a part is already known to be wrong.
        places: where everything was said.
        findings: receives what is wrong.
    """
    if not parts.freeze:
        return
    check = _Check(parts, places, findings)
    for index, directive in enumerate(parts.freeze):
        check.directive(index, directive)
    check.redundant()


class _Unit(Record):
    """One selector of one directive: what it freezes, and until when."""

    index: int
    position: int
    leaves: frozenset[Leaf]
    until: Share | int | None


class _Check:
    """Looks at the directives of a model, first each alone, then against each other."""

    def __init__(self, parts: PartialModel, places: Places, findings: Findings) -> None:
        self._parts = parts
        self._places = places
        self._findings = findings
        self._anatomy = Anatomy(
            parts.streams,
            parts.inputs or tuple(parts.streams),
            parts.fusion_name,
            parts.fusion,
            parts.pool or "cls",
            parts.pooler or "tanh",
        )
        self._units: list[_Unit] = []
        # By directive and position, what each exclusion leaves to learn.
        self._spared: dict[tuple[int, int], frozenset[Leaf]] = {}

    def directive(self, index: int, directive: Freeze) -> None:
        """Report what is wrong with one directive by itself."""
        where = (*self._parts.path, "freeze", index)
        selected = self._selected(directive.selectors, (*where, "selectors"))
        excluded = self._selected(directive.excluded, (*where, "excluded"))
        if selected is None or excluded is None:
            return
        self._until(directive, where)
        check_caching(directive, self._parts.streams, where, self._places, self._findings)
        if not all(found.certain for found in (*selected, *excluded)):
            for position in _surely_outside(directive):
                self._outside(directive, where, position)
            return
        chosen = frozenset[Leaf]().union(*(found.leaves for found in selected))
        spared = frozenset[Leaf]().union(*(found.leaves for found in excluded))
        outside = [position for position, one in enumerate(excluded) if not one.leaves & chosen]
        for position in outside:
            self._outside(directive, where, position)
        if outside:
            return
        for position, one in enumerate(selected):
            if one.leaves <= spared:
                self._nothing_left(directive, where, position)
        self._spared |= {
            (index, position): one.leaves & chosen for position, one in enumerate(excluded)
        }
        self._units += (
            _Unit(index=index, position=position, leaves=one.leaves - spared, until=directive.until)
            for position, one in enumerate(selected)
        )

    def redundant(self) -> None:
        """Report what is frozen by something else for at least as long, and what is not spared."""
        needed = list(self._units)
        void: list[tuple[_Unit, _Unit]] = []
        for unit in reversed(self._units):
            others = [other for other in needed if other is not unit and _as_long(other, unit)]
            if unit.leaves and unit.leaves <= frozenset[Leaf]().union(*(o.leaves for o in others)):
                needed.remove(unit)
                void.append((unit, next(o for o in others if o.leaves & unit.leaves)))
        for unit, cause in reversed(void):
            self._void(unit, cause, [other for other, _ in void])
        for (index, position), leaves in self._spared.items():
            own = self._parts.freeze[index]
            others = [
                unit
                for unit in self._units
                if unit.index != index and (unit.until is None or unit.until == own.until)
            ]
            if leaves <= frozenset[Leaf]().union(*(other.leaves for other in others)):
                self._not_spared(index, position, next(o for o in others if o.leaves & leaves))

    def _selected(self, selectors: tuple[str, ...], where: Path) -> list[Selected] | None:
        """Return what selectors mean; None if one means nothing."""
        found = []
        failed = False
        for index, selector in enumerate(selectors):
            one = self._anatomy.select(selector)
            span = _span(self._places, (*where, index))
            if not one.leaves:
                failed = True
                self._findings.add(
                    no_match("freeze", selector, self._parts.name, self._anatomy, span)
                )
            else:
                self._findings.extend(beyond_layers(selector, self._anatomy, span))
            found.append(one)
        return None if failed else found

    def _outside(self, directive: Freeze, where: Path, position: int) -> None:
        name, frozen = directive.excluded[position], listing(directive.selectors)
        alone = len(directive.excluded) == 1
        self._findings.add(
            Diagnostic(
                code="VL203",
                message="`except` leaves out nothing"
                if alone
                else f"`{name}` is not part of {frozen}",
                span=_span(self._places, (*where, "excluded", position)),
                label=f"not part of {frozen}" if alone else "what follows `except` keeps learning",
                help=(f"to freeze it as well, write `freeze {name}` on a line of its own",)
                if name.partition(".")[0] in self._anatomy.roots
                else (),
                edits=() if alone else self._on_its_own(where, position, name),
            )
        )

    def _on_its_own(self, where: Path, position: int, name: str) -> tuple[Edit, ...]:
        """Return the edits that take one of several exclusions out and freeze it by itself."""
        spans = [
            _span(self._places, (*where, "excluded", other)) for other in (position - 1, position)
        ]
        whole = _span(self._places, where)
        if position == 0:
            return ()
        left_out = Span(source=whole.source, start=spans[0].end, end=spans[1].end)
        line = whole.source.text.rfind("\n", 0, whole.start) + 1
        indent = whole.source.text[line : whole.start]
        behind = Span(source=whole.source, start=whole.end, end=whole.end)
        if indent.strip():
            return ()
        return (
            Edit(span=left_out, text=""),
            Edit(span=behind, text=f"\n{indent}freeze {name}"),
        )

    def _nothing_left(self, directive: Freeze, where: Path, position: int) -> None:
        alone = len(directive.selectors) == 1
        name = directive.selectors[position]
        self._findings.add(
            Diagnostic(
                code="VL206",
                message="`except` leaves nothing to freeze"
                if alone
                else f"`except` leaves nothing of `{name}` to freeze",
                span=_span(self._places, (*where, "excluded", 0)),
                label=f"covers all of `{name}`",
            )
        )

    def _void(self, unit: _Unit, cause: _Unit, void: list[_Unit]) -> None:
        directive = self._parts.freeze[unit.index]
        where = (*self._parts.path, "freeze", unit.index)
        siblings = {other.position for other in void if other.index == unit.index}
        whole = siblings == set(range(len(directive.selectors)))
        if whole and unit.position != 0:
            return
        selector = directive.selectors[unit.position]
        self._findings.add(
            Diagnostic(
                code="VL206",
                message="this `freeze` has no effect"
                if whole
                else f"`{selector}` in this `freeze` has no effect",
                span=_span(self._places, where)
                if whole
                else _span(self._places, (*where, "selectors", unit.position)),
                severity="warning",
                label="all of it is frozen already",
                related=(Label(span=self._said(cause), text="frozen here"),),
                help=("leave it out",),
            )
        )

    def _not_spared(self, index: int, position: int, cause: _Unit) -> None:
        excluded = self._parts.freeze[index].excluded[position]
        where = (*self._parts.path, "freeze", index, "excluded", position)
        self._findings.add(
            Diagnostic(
                code="VL206",
                message=f"`except {excluded}` has no effect",
                span=_span(self._places, where),
                severity="warning",
                label="does not learn all the same: directives add up",
                related=(Label(span=self._said(cause), text="frozen here"),),
                help=("state the exception where the rest is frozen",),
            )
        )

    def _said(self, unit: _Unit) -> Span:
        path = (*self._parts.path, "freeze", unit.index)
        if len(self._parts.freeze[unit.index].selectors) > 1:
            path = (*path, "selectors", unit.position)
        return _span(self._places, path)

    def _until(self, directive: Freeze, where: Path) -> None:
        if directive.until is None:
            return
        never = isinstance(directive.until, Share) and directive.until >= 1
        if directive.until == 0 or never:
            self._findings.add(
                Diagnostic(
                    code="VL207",
                    message=f"`until` has no effect: it {'is the end' if never else 'is the start'}"
                    " of the run",
                    span=_span(self._places, (*where, "until")),
                    severity="warning",
                    label="learns in no step" if never else "learns from the first step on",
                    help=("leave `until` out" if never else "leave this `freeze` out",),
                )
            )


def _surely_outside(directive: Freeze) -> list[int]:
    """Return which exclusions start at a root that nothing frozen starts at, by position."""
    frozen = {selector.partition(".")[0] for selector in directive.selectors}
    if frozen & set(KINDS):
        return []
    roots = [name.partition(".")[0] for name in directive.excluded]
    return [at for at, root in enumerate(roots) if root not in KINDS and root not in frozen]


def _as_long(other: _Unit, unit: _Unit) -> bool:
    """Tell whether something is surely frozen for at least as long as something else."""
    if other.until is None or other.until == unit.until:
        return True
    if unit.until is None or isinstance(other.until, Share) != isinstance(unit.until, Share):
        return False
    return other.until >= unit.until


def _span(places: Places, path: Path) -> Span:
    span = places.value(path)
    if span is None:
        raise LookupError(f"nothing was said about {path}")
    return span

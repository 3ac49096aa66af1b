"""Do low-rank adapters find linear maps, each once, and are they smaller than these?"""

from renaissance.grammar.anatomy.model import Anatomy
from renaissance.grammar.anatomy.parts import WITH_ADAPTERS, Leaf
from renaissance.grammar.checks.partial import PartialModel
from renaissance.grammar.checks.selecting import beyond_layers, no_match
from renaissance.grammar.diagnostics import Diagnostic, Label
from renaissance.grammar.findings import Findings
from renaissance.grammar.names import listing
from renaissance.grammar.places import Path, Places
from renaissance.grammar.schema.model import Adapt, Freeze
from renaissance.grammar.source import Span


def check_adapting(parts: PartialModel, places: Places, findings: Findings) -> None:
    """Report adapters that find no linear map, meet others, or are as large as what they adapt.

    Args:
        parts: the model, with holes where a part is already known to be wrong.
        places: where everything was said.
        findings: receives what is wrong.
    """
    if parts.adapt:
        check = _Check(parts, places, findings)
        for index, directive in enumerate(parts.adapt):
            check.directive(directive, (*parts.path, "adapt", index))
        for index, freeze in enumerate(parts.freeze):
            check.thawing(freeze, (*parts.path, "freeze", index))


class _Check:
    """Looks at the directives of a model one by one, and remembers which linear maps they took."""

    def __init__(self, parts: PartialModel, places: Places, findings: Findings) -> None:
        self._name = parts.name
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
        self._taken: dict[str, Span] = {}
        self._held: list[tuple[Path, frozenset[Leaf]]] = []

    def directive(self, directive: Adapt, where: Path) -> None:
        """Report what is wrong with one directive."""
        for field in ("selectors", "excluded"):
            if not self._matches(getattr(directive, field), (*where, field)):
                return
        self._spared(directive, where)
        self._held.append((where, self._anatomy.selected(directive.selectors, directive.excluded)))
        found: set[str] = set()
        for position, selector in enumerate(directive.selectors):
            span = self._span((*where, "selectors", position))
            one = self._anatomy.select(selector)
            maps = self._anatomy.linear(self._anatomy.selected((selector,), directive.excluded))
            if not maps and one.certain:
                self._no_linear_map(selector, bool(directive.excluded), span)
            for component in maps:
                if component.address in self._taken:
                    self._twice(component.address, span, self._taken[component.address])
                    return
            self._taken |= {component.address: span for component in maps}
            found |= {component.address.partition(".")[0] for component in maps}
        self._rank(directive.rank, found, where)

    def thawing(self, directive: Freeze, where: Path) -> None:
        """Report `until` of what lies under adapters as a whole: these hold it to the end."""
        frozen = self._anatomy.selected(directive.selectors, directive.excluded)
        over = [path for path, leaves in self._held if leaves & frozen]
        under = frozenset[Leaf]().union(*(leaves for _, leaves in self._held))
        if directive.until is None or not frozen or not frozen <= under:
            return
        self._findings.add(
            Diagnostic(
                code="VL206",
                message="`until` has no effect here",
                span=self._span((*where, "until")),
                severity="warning",
                label="all of it lies under adapters, and never learns",
                related=(Label(span=self._span(over[0]), text="adapted here"),),
                help=("leave this `freeze` out, or let `adapt` name less",),
            )
        )

    def _spared(self, directive: Adapt, where: Path) -> None:
        """Warn about what `except` names and no selector reaches."""
        chosen = [self._anatomy.select(selector) for selector in directive.selectors]
        leaves = frozenset[Leaf]().union(*(one.leaves for one in chosen))
        for position, selector in enumerate(directive.excluded):
            spared = self._anatomy.select(selector)
            if spared.leaves & leaves or not all(one.certain for one in (*chosen, spared)):
                continue
            self._findings.add(
                Diagnostic(
                    code="VL203",
                    message="`except` leaves out nothing",
                    span=self._span((*where, "excluded", position)),
                    severity="warning",
                    label=f"not part of {listing(directive.selectors)}",
                )
            )

    def _matches(self, selectors: tuple[str, ...], where: Path) -> bool:
        sound = True
        for index, selector in enumerate(selectors):
            span = self._span((*where, index))
            if not self._anatomy.select(selector).leaves:
                sound = False
                self._findings.add(no_match("adapt", selector, self._name, self._anatomy, span))
            else:
                self._findings.extend(beyond_layers(selector, self._anatomy, span))
        return sound

    def _no_linear_map(self, selector: str, excepted: bool, span: Span) -> None:
        kinds = listing(sorted(kind for kind in WITH_ADAPTERS if "_" not in kind))
        self._findings.add(
            Diagnostic(
                code="VL211",
                message=f"`adapt {selector}` finds no linear map",
                span=span,
                label="`except` leaves none" if excepted else "nothing here takes adapters",
                help=(f"to hold it constant without adapters, write `freeze {selector}`",),
                notes=(f"adapters stand in the linear maps of {kinds}",),
            )
        )

    def _twice(self, address: str, span: Span, earlier: Span) -> None:
        self._findings.add(
            Diagnostic(
                code="VL212",
                message=f"`{address}` has two adapters",
                span=span,
                label="adapted again",
                related=(Label(span=earlier, text="adapted here"),),
                help=("let one `adapt` name it, or take it out of the other with `except`",),
            )
        )

    def _rank(self, rank: int, roots: set[str], where: Path) -> None:
        for root in sorted(roots & self._anatomy.streams.keys()):
            width = self._anatomy.width(root)
            if width is None or 2 * rank < width:
                continue
            self._findings.add(
                Diagnostic(
                    code="VL213",
                    message=f"adapters of rank {rank} are as large as what they adapt",
                    span=self._places.value((*where, "rank")) or self._span(where),
                    severity="warning",
                    label=f"`{root}` has {width} channels",
                    help=(f"take a rank below {width // 2}, or let the linear maps learn",),
                )
            )

    def _span(self, path: Path) -> Span:
        span = self._places.value(path)
        if span is None:
            raise LookupError(f"nothing was said about {path}")
        return span

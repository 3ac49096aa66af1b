"""Comparisons of specs for people."""

from collections.abc import Callable, Iterable, Iterator

from renaissance.compiler.amounts import amount, in_bytes, in_flops
from renaissance.grammar.changes import Change
from renaissance.grammar.declaration import Impact
from renaissance.grammar.diff import BlockDiff, SpecDiff
from renaissance.render.color import Palette

_SIGNS = {"changed": "~", "added": "+", "removed": "-", "renamed": "→"}
_COLORS = {"~": "yellow", "+": "green", "-": "red", "→": "blue"}
_WIDEST = 44
_DOES: dict[Impact, str] = {
    "weights": "it does not load",
    "numerics": "it loads and says something else",
    "training": "it loads and says the same, and training anew ends elsewhere",
    "eval": "it loads and says the same, and is measured in another way",
    "cosmetic": "nothing",
}


def _meaning(impact: Impact) -> str:
    """Say what a class of changes does to a checkpoint that is there."""
    return f"{impact}: {_DOES[impact]}"


def render_comparison(diff: SpecDiff, old: str, new: str, colors: Palette) -> str:
    """Return what differs, block by block, and a line that sums it up.

    Args:
        diff: the comparison.
        old: what to call the old spec.
        new: what to call the new spec.
        colors: of the terminal.
    """
    if not diff.blocks:
        return f"{old} → {new}\n\nno differences\n"
    lines = [f"{old} → {new}", ""]
    for block in diff.blocks:
        lines += _block(block, colors)
        lines.append("")
    counts = " · ".join(f"{impact} {count}" for impact, count in diff.counts.items())
    lines.append(f"impact: {counts}")
    lines.append(f"to an old checkpoint: {'; '.join(map(_meaning, diff.counts))}")
    return "\n".join(lines) + "\n"


def render_figures(rows: Iterable[tuple[str, int | None, int | None]]) -> str:
    """Return a table of figures before and after, in the units of plans.

    Args:
        rows: what is counted, its old and its new value; None where there is none. What ends with
            `, bytes` is counted in bytes, what speaks of FLOPs in operations.
    """
    table = [("", "old", "new", "Δ", "")]
    for what, old, new in rows:
        spell = _spelling(what)
        delta = share = ""
        if old is not None and new is not None:
            delta = spell(new - old) if new < old else f"+{spell(new - old)}" if new > old else "0"
            share = f"{new / old - 1:+.1%}" if old and new != old else ""
        before, after = ("-" if value is None else spell(value) for value in (old, new))
        what = what.removesuffix(", bytes").removesuffix(", FLOPs").replace(" FLOPs", "")
        table.append((what, before, after, delta, share))
    widths = [max(len(row[column]) for row in table) for column in range(5)]
    lines = []
    for what, *figures in table:
        cells = [figure.rjust(width) for figure, width in zip(figures, widths[1:], strict=True)]
        lines.append("  ".join([what.ljust(widths[0]), *cells]).rstrip())
    return "\n".join(lines) + "\n"


def _spelling(what: str) -> Callable[[int], str]:
    """Return what spells a figure with its unit."""
    if what.endswith(", bytes"):
        return in_bytes
    return in_flops if "FLOPs" in what else amount


def _block(block: BlockDiff, colors: Palette) -> Iterator[str]:
    sign = _SIGNS[block.status]
    name = f"{block.old_name} → {block.name}" if block.old_name else block.name
    head = f"{colors.paint(sign, _COLORS[sign])} {block.word} {colors.paint(name, 'bold')}"
    yield head if block.status == "changed" else f"{head}  {block.impact}"
    addresses = [change.address for change in block.changes]
    values = [_values(change) for change in block.changes]
    left = max(map(len, addresses), default=0)
    right = min(max(map(len, values), default=0), _WIDEST)
    for change, value in zip(block.changes, values, strict=True):
        sign = "+" if change.old is None else "-" if change.new is None else "~"
        row = f"{change.address:{left}}  {value:{right}}  {change.impact}"
        yield f"    {colors.paint(sign, _COLORS[sign])} {row}"
    if block.status == "changed" and block.unchanged:
        keys = "key" if block.unchanged == 1 else "keys"
        yield f"      # {block.unchanged} unchanged {keys} hidden"


def _values(change: Change) -> str:
    if change.old is None or change.new is None:
        return change.old or change.new or ""
    return f"{change.old} → {change.new}"

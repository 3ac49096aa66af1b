"""The architecture as a drawing: inputs below, heads on top, frozen parts hatched and labelled."""

from collections.abc import Sequence

from markupsafe import Markup

from renaissance.runtime.report.architecture import Architecture, Block, Stream
from renaissance.runtime.report.figures import TIMES, magnitude, share
from renaissance.runtime.report.svg import drawing, element, spell

COLUMN, HEAD, GUTTER, MARGIN = 224.0, 136.0, 26.0, 4.0
HEIGHT, GAP, INPUT = 52.0, 22.0, 40.0
# Width of a character of each size of type, wider than most so that texts do not overlap.
NAME_CHARACTER, SMALL_CHARACTER = 7.8, 6.6


def blueprint(model: Architecture, *, index: int = 0) -> Markup:
    """Draw a model.

    Args:
        model: what is drawn.
        index: of this drawing among those of the page; keeps their hatches apart.
    """
    columns = max(len(model.streams), 2)
    heads = len(model.token_heads) + len(model.heads)
    room = max(columns * (COLUMN + GUTTER), heads * (HEAD + GUTTER))
    width = room - GUTTER + 2 * MARGIN
    pen = _Pen(hatch=f"hatch-{index}", width=width)
    y = pen.heads(model.token_heads, model.heads, model.pool)
    for block in reversed(model.fusion):
        pen.block(block, MARGIN, y, width - 2 * MARGIN)
        y += HEIGHT + GAP
        if block is not model.fusion[0]:
            pen.arrow(width / 2, y, y - GAP)
    bottom = y + max(len(stream.blocks) for stream in model.streams) * (HEIGHT + GAP)
    left = (width - len(model.streams) * (COLUMN + GUTTER) + GUTTER) / 2
    for position, stream in enumerate(model.streams):
        pen.stream(stream, left + position * (COLUMN + GUTTER), y, bottom)

    frozen = ", ".join(block.address for block in model.blocks if block.frozen)
    unread = ", ".join(block.address for block in model.blocks if block.unread)
    held = [f"frozen: {frozen}"] * bool(frozen) + [f"not read: {unread}"] * bool(unread)
    label = f"Architecture of {model.name}; " + ("; ".join(held) or "all of it learns")
    return drawing(width, bottom + INPUT, *pen.parts, label=label, class_="blueprint")


class _Pen:
    """Collects the elements of one drawing; `y` runs downwards."""

    def __init__(self, *, hatch: str, width: float) -> None:
        self.hatch = hatch
        self.width = width
        stripe = element("path", d="M-2 2L2 -2M0 8L8 0M6 10L10 6", class_="stripe")
        pattern = element(
            "pattern", stripe, id=hatch, width=8, height=8, patternUnits="userSpaceOnUse"
        )
        self.parts: list[Markup] = [element("defs", pattern)]

    def heads(
        self, of_tokens: Sequence[Block], of_pool: Sequence[Block], pool: Sequence[Block]
    ) -> float:
        """Draw heads in a row and the pool below those that read it; return where to go on."""
        row = (*of_tokens, *of_pool)
        wide = (self.width - 2 * MARGIN + GUTTER) / max(len(row), 1) - GUTTER
        lefts = [MARGIN + slot * (wide + GUTTER) for slot in range(len(row))]
        y = MARGIN
        for block, x in zip(row, lefts, strict=True):
            self.block(block, x, y, wide)
        under_heads = y + HEIGHT if row else y
        y = under_heads + GAP if row else y

        pool_left = lefts[len(of_tokens)] if of_tokens and of_pool else MARGIN
        pool_wide = self.width - MARGIN - pool_left
        under_pool = y
        for block in reversed(pool):
            self.block(block, pool_left, y, pool_wide)
            y += HEIGHT + GAP
            self.arrow(pool_left + pool_wide / 2, y, y - GAP)
        # Heads of tokens bypass the pool.
        for slot, x in enumerate(lefts):
            start = y if slot < len(of_tokens) else under_pool
            self.arrow(x + wide / 2, start, under_heads)
        return y

    def stream(self, stream: Stream, left: float, top: float, bottom: float) -> None:
        """Draw one input and its blocks, from `bottom` up to what starts above `top`."""
        centre = left + COLUMN / 2
        edge = bottom
        for position, block in enumerate(stream.blocks):
            edge = bottom - (position + 1) * (HEIGHT + GAP)
            self.block(block, left, edge, COLUMN)
            self.arrow(centre, edge + HEIGHT + GAP, edge + HEIGHT)
        if top > MARGIN:
            self.arrow(centre, edge, top - GAP)
        shape = f"  {stream.shape}" if stream.shape else ""
        room = COLUMN + GUTTER / 2 - len(shape) * SMALL_CHARACTER
        title = element("title", stream.name)
        name = element("tspan", title, _fit(stream.name, room, NAME_CHARACTER), class_="name")
        self.parts.append(
            element(
                "text", name, element("tspan", shape), x=centre, y=bottom + 18, text_anchor="middle"
            )
        )

    def block(self, block: Block, x: float, y: float, width: float) -> None:
        """Draw a block: its name and parameters; below them what comes out and what is frozen."""
        area = {"x": x, "y": y, "height": HEIGHT, "rx": 4}
        shapes = [element("rect", class_="block", width=width, **area)]
        if block.held:
            hatched = width * block.held
            shapes.append(element("rect", fill=f"url(#{self.hatch})", width=hatched, **area))
            shapes.append(element("rect", class_="rim", width=width, **area))
        name = block.name
        if block.repeats > 1:
            name += f" {TIMES} {block.repeats}"
        size = magnitude(block.parameters) if block.parameters else ""
        state = _state(block)
        inner = width - 24

        def beside(right: str) -> float:
            return (len(right) + 1) * SMALL_CHARACTER if right else 0.0

        lines = (
            (y + 21, _fit(name, inner - beside(size), NAME_CHARACTER), size, "name"),
            (
                y + 40,
                _fit(block.shape, inner - beside(state), SMALL_CHARACTER),
                state,
                "shape",
            ),
        )
        for baseline, left, right, class_ in lines:
            shapes.append(element("text", left, x=x + 12, y=baseline, class_=class_))
            shapes.append(
                element(
                    "text",
                    right,
                    x=x + width - 12,
                    y=baseline,
                    text_anchor="end",
                    class_="state" if right == state else "size",
                )
            )
        title = (
            f"{block.address}: {block.parameters:,} parameters, {block.learning:,} of them learn"
        )
        self.parts.append(element("g", element("title", title), *shapes))

    def arrow(self, x: float, start: float, end: float) -> None:
        """Draw an arrow upwards."""
        tip = spell(end + 1)
        self.parts.append(
            element(
                "path",
                d=f"M{spell(x)} {spell(start)}V{tip}m-4 5l4 -5l4 5",
                class_="arrow",
            )
        )


def _state(block: Block) -> str:
    if not block.frozen:
        return "not read" if block.unread else ""
    return "frozen" if block.frozen == 1 else f"{share(block.frozen, 0)} frozen"


def _fit(text: str, width: float, character: float) -> str:
    """Cut a text that is wider than `width`; the whole of it is in the block's title."""
    room = max(int(width / character), 1)
    return text if len(text) <= room else text[: room - 1] + "…"

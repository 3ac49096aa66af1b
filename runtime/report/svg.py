"""Elements of an inline SVG drawing."""

from markupsafe import Markup, escape


def element(tag: str, *content: str, **attributes: str | float) -> Markup:
    """Return an element; content and attributes that are not markup themselves are escaped.

    Args:
        tag: name of the element.
        content: text or elements, in order.
        attributes: by name, with `_` for `-`; one `_` at the end is dropped (`class_`).
    """
    spelled = Markup("").join(
        Markup(' {}="{}"').format(name.removesuffix("_").replace("_", "-"), spell(value))
        for name, value in attributes.items()
    )
    inside = Markup("").join(escape(part) for part in content)
    return Markup("<{0}{1}>{2}</{0}>").format(Markup(tag), spelled, inside)


def spell(value: str | float) -> str:
    """Return an attribute's value; coordinates keep one decimal."""
    if isinstance(value, str):
        return value
    return f"{value:.1f}".removesuffix(".0")


def drawing(width: float, height: float, *content: str, label: str, class_: str) -> Markup:
    """Return a whole drawing that scales with its container.

    Args:
        width: in units of the drawing, as is `height`.
        height: see `width`.
        content: elements, the hindmost first.
        label: what a screen reader says.
        class_: CSS class.
    """
    box = f"0 0 {spell(width)} {spell(height)}"
    return element("svg", *content, viewBox=box, role="img", aria_label=label, class_=class_)

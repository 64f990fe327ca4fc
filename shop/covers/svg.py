"""Writes SVG, with presentation attributes alone: a strict content policy forbids style sheets in it."""

from html import escape


def element(name: str, /, *children: str, **attributes: object) -> str:
    """Return an element: `stroke_width=2` becomes `stroke-width="2"`, escaped, numbers cut to tenths.

    Children are SVG already; text becomes a child by `words`.
    """
    given = "".join(f' {key.replace("_", "-")}="{_value(value)}"' for key, value in attributes.items())
    inner = "".join(children)
    return f"<{name}{given}>{inner}</{name}>" if inner else f"<{name}{given}/>"


def words(text: str) -> str:
    """Return `text` so that it stays text."""
    return escape(text, quote=False)


def group(*children: str, **attributes: object) -> str:
    """Return a group of elements."""
    return element("g", *children, **attributes)


def rect(x: float, y: float, width: float, height: float, **attributes: object) -> str:
    """Return a rectangle."""
    return element("rect", x=x, y=y, width=width, height=height, **attributes)


def circle(x: float, y: float, radius: float, **attributes: object) -> str:
    """Return a circle around (x, y)."""
    return element("circle", cx=x, cy=y, r=radius, **attributes)


def path(*steps: object, **attributes: object) -> str:
    """Return a path; `steps` are letters and numbers in the order that SVG reads them."""
    return element("path", d=" ".join(_value(step) for step in steps), **attributes)


def _value(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.1f}".removesuffix(".0") if abs(value) >= 0.05 else "0"
    return escape(str(value))

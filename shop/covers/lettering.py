"""Sets type without knowing the font: widths are estimated from the widest one that a reader may have."""

import math
from collections.abc import Sequence
from functools import cache

import msgspec

from shop.covers.svg import element, words

SERIF = "Iowan Old Style,Palatino Linotype,Palatino,TeX Gyre Pagella,Georgia,serif"
SANS = "Avenir Next,Avenir,Gill Sans,Segoe UI,TeX Gyre Adventor,Noto Sans,sans-serif"

_WIDTHS = {
    **dict.fromkeys("iljI.,;:\u2019'!|()[]- ·", 0.4),
    **dict.fromkeys("fJt", 0.42),
    **dict.fromkeys("rs", 0.52),
    **dict.fromkeys("mwMW—…", 1.04),
    **dict.fromkeys("&%@", 0.92),
}
_CAPITAL, _LETTER, _WIDEST = 0.86, 0.65, 1.04
_LEADING = 1.12
_MOST_BALANCED = 24  # words; the time to balance grows with their square
_ELLIPSIS = "…"


class Block(msgspec.Struct, frozen=True, kw_only=True):
    """Words broken into lines at a size at which every line fits."""

    lines: tuple[str, ...]
    size: float

    @property
    def height(self) -> float:
        """How much of the page the lines take, in units of the drawing."""
        return len(self.lines) * self.size * _LEADING


def fit_block(
    *, text: str, width: float, height: float, largest: float, smallest: float, tracking: float = 0
) -> Block:
    """Return `text` as large as fits into the box, in even lines.

    `tracking`: space between letters, in em. What does not fit at the smallest size is cut with an ellipsis.
    """
    size = largest
    while size >= smallest:
        lines = _wrap(text.split(), width / size, tracking)
        fits = all(_measure(line, tracking) * size <= width for line in lines)
        if fits and len(lines) * size * _LEADING <= height:
            if len(lines) > 1 and len(text.split()) <= _MOST_BALANCED:
                lines = _balance(text.split(), len(lines), width / size, tracking)
            return Block(lines=tuple(lines), size=size)
        size -= 1
    return _cut(text=text, width=width, height=height, size=smallest, tracking=tracking)


def draw_block(
    *, block: Block, x: float, top: float, anchor: str, fill: str, family: str = SERIF, **attributes: object
) -> str:
    """Return the lines of `block` from `top` downwards; `anchor` is start, middle or end."""
    baseline = top + block.size * 0.86
    lines = [
        element("tspan", words(line), x=x, y=baseline + index * block.size * _LEADING)
        for index, line in enumerate(block.lines)
    ]
    size = float(block.size)
    return element(
        "text", *lines, font_family=family, font_size=size, text_anchor=anchor, fill=fill, **attributes
    )


def _measure(text: str, tracking: float) -> float:
    return sum(_width(letter) + tracking for letter in text)


def _width(letter: str) -> float:
    if letter in _WIDTHS:
        return _WIDTHS[letter]
    if ord(letter) > 0x2000:
        return _WIDEST
    return _CAPITAL if letter.isupper() else _LETTER


def _balance(tokens: Sequence[str], count: int, width: float, tracking: float) -> list[str]:
    """Break `tokens` into `count` lines with the least space left over, squared, so that none is a widow."""

    @cache
    def best(start: int, lines: int) -> tuple[float, tuple[str, ...]]:
        ends = range(start + 1, len(tokens) - lines + 2) if lines > 1 else [len(tokens)]
        return min(join(start, end, lines) for end in ends)

    def join(start: int, end: int, lines: int) -> tuple[float, tuple[str, ...]]:
        line = " ".join(tokens[start:end])
        spare = width - _measure(line, tracking)
        cost = spare * spare if spare >= 0 else math.inf
        rest, others = best(end, lines - 1) if lines > 1 else (0.0, ())
        return cost + rest, (line, *others)

    return list(best(0, count)[1])


def _wrap(tokens: Sequence[str], width: float, tracking: float) -> list[str]:
    lines: list[str] = []
    for token in tokens:
        longer = f"{lines[-1]} {token}" if lines else token
        if lines and _measure(longer, tracking) <= width:
            lines[-1] = longer
        else:
            lines.append(token)
    return lines


def _cut(*, text: str, width: float, height: float, size: float, tracking: float) -> Block:
    most = max(1, int(height / (size * _LEADING)))
    letters = max(2, int(width / (size * (_WIDEST + tracking))))
    pieces = [token[at : at + letters] for token in text.split() for at in range(0, len(token), letters)]
    lines = _wrap(pieces, width / size, tracking)
    if len(lines) > most:
        lines = [*lines[: most - 1], lines[most - 1][: letters - 1].rstrip() + _ELLIPSIS]
    return Block(lines=tuple(lines), size=size)

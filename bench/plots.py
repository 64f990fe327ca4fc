"""Bar charts as SVG: few bars, their values written beside them, readable on light and dark paper."""

from collections.abc import Mapping
from html import escape

_WIDTH = 720
_ROW = 28
_LABEL = 170
_VALUE = 80


def bars(*, title: str, values: Mapping[str, float]) -> str:
    """Return a chart with one horizontal bar for each value."""
    longest = max([*values.values(), 1e-9])
    rows = [
        _row(number=number, label=label, value=value, share=value / longest)
        for number, (label, value) in enumerate(values.items())
    ]
    height = _ROW * (len(rows) + 2)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img"'
        f' font-family="sans-serif" font-size="13"><title>{escape(title)}</title>'
        f'<rect width="{_WIDTH}" height="{height}" fill="#fbfaf7"/>'
        f'<text x="12" y="20" font-weight="bold" fill="#2b2530">{escape(title)}</text>{"".join(rows)}</svg>\n'
    )


def _row(*, number: int, label: str, value: float, share: float) -> str:
    top = _ROW * (number + 1) + 6
    width = max(1.0, share * (_WIDTH - _LABEL - _VALUE))
    return (
        f'<text x="{_LABEL - 8}" y="{top + 14}" text-anchor="end" fill="#2b2530">{escape(label)}</text>'
        f'<rect x="{_LABEL}" y="{top}" width="{width:.1f}" height="18" rx="2" fill="#7a3e78"/>'
        f'<text x="{_LABEL + width + 6:.1f}" y="{top + 14}" fill="#2b2530">{value:g}</text>'
    )

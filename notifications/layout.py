"""How a letter looks, as HTML and as text.

Format strings, because four mails go out for every order and a template engine takes five times as long for them.
What comes from outside is escaped here, and nowhere else. Mail readers know tables and style attributes; style
sheets they may drop.
"""

from collections.abc import Sequence
from html import escape

import msgspec
from django.utils.translation import gettext as _

from notifications.letters import Letter

_SERIF = "font-family:Palatino,'Palatino Linotype','Book Antiqua',Georgia,serif"
_SANS = "font-family:Calibri,'Segoe UI',Helvetica,Arial,sans-serif"
_RULE = "1px solid #e5d9e1"

_PAGE = f"""<!doctype html>
<html lang="{{language}}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light">
<title>{{subject}}</title>
</head>
<body style="margin:0;padding:0;background-color:#f6f0f4;color:#2a1526;-webkit-text-size-adjust:100%">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="background-color:#f6f0f4">
<tr><td align="center" style="padding:24px 12px">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0"
 style="max-width:560px;background-color:#ffffff;border:{_RULE};border-radius:12px;overflow:hidden">
<tr><td style="background-color:#351430;padding:20px 32px;{_SERIF};font-size:20px;line-height:28px;color:#fdf3f9">\
Foxglove Books</td></tr>
<tr><td style="padding:32px 32px 8px;{_SANS};font-size:17px;line-height:26px;color:#2a1526">
<h1 style="margin:0 0 16px;{_SERIF};font-weight:normal;font-size:30px;line-height:36px;color:#2a1526">\
{{headline}}</h1>
{{paragraphs}}</td></tr>
<tr><td style="padding:8px 32px 32px;{_SANS};font-size:17px;line-height:24px">
<a href="{{page}}" style="display:inline-block;padding:12px 24px;background-color:#8e1f5f;border-radius:6px;\
color:#ffffff;text-decoration:none">{{button}}</a>
</td></tr>
{{books}}<tr><td style="padding:16px 32px 24px;border-top:{_RULE};{_SANS};font-size:14px;line-height:22px;\
color:#6b5365">{{order}} {{number}}</td></tr>
</table>
</td></tr>
</table>
</body>
</html>
"""
_PARAGRAPH = '<p style="margin:0 0 16px">{}</p>\n'
_BOOKS = f"""<tr><td style="padding:0 32px 24px">
<table width="100%" cellpadding="0" cellspacing="0"
 style="border-top:{_RULE};{_SANS};font-size:16px;line-height:24px;color:#2a1526">
{{lines}}<tr><td style="padding:10px 12px 10px 0;font-weight:bold">{{total_label}}{{tax}}</td>\
<td align="right" style="padding:10px 0;font-weight:bold;white-space:nowrap">{{total}}</td></tr>
</table>
</td></tr>
"""
_LINE = f"""<tr><td style="padding:10px 12px 10px 0;border-bottom:{_RULE}">{{}} &times; {{}}</td>\
<td align="right" valign="top" style="padding:10px 0;border-bottom:{_RULE};white-space:nowrap">{{}}</td></tr>
"""

_CHARGE = f"""<tr><td style="padding:10px 12px 10px 0;border-bottom:{_RULE}">{{}}</td>\
<td align="right" style="padding:10px 0;border-bottom:{_RULE};white-space:nowrap">{{}}</td></tr>
"""
_TAX = '<br><span style="font-weight:normal;font-size:14px;color:#6b5365">{}</span>'


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One ordered book, its price in words."""

    title: str
    quantity: int
    price: str


class Enclosure(msgspec.Struct, frozen=True, kw_only=True):
    """What a letter is about: the order's number, its page, and what was ordered, prices in words."""

    number: str
    page: str
    rows: Sequence[Row]
    charges: Sequence[tuple[str, str]]
    total: str
    tax: str


def as_html(*, letter: Letter, order: Enclosure, language: str) -> str:
    """Return the letter as an HTML document in a language."""
    return _PAGE.format(
        language=language,
        subject=escape(letter.subject),
        headline=escape(letter.headline),
        paragraphs="".join([_PARAGRAPH.format(escape(text)) for text in letter.paragraphs]),
        page=escape(order.page),
        button=escape(letter.button),
        books=_books(order=order) if letter.shows_order else "",
        order=_("Order"),
        number=escape(order.number),
    )


def as_text(*, letter: Letter, order: Enclosure) -> str:
    """Return the letter as plain text."""
    books = [f"{row.quantity} x {row.title}: {row.price}" for row in order.rows] if letter.shows_order else []
    total = _text_sums(order=order) if letter.shows_order else []
    paragraphs = [line for text in letter.paragraphs for line in (text, "")]
    way = f"{letter.button}: {order.page}"
    closing = [way, "", f"{_('Order')} {order.number}", "Foxglove Books", ""]
    return "\n".join([letter.headline, "", *paragraphs, *books, *total, *closing])


def _text_sums(*, order: Enclosure) -> list[str]:
    tax = f" ({order.tax})" if order.tax else ""
    return [*[f"{name}: {price}" for name, price in order.charges], f"{_('Total')}: {order.total}{tax}", ""]


def _books(*, order: Enclosure) -> str:
    lines = [_LINE.format(row.quantity, escape(row.title), row.price) for row in order.rows]
    charges = [_CHARGE.format(escape(name), price) for name, price in order.charges]
    return _BOOKS.format(
        lines="".join([*lines, *charges]),
        total_label=_("Total"),
        tax=order.tax and _TAX.format(order.tax),
        total=order.total,
    )

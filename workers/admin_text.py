"""Payloads and headers as the admin shows them: always inert text, whatever bytes they are."""

import json

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from events.envelope import Headers


def shown_bytes(*, value: bytes | memoryview | None) -> SafeString:
    """Return a payload as preformatted text: JSON indented, other text as it is, the rest as hex."""
    return format_html('<pre class="payload">{}</pre>', _readable(value=value))


def shown_text(*, text: str) -> SafeString:
    """Return text that may hold anything, preformatted."""
    return format_html('<pre class="payload">{}</pre>', text or "(empty)")


def shown_headers(*, headers: Headers) -> SafeString:
    """Return headers as a table of two columns."""
    rows = format_html_join(
        "",
        "<tr><th scope='row'>{}</th><td>{}</td></tr>",
        ((name, _readable(value=raw)) for name, raw in headers),
    )
    return format_html('<table class="headers"><tbody>{}</tbody></table>', rows)


def _readable(*, value: bytes | memoryview | None) -> str:
    if value is None:
        return "(no value)"
    raw = bytes(value)
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return raw.hex(" ", 2)
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except ValueError:
        return text or "(empty)"

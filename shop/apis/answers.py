"""How a call answers."""

import msgspec
from django.http import HttpResponse


def answer(value: msgspec.Struct, *, status: int = 200, location: str = "") -> HttpResponse:
    """Return `value` as JSON; nothing between here and the buyer may keep it."""
    response = HttpResponse(msgspec.json.encode(value), status=status, content_type="application/json")
    response["Cache-Control"] = "no-store"
    if location:
        response["Location"] = location
    return response

"""What Django's own middleware does not send."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

# A bookshop asks for none of them, and neither may a script that should not be there.
_REFUSED = (
    "accelerometer",
    "camera",
    "display-capture",
    "geolocation",
    "gyroscope",
    "magnetometer",
    "microphone",
)
_POLICY = ", ".join(f"{feature}=()" for feature in (*_REFUSED, "midi", "payment", "usb"))


class PermissionsPolicy:
    """Has browsers refuse every page what no page of ours uses (W3C Permissions Policy)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Send the policy with every answer."""
        response = self._get_response(request)
        response.headers.setdefault("Permissions-Policy", _POLICY)
        return response

"""What search engines are asked to leave alone, and the icon that browsers ask for unasked."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.templatetags.static import static
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

_ROBOTS = """User-agent: *
Disallow: /account/
Disallow: /cart/
Disallow: /checkout/
Disallow: /orders/
Disallow: /payments/
Disallow: /wishlist/
Disallow: /api/
Disallow: /admin/
"""


@require_safe
@cache_control(max_age=86_400)
def robots(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """Answer /robots.txt."""
    return HttpResponse(_ROBOTS, content_type="text/plain")


@require_safe
@cache_control(max_age=86_400)
def favicon(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """Answer /favicon.ico: browsers look there where a page names no icon, as a picture or a mail does."""
    return redirect(static("img/favicon.svg"))

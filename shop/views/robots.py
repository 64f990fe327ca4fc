"""What search engines are asked to leave alone."""

from django.http import HttpRequest, HttpResponse
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

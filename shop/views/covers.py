"""Covers, drawn when asked for."""

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from shop.covers import cover_version, draw_cover
from shop.selectors import products_by_sku

_FOR_EVER = "public, max-age=31536000, immutable"
_FOR_AN_HOUR = "public, max-age=3600"
_POLICY = "default-src 'none'; frame-ancestors 'none'"


@require_safe
def cover(request: HttpRequest, sku: str) -> HttpResponse:
    """Draw the cover of a product, also of one no longer sold: orders go on showing it.

    An address with the right version may be kept for ever; any other is good for an hour.
    """
    product = products_by_sku(skus=[sku]).get(sku)
    if not product:
        raise Http404(f"No product has the SKU '{sku}'.")
    drawing = draw_cover(sku=product.sku, title=product.title, byline=product.byline)
    response = HttpResponse(drawing, content_type="image/svg+xml")
    is_current = request.GET.get("v") == cover_version(title=product.title, byline=product.byline)
    response["Cache-Control"] = _FOR_EVER if is_current else _FOR_AN_HOUR
    response["Content-Security-Policy"] = _POLICY
    return response

"""Writing a review."""

from typing import Any

import msgspec
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from shop.accounts import require_account
from shop.forms import ReviewForm
from shop.reviews import may_review, review_by, write_review
from shop.selectors import ProductDetail, ProductNotFound, get_product
from shop.views.answers import HtmxRequest, render_page, see_other


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def review(request: HtmxRequest, slug: str) -> HttpResponse:
    """Ask a reader for a review, or for a new version of it."""
    product, buyer_id = _find(slug=slug), require_account(session=request.session)
    if not may_review(buyer_id=buyer_id, sku=product.sku):
        return _render(request, product=product, status=403)
    if request.method != "POST":
        form = ReviewForm(initial=_initial(buyer_id=buyer_id, sku=product.sku))
        return _render(request, product=product, form=form)
    form = ReviewForm(request.POST)
    if not form.is_valid():
        return _render(request, product=product, form=form, status=422)
    write_review(buyer_id=buyer_id, sku=product.sku, **form.cleaned_data)
    messages.success(request, _("Thank you. We read every review before it appears here."))
    return see_other("shop:product", slug=slug)


def _find(*, slug: str) -> ProductDetail:
    try:
        return get_product(slug=slug)
    except ProductNotFound as error:
        raise Http404 from error


def _initial(*, buyer_id: int, sku: str) -> dict[str, Any]:
    written = review_by(buyer_id=buyer_id, sku=sku)
    return msgspec.structs.asdict(written) if written else {}


def _render(
    request: HtmxRequest, *, product: ProductDetail, form: ReviewForm | None = None, status: int = 200
) -> HttpResponse:
    return render_page(request, "shop/review_form.html", {"product": product, "form": form}, status=status)

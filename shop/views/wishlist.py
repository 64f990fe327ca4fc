"""The wish list, and the button that saves a product."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from shop.selectors import ProductPrice
from shop.views.answers import HtmxRequest, render_page, see_other
from shop.wishlist import UnknownProduct, WishlistFull, drop_wish, read_wishlist, save_wish


@require_safe
@never_cache
def wishlist(request: HtmxRequest) -> HttpResponse:
    """Show what was saved, at today's prices."""
    context = {"wishes": read_wishlist(session=request.session)}
    return render_page(request, "shop/wishlist.html", context, part="shop/_wishlist.html")


@require_POST
def save(request: HtmxRequest, sku: str) -> HttpResponse:
    """Put a product on the list; htmx gets the button as it is now."""
    try:
        product = save_wish(session=request.session, sku=sku)
    except UnknownProduct as error:
        raise Http404 from error
    except WishlistFull as refusal:
        messages.error(request, str(refusal))
        return see_other("shop:wishlist")
    return _answer(request, product=product)


@require_POST
def drop(request: HtmxRequest, sku: str) -> HttpResponse:
    """Take a product off the list; htmx gets what is left, the rest sees the list."""
    drop_wish(session=request.session, sku=sku)
    return see_other("shop:wishlist")


def _answer(request: HtmxRequest, *, product: ProductPrice) -> HttpResponse:
    if request.htmx:
        return render_page(request, "shop/_save_button.html", {"product": product, "is_fresh": True})
    messages.success(request, _("%(title)s is on your wish list.") % {"title": product.title})
    return see_other("shop:product", slug=product.slug)

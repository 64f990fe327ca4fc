"""An order for a guest who has lost the link to it, and the same books once more."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from orders.selectors import OrderNotFound, OrderPageLine, find_token, get_order_page
from shop.apis.throttles import LookupThrottle
from shop.cart import NotForSale, add_to_cart
from shop.forms import FindOrderForm
from shop.views.answers import HtmxRequest, ask_to_wait, render_page, see_other


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def find_order(request: HtmxRequest) -> HttpResponse:
    """Lead whoever knows number and email address to the order; a wrong one of the two says no more than both."""
    form = FindOrderForm(request.POST or None)
    if request.method != "POST" or not form.is_valid():
        return _render(request, form=form)
    throttle = LookupThrottle()
    if not throttle.allow_call(request=request):
        return _too_often(request, form=form, seconds=throttle.wait())
    try:
        token = find_token(**form.cleaned_data)
    except OrderNotFound:
        form.add_error(
            None, _("We found no order with this number and email address. Check both, then try again.")
        )
        return _render(request, form=form)
    return see_other("orders:order", token=token)


@require_POST
def order_again(request: HtmxRequest, token: str) -> HttpResponse:
    """Put the books of an order into the basket, and tell which ones could not be."""
    try:
        order = get_order_page(token=token)
    except OrderNotFound as error:
        raise Http404 from error
    for line in order.lines:
        _add_again(request, line=line)
    return see_other("shop:cart")


def _add_again(request: HtmxRequest, *, line: OrderPageLine) -> None:
    try:
        added = add_to_cart(session=request.session, sku=line.sku, quantity=line.quantity)
    except NotForSale as refusal:
        messages.error(request, _("%(title)s: %(refusal)s") % {"title": line.title, "refusal": refusal})
        return
    if added.quantity < line.quantity:
        words = _("Only %(count)s of %(title)s could be put into your basket.")
        messages.info(request, words % {"count": added.quantity, "title": line.title})
    if added.unit_price != line.unit_price:
        messages.info(request, _("The price of %(title)s has changed since then.") % {"title": line.title})


def _render(request: HtmxRequest, *, form: FindOrderForm) -> HttpResponse:
    return render_page(request, "shop/find_order.html", {"form": form}, status=422 if form.errors else 200)


def _too_often(request: HtmxRequest, *, form: FindOrderForm, seconds: float) -> HttpResponse:
    wait = ask_to_wait(form, seconds=seconds)
    response = render_page(request, "shop/find_order.html", {"form": form}, status=429)
    response["Retry-After"] = str(wait)
    return response

"""The basket's pages. Every change answers 303 to the basket; htmx follows and takes the part."""

from django.contrib import messages
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from shop.cart import NotForSale, add_to_cart, change_quantity, read_cart, remove_from_cart, undo_removal
from shop.forms import AddToCartForm, QuantityForm
from shop.views.answers import HtmxRequest, render_page, see_other


@require_safe
@never_cache
def cart(request: HtmxRequest) -> HttpResponse:
    """Show the basket at today's prices, and what has changed in it."""
    context = {"cart": read_cart(session=request.session)}
    return render_page(request, "shop/cart.html", context, part="shop/_cart.html")


@require_POST
def add(request: HtmxRequest) -> HttpResponse:
    """Put a product in."""
    form = AddToCartForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("That could not be put in your basket. Choose a book and a quantity."))
        return see_other("shop:cart")
    try:
        line = add_to_cart(session=request.session, **form.cleaned_data)
    except NotForSale as refusal:
        messages.error(request, str(refusal))
        return see_other("shop:cart")
    if request.htmx:
        return render_page(request, "shop/_added.html", {"line": line})
    messages.success(request, _("%(title)s is in your basket.") % {"title": line.title})
    return see_other("shop:cart")


@require_POST
def change(request: HtmxRequest, sku: str) -> HttpResponse:
    """Have more or fewer pieces of a product."""
    form = QuantityForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Choose a quantity from the list."))
        return see_other("shop:cart")
    try:
        change_quantity(session=request.session, sku=sku, quantity=form.cleaned_data["quantity"])
    except NotForSale as refusal:
        messages.error(request, str(refusal))
    return see_other("shop:cart")


@require_POST
def remove(request: HtmxRequest, sku: str) -> HttpResponse:
    """Take a product out."""
    remove_from_cart(session=request.session, sku=sku)
    return see_other("shop:cart")


@require_POST
def undo(request: HtmxRequest) -> HttpResponse:
    """Put back what was taken out last."""
    undo_removal(session=request.session)
    return see_other("shop:cart")

"""The pages of somebody who is signed in: their orders and addresses."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.selectors import addresses_of
from accounts.services import forget_address
from orders.selectors import OrderList, list_orders
from shop.accounts import require_account
from shop.views.answers import HtmxRequest, render_page, see_other

LATEST = 3
# What tells htmx to ask no more (https://htmx.org/docs/#polling).
_STOP_POLLING = 286


@require_safe
@never_cache
@login_required
def home(request: HtmxRequest) -> HttpResponse:
    """Show the latest orders, and the way to everything else."""
    found = list_orders(buyer_id=require_account(session=request.session), page_size=LATEST)
    return _render_orders(request, "shop/account.html", found=found)


@require_safe
@never_cache
@login_required
def orders(request: HtmxRequest) -> HttpResponse:
    """Show all orders, newest first."""
    page = request.GET.get("page", "1")
    found = list_orders(
        buyer_id=require_account(session=request.session), page=int(page) if page.isdecimal() else 1
    )
    return _render_orders(request, "shop/account_orders.html", found=found)


@require_safe
@never_cache
@login_required
def addresses(request: HtmxRequest) -> HttpResponse:
    """Show where parcels went."""
    found = addresses_of(user_id=require_account(session=request.session))
    return render_page(request, "shop/account_addresses.html", {"addresses": found})


@require_POST
@login_required
def remove_address(request: HtmxRequest, address_id: int) -> HttpResponse:
    """Offer an address no more."""
    forget_address(user_id=require_account(session=request.session), address_id=address_id)
    messages.success(request, _("We have forgotten that address."))
    return see_other("shop:addresses")


def _render_orders(request: HtmxRequest, page: str, *, found: OrderList) -> HttpResponse:
    is_over = request.htmx and not found.moving
    return render_page(request, page, {"found": found}, status=_STOP_POLLING if is_over else 200)

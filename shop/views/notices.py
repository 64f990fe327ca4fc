"""The bell: its count, what stands behind it, and what of it has been read."""

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from notifications.notices import latest_notices, mark_all_read, mark_order_read
from orders import views as order_views
from shop.accounts import account_of, require_account
from shop.views.answers import HtmxRequest, render_page, see_other


@require_safe
@never_cache
@login_required
def notices(request: HtmxRequest) -> HttpResponse:
    """Show the latest notices, newest first."""
    found = latest_notices(buyer_id=require_account(session=request.session))
    return render_page(
        request,
        "shop/notifications.html",
        {"notices": found, "has_unread": not all(one.is_read for one in found)},
    )


@require_safe
@never_cache
def unread(request: HtmxRequest) -> HttpResponse:
    """Answer with the bell's count as it is now, or with nothing to who is signed in no more.

    With `?order=` the page of that order is before the buyer's eyes: what the count would tell stands there.
    """
    account = account_of(session=request.session)
    if account is None:
        return HttpResponse(status=204)
    if token := request.GET.get("order"):
        mark_order_read(buyer_id=account, token=token)
    return render(request, "includes/unread.html")


@require_POST
@login_required
def read_all(request: HtmxRequest) -> HttpResponse:
    """Take all notices as read."""
    mark_all_read(buyer_id=require_account(session=request.session))
    return see_other("shop:notifications")


@require_safe
def order_page(request: HtmxRequest, token: str) -> HttpResponse:
    """Show an order's page, and take the notices of its buyer about it as read."""
    account = account_of(session=request.session)
    if account is not None:
        mark_order_read(buyer_id=account, token=token)
    return order_views.order_page(request, token)

"""The live order page: one authorised read, whoever asks for it and why."""

from collections.abc import Callable
from functools import wraps

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from orders.forms import ReturnForm
from orders.returns import CannotReturn, request_return
from orders.selectors import OrderNotFound, get_order_page, returnable_lines
from orders.services import CannotCancel, cancel_order

View = Callable[..., HttpResponse]


def private(view: View) -> View:
    """Keep the page out of caches and search engines; an unknown token is 404."""

    @wraps(view)
    def wrapped(request: HttpRequest, token: str) -> HttpResponse:
        try:
            response = view(request, token)
        except OrderNotFound as error:
            raise Http404("There is no such order.") from error
        response["Cache-Control"] = "no-store"
        response["X-Robots-Tag"] = "noindex"
        return response

    return wrapped


@require_safe
@private
def order_page(request: HttpRequest, token: str) -> HttpResponse:
    """The whole page."""
    return render(request, "orders/order.html", {"order": get_order_page(token=token)})


@require_safe
@private
def timeline(request: HttpRequest, token: str) -> HttpResponse:
    """What has happened after the entry `?after=N`: an HTML partial, or 204."""
    order = get_order_page(token=token, after=_after(request=request))
    if not order.timeline:
        return HttpResponse(status=204)
    return render(request, "orders/_timeline_update.html", {"order": order})


@require_POST
@private
def cancel(request: HttpRequest, token: str) -> HttpResponse:
    """The buyer cancels; a refusal is told on the page."""
    try:
        cancel_order(token=token, by="buyer")
    except CannotCancel as refusal:
        messages.error(request, str(refusal))
    return _to_order(token=token)


@require_http_methods(["GET", "HEAD", "POST"])
@private
def return_books(request: HttpRequest, token: str) -> HttpResponse:
    """Ask what the buyer wants to send back; a refusal is told on the order's page."""
    lines = returnable_lines(token=token)
    if not lines:
        messages.error(request, _("Nothing of this order can be sent back any more."))
        return _to_order(token=token)
    form = ReturnForm(request.POST or None, lines=lines)
    if request.method != "POST" or not form.is_valid():
        context = {"form": form, "order": get_order_page(token=token)}
        return render(request, "orders/return.html", context, status=422 if form.errors else 200)
    try:
        request_return(token=token, pieces=form.pieces, reason=form.cleaned_data["reason"])
    except CannotReturn as refusal:
        messages.error(request, str(refusal))
    return _to_order(token=token)


def _to_order(*, token: str) -> HttpResponse:
    response = redirect("orders:order", token=token)
    response.status_code = 303
    return response


def _after(*, request: HttpRequest) -> int:
    after = request.GET.get("after", "0")
    return int(after) if after.isdecimal() and len(after) < 10 else 0

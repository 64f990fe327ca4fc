"""Paying for an order that stands already: another card after a decline, and the way back from the bank."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from orders.selectors import OrderNotFound, OrderPage, get_order_page, token_of
from orders.services import CannotPay
from payments.services import AttemptNotFound, CardRefused, PaymentsUnavailable, authentication_returned
from shop.checkout import pay_with_card
from shop.forms import CardForm
from shop.views.answers import HtmxRequest, render_page, see_other


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@sensitive_post_parameters("number", "cvc")
def pay_again(request: HtmxRequest, token: str) -> HttpResponse:
    """Offer another card while the books are still held."""
    order = _find_order(token=token)
    if not order.can_pay:
        return see_other("orders:order", token=token)
    form = CardForm(request.POST or None)
    if request.method != "POST" or not form.is_valid():
        return _render(request, form=form, order=order)
    try:
        pay_with_card(order_token=token, **form.card)
    except (CardRefused, PaymentsUnavailable) as refusal:
        form.add_refusal(refusal)
        return _render(request, form=form, order=order)
    except CannotPay as refusal:
        messages.error(request, str(refusal))
    return see_other("orders:order", token=token)


@require_safe
@never_cache
def return_from_bank(request: HtmxRequest, attempt_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Take the buyer from the bank's page to the order; what the bank decided is asked of the bank itself."""
    try:
        order_id = authentication_returned(attempt_id=attempt_id)
        return see_other("orders:order", token=token_of(order_id=order_id))
    except (AttemptNotFound, OrderNotFound) as error:
        raise Http404 from error


def _find_order(*, token: str) -> OrderPage:
    try:
        return get_order_page(token=token)
    except OrderNotFound as error:
        raise Http404 from error


def _render(request: HtmxRequest, *, form: CardForm, order: OrderPage) -> HttpResponse:
    context = {"form": form, "order": order}
    response = render_page(request, "shop/pay.html", context, status=422 if form.errors else 200)
    response["X-Robots-Tag"] = "noindex"
    return response

"""The guest's checkout: delivery, payment, review; then the live order page."""

from http import HTTPStatus
from typing import Any

import msgspec
from django.contrib import messages
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from accounts.selectors import addresses_of
from payments.services import CardRefused, PaymentsUnavailable
from shop.apis.throttles import CouponThrottle
from shop.cart import Cart, Change, read_cart
from shop.checkout import (
    CartChanged,
    Checkout,
    CheckoutIncomplete,
    choose_coupon,
    choose_shipping,
    find_placed_order,
    offer_shipping,
    place_cart,
    read_agreement,
    read_checkout,
    remember_card,
    remember_delivery,
    sum_up,
    write_agreement,
)
from shop.coupons import CouponRefused, read_code
from shop.forms import CardForm, CouponForm, DeliveryForm, PlaceOrderForm, ShippingForm
from shop.views.answers import HtmxRequest, ask_to_wait, render_page, see_other


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def delivery(request: HtmxRequest) -> HttpResponse:
    """Ask where the parcel goes."""
    cart = read_cart(session=request.session)
    if not cart.count:
        return see_other("shop:cart")
    if request.method != "POST":
        return _render_step(request, "delivery", DeliveryForm(initial=_initial(request)), cart=cart)
    form = DeliveryForm(request.POST)
    if not form.is_valid():
        return _render_step(request, "delivery", form, cart=cart)
    remember_delivery(session=request.session, email=form.cleaned_data["email"], ship_to=form.ship_to)
    return see_other("shop:payment")


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@sensitive_post_parameters("number", "cvc")
def payment(request: HtmxRequest) -> HttpResponse:
    """Ask for a card, and turn it into a token at once."""
    cart, checkout = read_cart(session=request.session), read_checkout(session=request.session)
    if step := _missing_step(cart=cart, checkout=checkout, before="payment"):
        return see_other(step)
    form = CardForm(request.POST or None)
    if request.method != "POST" or not form.is_valid():
        return _render_step(request, "payment", form, cart=cart, checkout=checkout)
    try:
        remember_card(session=request.session, **form.card)
    except (CardRefused, PaymentsUnavailable) as refusal:
        form.add_refusal(refusal)
        return _render_step(request, "payment", form, cart=cart, checkout=checkout)
    return see_other("shop:review")


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def review(request: HtmxRequest) -> HttpResponse:
    """Show everything once more; the form places the order, the same one however often it is sent."""
    form = PlaceOrderForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        return _place(request, form=form)
    return _render_review(request, is_error=request.method == "POST")


@require_POST
def shipping(request: HtmxRequest) -> HttpResponse:
    """Choose how the parcel travels; the review shows what that costs."""
    return _take_choices(request)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def coupon(request: HtmxRequest) -> HttpResponse:
    """Take a coupon's code, or leave it out again; the review shows what it takes off."""
    if request.method != "POST":
        return see_other("shop:review")  # a refused code is shown at this address, and may be asked for again
    return _take_choices(request)


def _take_choices(request: HtmxRequest) -> HttpResponse:
    """Keep the way of delivery and the coupon that stand on the review page, and show what they cost."""
    way, form = ShippingForm(request.POST), CouponForm(request.POST)
    if way.is_valid():
        choose_shipping(session=request.session, method=way.cleaned_data["shipping_method"])
    if not form.is_valid():
        return _render_review(request, form=form)
    if _code_on_page(request) == _taken(request).coupon:
        return see_other("shop:review")
    return _take_coupon(request, form=form)


def _take_coupon(request: HtmxRequest, *, form: CouponForm) -> HttpResponse:
    throttle = CouponThrottle()
    if not throttle.allow_call(request=request):
        return _too_often(request, form=form, seconds=throttle.wait())
    try:
        choose_coupon(session=request.session, code=form.cleaned_data["code"])
    except CouponRefused as refused:
        form.add_error("code", str(refused))
        return _render_review(request, form=form)
    return see_other("shop:review")


def _place(request: HtmxRequest, *, form: PlaceOrderForm) -> HttpResponse:
    key = form.cleaned_data["idempotency_key"]
    if token := find_placed_order(session=request.session, idempotency_key=key):
        return see_other("orders:order", token=token)
    if _chose_otherwise(request):
        return _ask_again(request)
    try:
        agreed = read_agreement(text=form.cleaned_data["agreed"])
        token = place_cart(session=request.session, idempotency_key=key, agreed=agreed)
    except CartChanged as changed:
        return _render_review(request, changes=changed.changes, is_error=True)
    except (CheckoutIncomplete, ValueError):
        return _render_review(request, is_error=True)
    return see_other("orders:order", token=token)


def _ask_again(request: HtmxRequest) -> HttpResponse:
    response = _take_choices(request)
    if response.status_code == HTTPStatus.SEE_OTHER:
        messages.info(request, _("Your choice is taken. Look at the total again, then order."))
    return response


def _chose_otherwise(request: HtmxRequest) -> bool:
    """Say whether the page that was sent has a way of delivery or a code on it that nobody has seen the price of."""
    taken = _taken(request)
    way = request.POST.get("shipping_method", taken.shipping_method)
    return way != taken.shipping_method or _code_on_page(request) != taken.coupon


def _code_on_page(request: HtmxRequest) -> str:
    return read_code(text=request.POST.get("code", _taken(request).coupon))


def _taken(request: HtmxRequest) -> Checkout:
    return read_checkout(session=request.session)


def _too_often(request: HtmxRequest, *, form: CouponForm, seconds: float) -> HttpResponse:
    wait = ask_to_wait(form, seconds=seconds, field="code")
    response = _render_review(request, form=form, status=429)
    response["Retry-After"] = str(wait)
    return response


def _render_review(
    request: HtmxRequest,
    *,
    changes: tuple[Change, ...] | None = None,
    is_error: bool = False,
    form: CouponForm | None = None,
    status: int = 422,
) -> HttpResponse:
    cart, checkout = read_cart(session=request.session), read_checkout(session=request.session)
    if step := _missing_step(cart=cart, checkout=checkout, before="review"):
        return see_other(step)
    sums = sum_up(cart=cart, checkout=checkout)
    context = {
        "cart": cart,
        "checkout": checkout,
        "sums": sums,
        "offers": offer_shipping(cart=cart, delivery=checkout.delivery) if checkout.delivery else [],
        "agreed": write_agreement(cart=cart, total=sums.total),
        "changes": cart.changes if changes is None else changes,
        "is_error": is_error,
        "form": form or CouponForm(initial={"code": checkout.coupon}),
    }
    return render_page(request, "shop/review.html", context, status=status if is_error or form else 200)


def _render_step(
    request: HtmxRequest, step: str, form: Any, *, cart: Cart, checkout: Checkout | None = None
) -> HttpResponse:
    known = checkout or read_checkout(session=request.session)
    context = {"form": form, "cart": cart, "checkout": known, "sums": sum_up(cart=cart, checkout=known)}
    return render_page(request, f"shop/{step}.html", context, status=422 if form.errors else 200)


def _missing_step(*, cart: Cart, checkout: Checkout, before: str) -> str:
    if not cart.count:
        return "shop:cart"
    if not checkout.delivery:
        return "shop:delivery"
    return "shop:payment" if before == "review" and not checkout.card else ""


def _initial(request: HtmxRequest) -> dict[str, Any]:
    """Return what was filled in before; for an account that begins, its own address and where its last parcel went."""
    if known := read_checkout(session=request.session).delivery:
        return {"email": known.email, **msgspec.structs.asdict(known.ship_to)}
    if not request.user.is_authenticated:
        return {}
    last = next(iter(addresses_of(user_id=request.user.pk)), None)
    return {"email": request.user.email, **(msgspec.structs.asdict(last.ship_to) if last else {})}

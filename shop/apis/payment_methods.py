"""Cards become payment methods."""

from datetime import UTC, datetime

from django.http import HttpResponse
from rest_framework.request import Request
from rest_framework.views import APIView

from payments.services import CardRefused, PaymentsUnavailable, tokenize_card
from shop.apis.answers import answer
from shop.apis.documents import describe
from shop.apis.problems import Refusal, refuse_fields
from shop.apis.reading import read_body
from shop.apis.throttles import CheckoutThrottle
from shop.apis.values import CardRequest, PaymentMethod

_RETRY_SECONDS = 5


class PaymentMethods(APIView):
    """Tokens for cards."""

    throttle_classes = [CheckoutThrottle]

    @describe(
        name="create_payment_method",
        summary="Turn a card into a payment method",
        tag="Payment methods",
        takes=CardRequest,
        gives=PaymentMethod,
        status=201,
        refuses={503: "The payment provider cannot be reached; `Retry-After` says when to try again."},
    )
    def post(self, request: Request) -> HttpResponse:
        """Return the id to pay with. Only the demo cards are taken."""
        card = read_body(request=request, kind=CardRequest)
        _check_expiry(card=card)
        try:
            made = tokenize_card(
                number=card.number,
                expiry_month=card.expiry_month,
                expiry_year=card.expiry_year,
                cvc=card.cvc,
            )
        except CardRefused as refused:
            raise refuse_fields({"number": [str(refused)]}) from refused
        except PaymentsUnavailable as error:
            raise Refusal(503, str(error), retry_after=_RETRY_SECONDS) from error
        return answer(PaymentMethod(id=made.id, brand=made.brand, last4=made.last4), status=201)


def _check_expiry(*, card: CardRequest) -> None:
    today = datetime.now(tz=UTC)
    if (card.expiry_year, card.expiry_month) < (today.year, today.month):
        raise refuse_fields({"expiry_year": ["This card has expired; take another."]})

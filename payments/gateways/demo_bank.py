"""The demo bank's API, spoken over HTTP (see stack/bank)."""

from collections.abc import Callable
from typing import Any, TypeVar
from uuid import UUID

import httpx
import msgspec

from events.values import Card
from payments.gateways import (
    ActionRequired,
    Captured,
    CardRefused,
    Charge,
    Declined,
    Outcome,
    PaymentMethod,
    Unknown,
)
from workers import DependencyDown, PermanentError, TransientError

T = TypeVar("T")

CONNECT_TIMEOUT_SECONDS = 2.0
CONNECTIONS = 64

READY_MADE = frozenset(
    {
        "pm_card_visa",
        "pm_card_declined",
        "pm_card_insufficient_funds",
        "pm_card_expired",
        "pm_card_incorrect_cvc",
        "pm_card_processing_error",
        "pm_card_authentication_required",
        "pm_card_authentication_then_declined",
        "pm_card_timeout",
        "pm_card_gateway_down",
    }
)

# A token the bank does not know stands for no card that could be described.
NO_CARD = Card(brand="unknown", last4="0000")


class ChargeAnswer(msgspec.Struct, frozen=True):
    """What we read of the bank's description of a charge."""

    id: str
    status: str
    brand: str
    last4: str
    decline_code: str | None = None
    action_url: str | None = None

    @property
    def outcome(self) -> Outcome:
        """The answer in our words."""
        card = Card(brand=self.brand, last4=self.last4)
        match self.status:
            case "captured":
                return Captured(charge_id=self.id, card=card)
            case "declined":
                return Declined(charge_id=self.id, card=card, code=self.decline_code or "card_declined")
            case "requires_action":
                return ActionRequired(charge_id=self.id, card=card, url=self.action_url or "")
        raise PermanentError(f"The bank knows a status {self.status!r} of a charge that we do not; teach us.")


class PaymentMethodAnswer(msgspec.Struct, frozen=True):
    """What we read of the bank's description of a payment method."""

    id: str
    brand: str
    last4: str


class RefundAnswer(msgspec.Struct, frozen=True):
    """What we read of the bank's description of a refund."""

    id: str


class Complaint(msgspec.Struct, frozen=True):
    """What the bank says when it refuses a call."""

    code: str = "no_code"
    message: str = "The bank refused without saying why."


class Refusal(msgspec.Struct, frozen=True):
    """The envelope of a complaint."""

    error: Complaint = Complaint()


class DemoBank:
    """The demo bank behind our own calls; one of it serves all threads of a process."""

    ready_made = READY_MADE

    def __init__(self, *, url: str, timeout_seconds: float) -> None:
        self._client = httpx.Client(
            base_url=url,
            timeout=httpx.Timeout(timeout_seconds, connect=min(CONNECT_TIMEOUT_SECONDS, timeout_seconds)),
            limits=httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS),
            trust_env=False,
        )

    def tokenize(self, *, number: str, expiry_month: int, expiry_year: int, cvc: str) -> PaymentMethod:
        """See `Gateway`."""
        card = {"number": number, "expiry_month": expiry_month, "expiry_year": expiry_year, "cvc": cvc}
        response = _hearing(lambda: self._client.post("/payment_methods", json=card))
        if response.status_code == httpx.codes.UNPROCESSABLE_ENTITY:
            complaint = _complaint(response)
            raise CardRefused(code=complaint.code, message=complaint.message)
        made = _read(response, PaymentMethodAnswer)
        return PaymentMethod(id=made.id, card=Card(brand=made.brand, last4=made.last4))

    def charge(self, charge: Charge) -> Outcome:
        """See `Gateway`."""
        response = _answer_in_time(
            lambda: self._client.post("/charges", json=_request(charge), headers=_key(charge.attempt_id))
        )
        if isinstance(response, Unknown):
            return response
        if response.is_client_error and _complaint(response).code == "unknown_payment_method":
            return Declined(charge_id="", card=NO_CARD, code="unknown_payment_method")
        return _read(response, ChargeAnswer).outcome

    def confirm(self, *, charge_id: str) -> Outcome:
        """See `Gateway`."""
        response = _answer_in_time(lambda: self._client.post(f"/charges/{charge_id}/confirm"))
        return response if isinstance(response, Unknown) else _read(response, ChargeAnswer).outcome

    def find_charge(self, *, attempt_id: UUID) -> Outcome | None:
        """See `Gateway`."""
        key = {"idempotency_key": str(attempt_id)}
        response = _hearing(lambda: self._client.get("/charges", params=key))
        found = _read(response, list[ChargeAnswer])
        return found[0].outcome if found else None

    def refund(self, *, refund_id: UUID, charge_id: str, amount: int) -> str:
        """See `Gateway`."""
        refund = {"charge": charge_id, "amount": amount}
        response = _hearing(lambda: self._client.post("/refunds", json=refund, headers=_key(refund_id)))
        return _read(response, RefundAnswer).id

    def close(self) -> None:
        """See `Gateway`."""
        self._client.close()


def _request(charge: Charge) -> dict[str, Any]:
    return {
        "amount": charge.amount,
        "currency": charge.currency,
        "payment_method": charge.payment_method,
        "reference": charge.order_number,
        "return_url": charge.return_url,
    }


def _key(key: UUID) -> dict[str, str]:
    return {"Idempotency-Key": str(key)}


def _answer_in_time(call: Callable[[], httpx.Response]) -> httpx.Response | Unknown:
    try:
        return _reached(call)
    except httpx.ReadTimeout:
        return Unknown()


def _hearing(call: Callable[[], httpx.Response]) -> httpx.Response:
    try:
        return _reached(call)
    except httpx.ReadTimeout as error:
        raise TransientError("The bank did not answer in time.") from error


def _reached(call: Callable[[], httpx.Response]) -> httpx.Response:
    try:
        return _working(call())
    except (httpx.ConnectError, httpx.ConnectTimeout) as error:
        raise DependencyDown(f"The bank cannot be reached: {error}. Is it running?") from error
    except httpx.ReadTimeout:
        raise
    except httpx.TransportError as error:
        # The connection broke, perhaps after the bank had done its work. The same call again, with the same
        # key, finds out.
        raise TransientError(f"The connection to the bank broke: {error!r}") from error


def _working(response: httpx.Response) -> httpx.Response:
    if not response.is_server_error:
        return response
    message = f"The bank answered {response.status_code} {_complaint(response).code}."
    # With Retry-After the bank speaks of itself, not of this one request.
    raise DependencyDown(message) if "retry-after" in response.headers else TransientError(message)


def _complaint(response: httpx.Response) -> Complaint:
    try:
        return msgspec.json.decode(response.content, type=Refusal).error
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Complaint()


def _read(response: httpx.Response, kind: type[T]) -> T:
    if response.is_client_error:
        complaint = _complaint(response)
        raise PermanentError(f"The bank refused the call ({complaint.code}): {complaint.message}")
    try:
        return msgspec.json.decode(response.content, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise TransientError(f"The bank's answer cannot be read: {error}") from error

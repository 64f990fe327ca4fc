"""The demo bank's API, spoken over HTTP (see stack/bank)."""

from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import urlencode
from uuid import UUID

import msgspec
import urllib3
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError, ReadTimeoutError

from events.context import trace_headers
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
Answer = urllib3.BaseHTTPResponse

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
        connect = min(CONNECT_TIMEOUT_SECONDS, timeout_seconds)
        self._path = urllib3.util.parse_url(url).path or ""
        self._pool = urllib3.connection_from_url(
            url,
            maxsize=CONNECTIONS,
            timeout=urllib3.Timeout(connect=connect, read=timeout_seconds),
            retries=False,
        )

    def tokenize(self, *, number: str, expiry_month: int, expiry_year: int, cvc: str) -> PaymentMethod:
        """See `Gateway`."""
        card = {"number": number, "expiry_month": expiry_month, "expiry_year": expiry_year, "cvc": cvc}
        answer = self._hear("POST", "/payment_methods", body=card)
        if answer.status == HTTPStatus.UNPROCESSABLE_ENTITY:
            complaint = _complaint(answer)
            raise CardRefused(code=complaint.code, message=complaint.message)
        made = _read(answer, PaymentMethodAnswer)
        return PaymentMethod(id=made.id, card=Card(brand=made.brand, last4=made.last4))

    def charge(self, charge: Charge) -> Outcome:
        """See `Gateway`."""
        try:
            answer = self._call("POST", "/charges", body=_request(charge), key=charge.attempt_id)
        except ReadTimeoutError:
            return Unknown()
        if _is_refusal(answer) and _complaint(answer).code == "unknown_payment_method":
            return Declined(charge_id="", card=NO_CARD, code="unknown_payment_method")
        return _read(answer, ChargeAnswer).outcome

    def confirm(self, *, charge_id: str) -> Outcome:
        """See `Gateway`."""
        try:
            answer = self._call("POST", f"/charges/{charge_id}/confirm")
        except ReadTimeoutError:
            return Unknown()
        return _read(answer, ChargeAnswer).outcome

    def find_charge(self, *, attempt_id: UUID) -> Outcome | None:
        """See `Gateway`."""
        query = urlencode({"idempotency_key": str(attempt_id)})
        found = _read(self._hear("GET", f"/charges?{query}"), list[ChargeAnswer])
        return found[0].outcome if found else None

    def refund(self, *, refund_id: UUID, charge_id: str, amount: int) -> str:
        """See `Gateway`."""
        refund = {"charge": charge_id, "amount": amount}
        return _read(self._hear("POST", "/refunds", body=refund, key=refund_id), RefundAnswer).id

    def close(self) -> None:
        """See `Gateway`."""
        self._pool.close()

    def _hear(self, method: str, path: str, *, body: Any = None, key: UUID | None = None) -> Answer:
        try:
            return self._call(method, path, body=body, key=key)
        except ReadTimeoutError as error:
            raise TransientError("The bank did not answer in time.") from error

    def _call(self, method: str, path: str, *, body: Any = None, key: UUID | None = None) -> Answer:
        headers = {"Content-Type": "application/json", **trace_headers()}
        if key:
            headers["Idempotency-Key"] = str(key)
        content = None if body is None else msgspec.json.encode(body)
        try:
            return _working(self._pool.urlopen(method, self._path + path, body=content, headers=headers))
        except (ConnectTimeoutError, NewConnectionError) as error:
            raise DependencyDown(f"The bank cannot be reached: {error}. Is it running?") from error
        except ReadTimeoutError:
            raise
        except HTTPError as error:
            # The connection broke, perhaps after the bank had done its work. The same call again, with the same
            # key, finds out.
            raise TransientError(f"The connection to the bank broke: {error!r}") from error


def _request(charge: Charge) -> dict[str, Any]:
    return {
        "amount": charge.amount,
        "currency": charge.currency,
        "payment_method": charge.payment_method,
        "reference": charge.order_number,
        "return_url": charge.return_url,
    }


def _working(answer: Answer) -> Answer:
    if answer.status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return answer
    message = f"The bank answered {answer.status} {_complaint(answer).code}."
    # With Retry-After the bank speaks of itself, not of this one request.
    raise DependencyDown(message) if "retry-after" in answer.headers else TransientError(message)


def _is_refusal(answer: Answer) -> bool:
    return HTTPStatus.BAD_REQUEST <= answer.status < HTTPStatus.INTERNAL_SERVER_ERROR


def _complaint(answer: Answer) -> Complaint:
    try:
        return msgspec.json.decode(answer.data, type=Refusal).error
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Complaint()


def _read(answer: Answer, kind: type[T]) -> T:
    if _is_refusal(answer):
        complaint = _complaint(answer)
        raise PermanentError(f"The bank refused the call ({complaint.code}): {complaint.message}")
    try:
        return msgspec.json.decode(answer.data, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise TransientError(f"The bank's answer cannot be read: {error}") from error

"""What the bank answers: one method for each call, from a request to an answer; sockets are elsewhere."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import parse_qsl

import msgspec

from stack.bank import pages
from stack.bank.cards import CARDS_BY_NUMBER, CARDS_BY_TOKEN, Outcome
from stack.bank.ledger import Ledger
from stack.bank.messages import (
    Authentication,
    CardDetails,
    Charge,
    ChargeRequest,
    Control,
    Refund,
    RefundRequest,
    Refused,
)

T = TypeVar("T")

CHARGE_FILTERS = {"reference", "idempotency_key", "status"}
REFUND_FILTERS = {"charge", "idempotency_key"}
NEVER_DISTURBED = {"/livez", "/control"}
JSON = {"Content-Type": "application/json", "Cache-Control": "no-store"}


@dataclass(frozen=True)
class Request:
    """A request as it came in; header names are in lower case."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True)
class Answer:
    """What goes back; a `withheld` answer is kept from the client, who waits until it gives up."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""
    withheld: bool = False


class Bank:
    """The calls of the bank over one ledger."""

    def __init__(self, *, ledger: Ledger, public_url: str) -> None:
        """`public_url` is where a buyer's browser finds the 3-D Secure pages, without a slash at the end."""
        self.ledger = ledger
        self.public_url = public_url
        self.control = Control()
        self.calls: dict[str, Callable[..., Answer]] = {
            "POST /payment_methods": self.create_payment_method,
            "GET /payment_methods/{id}": self.show_payment_method,
            "POST /charges": self.create_charge,
            "GET /charges": self.list_charges,
            "GET /charges/{id}": self.show_charge,
            "POST /charges/{id}/confirm": self.confirm_charge,
            "POST /refunds": self.create_refund,
            "GET /refunds": self.list_refunds,
            "GET /3ds/{id}": self.show_authentication,
            "POST /3ds/{id}": self.answer_authentication,
            "GET /bank.css": self.style,
            "GET /control": self.show_control,
            "POST /control": self.change_control,
            "GET /livez": self.livez,
        }

    def answer(self, request: Request) -> Answer:
        """Answer any request; what is wrong with it is said in the answer."""
        try:
            return self._disturbed(request) or self._dispatch(request)
        except Refused as refusal:
            return _refusal(refusal)

    def _disturbed(self, request: Request) -> Answer | None:
        control = self.control
        if request.path in NEVER_DISTURBED:
            return None
        if control.latency_ms:
            time.sleep(control.latency_ms / 1000)
        if control.outage:
            return _outage()
        return _withheld(self._dispatch(request)) if control.silent else None

    def _dispatch(self, request: Request) -> Answer:
        collection, *rest = request.path.removeprefix("/").split("/")
        name = "/".join([f"{request.method} /{collection}", *(["{id}", *rest[1:]] if rest else [])])
        if name not in self.calls:
            raise Refused(404, "unknown_call", f"There is no {request.method} {request.path}.")
        return self.calls[name](request, *rest[:1])

    def create_payment_method(self, request: Request) -> Answer:
        """Turn a demo card's number into a token."""
        details = _body(request, CardDetails)
        return _json(201, self.ledger.save_payment_method(details=details))

    def show_payment_method(self, _request: Request, token: str) -> Answer:
        """Describe a token."""
        return _json(200, self.ledger.payment_method(token=token))

    def create_charge(self, request: Request) -> Answer:
        """Charge a card, once for each idempotency key."""
        charge = self.ledger.charge(key=_key(request), request=_body(request, ChargeRequest))
        answer = _json(200, self._describe(charge))
        return _withheld(answer) if _is_silent(charge) else answer

    def show_charge(self, _request: Request, charge_id: str) -> Answer:
        """Describe a charge."""
        return _json(200, self._describe(self.ledger.charge_of(charge_id=charge_id)))

    def list_charges(self, request: Request) -> Answer:
        """List charges, all or those of a reference, key or status."""
        charges = self.ledger.charges(filters=_filters(request, CHARGE_FILTERS))
        return _json(200, [self._describe(charge) for charge in charges])

    def confirm_charge(self, _request: Request, charge_id: str) -> Answer:
        """Settle a charge after 3-D Secure."""
        return _json(200, self._describe(self.ledger.confirm(charge_id=charge_id)))

    def create_refund(self, request: Request) -> Answer:
        """Give money back, once for each idempotency key."""
        return _json(
            201,
            _describe_refund(self.ledger.refund(key=_key(request), request=_body(request, RefundRequest))),
        )

    def list_refunds(self, request: Request) -> Answer:
        """List refunds, all or those of a charge or key."""
        refunds = self.ledger.refunds(filters=_filters(request, REFUND_FILTERS))
        return _json(200, [_describe_refund(refund) for refund in refunds])

    def show_authentication(self, _request: Request, charge_id: str) -> Answer:
        """The 3-D Secure page, or where to go if it has been answered."""
        charge = self.ledger.charge_of(charge_id=charge_id)
        return Answer(200, pages.headers(charge=charge), pages.authentication(charge=charge))

    def answer_authentication(self, request: Request, charge_id: str) -> Answer:
        """Keep the card holder's answer and send the browser back to the merchant."""
        given = dict(parse_qsl(request.body.decode("latin-1"))).get("result", "")
        result = _authentication(given)
        charge = self.ledger.authenticate(charge_id=charge_id, result=result)
        return Answer(303, {"Location": charge.return_url, "Cache-Control": "no-store"})

    def style(self, _request: Request) -> Answer:
        """The style sheet of the pages."""
        return Answer(
            200, {"Content-Type": "text/css; charset=utf-8", "Cache-Control": "max-age=3600"}, pages.STYLE
        )

    def show_control(self, _request: Request) -> Answer:
        """How the bank misbehaves now."""
        return _json(200, self.control)

    def change_control(self, request: Request) -> Answer:
        """Misbehave as told; what is not named stays as it is."""
        given = _decode(request.body, dict[str, Any])
        self.control = _convert(msgspec.to_builtins(self.control) | given, Control)
        return _json(200, self.control)

    def livez(self, _request: Request) -> Answer:
        """Say that the ledger answers."""
        self.ledger.charges(filters={"id": ""})
        return _json(200, {"status": "ok"})

    def _describe(self, charge: Charge) -> dict[str, Any]:
        described: dict[str, Any] = msgspec.to_builtins(charge)
        waiting = charge.status == "requires_action"
        return {**described, "action_url": f"{self.public_url}/3ds/{charge.id}" if waiting else None}


def _describe_refund(refund: Refund) -> dict[str, Any]:
    return {**msgspec.to_builtins(refund), "status": "succeeded"}


def _is_silent(charge: Charge) -> bool:
    card = CARDS_BY_TOKEN.get(charge.payment_method) or CARDS_BY_NUMBER_ENDING[charge.last4]
    return card.outcome is Outcome.SILENT


CARDS_BY_NUMBER_ENDING = {card.last4: card for card in CARDS_BY_NUMBER.values()}


def _key(request: Request) -> str:
    key = request.headers.get("idempotency-key", "")
    if not 1 <= len(key) <= 200:
        raise Refused(
            400, "idempotency_key_missing", "Send an Idempotency-Key header of 1 to 200 characters."
        )
    return key


def _body(request: Request, kind: type[T]) -> T:
    return _decode(request.body, kind)


def _decode(body: bytes, kind: type[T]) -> T:
    return _or_invalid(lambda: msgspec.json.decode(body, type=kind))


def _convert(value: object, kind: type[T]) -> T:
    return _or_invalid(lambda: msgspec.convert(value, type=kind))


def _or_invalid(read: Callable[[], T]) -> T:
    try:
        return read()
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Refused(422, "invalid_request", str(error)) from error


def _filters(request: Request, allowed: set[str]) -> dict[str, str]:
    filters = dict(parse_qsl(request.query, keep_blank_values=True))
    if unknown := filters.keys() - allowed:
        raise Refused(422, "unknown_filter", f"Filter by {sorted(allowed)}, not by {sorted(unknown)}.")
    return filters


def _authentication(given: str) -> Authentication:
    result: Authentication = _or_invalid(lambda: msgspec.convert(given, type=Authentication))
    return result


def _json(status: int, value: object) -> Answer:
    return Answer(status, JSON, msgspec.json.encode(value))


def _refusal(refusal: Refused) -> Answer:
    return _json(refusal.status, {"error": {"code": refusal.code, "message": str(refusal)}})


def _outage() -> Answer:
    # Retry-After tells a client that the whole bank is down, not this one request.
    answer = _refusal(Refused(503, "outage", "The bank is closed for the moment."))
    return Answer(answer.status, {**JSON, "Retry-After": "1"}, answer.body)


def _withheld(answer: Answer) -> Answer:
    return Answer(answer.status, answer.headers, answer.body, withheld=True)

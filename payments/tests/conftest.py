"""The real bank, and orders that ask for their money."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID, uuid4

import httpx
import msgspec
import pytest
from django.db import transaction
from uuid_utils.compat import uuid7

from events.orders import OrderCancelled, PaymentRequested, RefundRequested
from payments.gateways import close_gateway
from payments.handlers import worker
from payments.selectors import PaymentValue, payment_of_order
from stack.programs import DemoBank
from workers import Effect, Received
from workers.record import Record, open_record


class Witness:
    """The bank's own ledger, and its buyers' answers."""

    def __init__(self, *, url: str) -> None:
        self.client = httpx.Client(base_url=url, timeout=10)

    def charges(self, request: PaymentRequested) -> list[dict[str, Any]]:
        charges: list[dict[str, Any]] = self.client.get(
            "/charges", params={"reference": request.number}
        ).json()
        return charges

    def refunds(self, request: PaymentRequested) -> list[dict[str, Any]]:
        found = [
            self.client.get("/refunds", params={"charge": charge["id"]}) for charge in self.charges(request)
        ]
        return [refund for response in found for refund in response.json()]

    def buyer_answers(self, action_url: str, result: str) -> httpx.Response:
        return self.client.post(action_url, data={"result": result})

    def misbehave(self, **faults: Any) -> None:
        self.client.post("/control", json=faults).raise_for_status()


@pytest.fixture
def bank(bank_server: DemoBank) -> Iterator[Witness]:
    close_gateway()
    witness = Witness(url=bank_server.url)
    yield witness
    witness.misbehave(latency_ms=0, outage=False, silent=False)
    witness.client.close()
    close_gateway()


@pytest.fixture
def impatient(bank: Witness, settings: Any) -> None:
    """Wait for the bank for a moment only."""
    settings.BANK_TIMEOUT_SECONDS = 0.5


@pytest.fixture
def ask() -> Callable[..., PaymentRequested]:
    """Make an order ask for its money, by default a new order."""

    def request(
        payment_method: str = "pm_card_visa", *, order_id: UUID | None = None, number: str = ""
    ) -> Any:
        return PaymentRequested(
            order_id=order_id or uuid7(),
            number=number or f"WB-{uuid4().hex[:12]}",
            amount=2480,
            currency="EUR",
            payment_method=payment_method,
        )

    return request


def cancelled(request: PaymentRequested) -> OrderCancelled:
    return OrderCancelled(order_id=request.order_id, number=request.number, cancelled_by="buyer")


def refund_requested(request: PaymentRequested) -> RefundRequested:
    return RefundRequested(
        order_id=request.order_id, number=request.number, requested_by="staff", reason="damaged"
    )


def worth_a_return(
    request: PaymentRequested, *, amount: int, return_id: UUID | None = None
) -> RefundRequested:
    return msgspec.structs.replace(refund_requested(request), amount=amount, return_id=return_id or uuid7())


def payment_of(request: PaymentRequested) -> PaymentValue:
    payment = payment_of_order(order_id=request.order_id)
    assert payment is not None
    return payment


def received(record: Record) -> Received[Any]:
    event = open_record(worker=worker, record=record).event
    assert event is not None
    return event


def perform_only(effect: Effect, event: Received[Any]) -> None:
    """Handle an event as far as a worker comes that dies before it has recorded the outcome."""
    with transaction.atomic():
        [intent] = effect.prepare([event])
    effect.perform(intent)

"""The payments service: what it hears, and what it does about it."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings

from events.orders import OrderCancelled, OrderRejected, PaymentRequested, RefundRequested
from events.payments import AuthenticationReturned
from payments import charges, refunds
from payments.gateways import Charge, Outcome, gateway
from workers import Performed, Received, Worker

worker = Worker("payments", dead_letter="hold")


@worker.effect(PaymentRequested)
class ChargeCard:
    """An order asks for its money."""

    def prepare(self, events: Sequence[Received[PaymentRequested]]) -> Sequence[Charge | None]:
        """Begin one attempt for each event."""
        return charges.begin_charges(events=events)

    def perform(self, intent: Charge) -> Outcome:
        """Charge the card."""
        return gateway().charge(intent)

    def record(self, results: Sequence[Performed[PaymentRequested, Charge, Outcome]]) -> None:
        """Settle the attempts."""
        charges.settle_charges(results=results)


@worker.effect(AuthenticationReturned)
class ConfirmCharge:
    """A buyer is back from the bank's 3-D Secure page."""

    def prepare(
        self, events: Sequence[Received[AuthenticationReturned]]
    ) -> Sequence[charges.Confirmation | None]:
        """Find the charges that wait for these buyers."""
        return charges.begin_confirmations(events=events)

    def perform(self, intent: charges.Confirmation) -> Outcome:
        """Ask the bank to settle the charge."""
        return gateway().confirm(charge_id=intent.charge_id)

    def record(
        self, results: Sequence[Performed[AuthenticationReturned, charges.Confirmation, Outcome]]
    ) -> None:
        """Settle the attempts."""
        charges.settle_charges(results=results)


@worker.effect(OrderCancelled, OrderRejected, RefundRequested)
class GiveBack:
    """An order is off, or staff gives its money back."""

    def prepare(self, events: Sequence[Received[refunds.Reason]]) -> Sequence[refunds.Repayment | None]:
        """Begin a refund of what was captured, and charge an order that has ended no more."""
        return refunds.begin_refunds(events=events)

    def perform(self, intent: refunds.Repayment) -> str:
        """Give the money back."""
        return gateway().refund(refund_id=intent.refund_id, charge_id=intent.charge_id, amount=intent.amount)

    def record(self, results: Sequence[Performed[refunds.Reason, refunds.Repayment, str]]) -> None:
        """Settle the refunds."""
        refunds.settle_refunds(results=results)


@worker.every(seconds=60)
class MakeOverdueRefunds:
    """Refunds that were begun and never made: whatever became of their event, the buyer is owed the money."""

    def due(self) -> Sequence[refunds.Repayment]:
        """Find some of them."""
        return refunds.begin_overdue_refunds()

    def perform(self, intent: refunds.Repayment) -> str:
        """Give the money back, by the key of the first try."""
        return gateway().refund(refund_id=intent.refund_id, charge_id=intent.charge_id, amount=intent.amount)

    def record(self, results: Sequence[Performed[Any, refunds.Repayment, str]]) -> None:
        """Settle the refunds."""
        refunds.settle_refunds(results=results)


@worker.every(seconds=60)
def look_after_forgotten_attempts() -> None:
    """Have attempts checked whose event was given up after they had begun: the bank may have taken the money."""
    charges.look_after_forgotten()


@worker.every(seconds=settings.SWEEP_SECONDS)
class Reconcile:
    """Attempts that nobody knows the outcome of, and buyers who never came back."""

    def due(self) -> Sequence[charges.Check]:
        """Find the attempts whose turn it is."""
        return charges.begin_checks()

    def perform(self, intent: charges.Check) -> Outcome | None:
        """Ask the bank by the attempt's key; charge with that same key if the bank never heard of it."""
        if intent.charge_id:
            return gateway().confirm(charge_id=intent.charge_id)
        found = gateway().find_charge(attempt_id=intent.attempt_id)
        return gateway().charge(intent.charge) if found is None and intent.may_charge else found

    def record(self, results: Sequence[Performed[Any, charges.Check, Outcome | None]]) -> None:
        """Settle the attempts."""
        charges.settle_charges(results=results)

"""The notifications service: what it hears, and what it writes to buyers about it."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings

from notifications.ledger import begin_mails, begin_overtaking_mails, settle_mails
from notifications.letters import LETTERS
from notifications.mails import Mail
from notifications.sending import Outcome, send
from workers import Performed, Received, Worker

worker = Worker("notifications", dead_letter="release", gather_ms=100)


@worker.effect(*LETTERS)
class WriteToBuyer:
    """Something happened that a buyer should hear of."""

    def prepare(self, events: Sequence[Received[Any]]) -> Sequence[Mail | None]:
        """Enter the mails in the ledger."""
        return begin_mails(events=events)

    def perform(self, intent: Mail) -> Outcome:
        """Send one."""
        return send(mail=intent)

    def record(self, results: Sequence[Performed[Any, Mail, Outcome]]) -> None:
        """Settle the ledger."""
        settle_mails(results=results)


@worker.every(seconds=settings.SWEEP_SECONDS)
class WriteAboutOvertakenOrders:
    """News of an order that came before the order itself did: topics keep no order between each other."""

    def due(self) -> Sequence[Mail]:
        """Find the mails whose order is known by now."""
        return begin_overtaking_mails()

    def perform(self, intent: Mail) -> Outcome:
        """Send one."""
        return send(mail=intent)

    def record(self, results: Sequence[Performed[Any, Mail, Outcome]]) -> None:
        """Settle the ledger."""
        settle_mails(results=results)

"""The demo cards: each number, and each ready-made payment method, stands for one outcome."""

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """What the bank does when a card is charged."""

    APPROVED = "approved"
    DECLINED = "declined"
    STUMBLES = "stumbles"  # a processing error the first time, approved the second
    AUTHENTICATES = "authenticates"  # asks for 3-D Secure; then approved, or declined if it has a code
    SILENT = "silent"  # takes the money and never answers
    DOWN = "down"  # the acquirer behind this card cannot be reached


@dataclass(frozen=True)
class Card:
    """A demo card; `token` is the ready-made payment method that stands for it."""

    token: str
    number: str
    outcome: Outcome
    decline_code: str = ""
    brand: str = "visa"

    @property
    def last4(self) -> str:
        """The last four digits, all that is ever kept of the number."""
        return self.number[-4:]


CARDS = (
    Card("pm_card_visa", "4242424242424242", Outcome.APPROVED),
    Card("pm_card_declined", "4000000000000002", Outcome.DECLINED, "card_declined"),
    Card("pm_card_insufficient_funds", "4000000000009995", Outcome.DECLINED, "insufficient_funds"),
    Card("pm_card_expired", "4000000000000069", Outcome.DECLINED, "expired_card"),
    Card("pm_card_incorrect_cvc", "4000000000000127", Outcome.DECLINED, "incorrect_cvc"),
    Card("pm_card_processing_error", "4000000000000119", Outcome.STUMBLES),
    Card("pm_card_authentication_required", "4000002760003184", Outcome.AUTHENTICATES),
    Card("pm_card_authentication_then_declined", "4000008400001629", Outcome.AUTHENTICATES, "card_declined"),
    Card("pm_card_timeout", "4000000000408007", Outcome.SILENT),
    Card("pm_card_gateway_down", "4000000000503005", Outcome.DOWN),
)
CARDS_BY_NUMBER = {card.number: card for card in CARDS}
CARDS_BY_TOKEN = {card.token: card for card in CARDS}

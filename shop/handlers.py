"""The wishlists worker: hears of prices and stock, and writes to those who wait for them.

One fact about a product becomes one event for each account, so that each mail is tried, parked and given up by itself.
"""

from collections.abc import Sequence

from events import Received
from events.products import PriceChanged
from events.stock import StockArrived
from events.wishlists import WishCameTrue
from notifications.sending import Outcome, hand_over
from shop import wishes
from workers import Performed, Worker

worker = Worker("wishlists", dead_letter="release")


@worker.on(PriceChanged)
def tell_of_lower_prices(events: Sequence[Received[PriceChanged]]) -> None:
    """Find the wishes for each product that costs less than their owners have heard of."""
    for event in events:
        wishes.tell_lower_price(event=event)


@worker.on(StockArrived)
def tell_of_stock(events: Sequence[Received[StockArrived]]) -> None:
    """Find the wishes for each product that is back."""
    for event in events:
        wishes.tell_stock(event=event)


@worker.effect(WishCameTrue)
class WriteMail:
    """Somebody waits for this product."""

    def prepare(self, events: Sequence[Received[WishCameTrue]]) -> Sequence[wishes.WishMail | None]:
        """Write the mails, none where the wish was dropped meanwhile."""
        return wishes.write_mails(events=events)

    def perform(self, intent: wishes.WishMail) -> Outcome:
        """Hand the mail over; a second time it has the same Message-ID."""
        return hand_over(message=intent.message, to=intent.to)

    def record(self, results: Sequence[Performed[WishCameTrue, wishes.WishMail, Outcome]]) -> None:
        """Nothing is kept of the mail: that its wish was told stands with the wish."""

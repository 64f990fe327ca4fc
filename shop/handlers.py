"""The wishlists worker: hears of prices and stock, and writes to those who wait for them; of orders that ended
without a sale, and lets their coupons be used again.

One fact about a product becomes one event for each account, so that each mail is tried, parked and given up by itself.
"""

from collections.abc import Sequence

from events import Received
from events.orders import OrderCancelled, OrderRejected
from events.products import PriceChanged
from events.stock import StockArrived
from events.wishlists import WishCameTrue
from notifications.sending import Outcome, hand_over
from shop import wishes
from shop.coupons import give_back
from workers import Performed, Worker

worker = Worker("wishlists", dead_letter="release", gather_ms=500)


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


@worker.on(OrderRejected, OrderCancelled)
def give_coupons_back(events: Sequence[Received[OrderRejected | OrderCancelled]]) -> None:
    """Let the coupons of orders that came to nothing be used again."""
    give_back(order_ids=[event.order_id for event in events])


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

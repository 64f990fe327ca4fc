"""The order's WebSocket: hints that the timeline has grown, nothing else."""

from channels.db import database_sync_to_async

from orders.selectors import OrderNotFound, get_live_order
from workers.live import LiveFeed, LiveSocket

# Who holds no order's token is a stranger to all of them: whether one is close to a real token is not told.
NOT_YOURS = 4403


class OrderConsumer(LiveSocket):
    """Sends `{"order": number, "sequence": N}` whenever the order has a new latest entry.

    The order of the steps closes the gap between the page's rendering and the subscription: authorise, accept,
    watch the order, only then read the latest sequence and send it.
    """

    feed = LiveFeed(topics=["orders"])
    _number = ""
    _latest = 0

    async def connect(self) -> None:
        token = self.scope["url_route"]["kwargs"]["token"]
        await self.accept()
        try:
            order = await database_sync_to_async(get_live_order)(token=token)
        except OrderNotFound:
            await self.close(code=NOT_YOURS)
            return
        if await self.watch(key=str(order.order_id)):
            order = await database_sync_to_async(get_live_order)(token=token)
            self._number = order.number
            await self.live_hint(sequence=order.sequence)

    async def live_hint(self, *, sequence: int) -> None:
        """Tell the page; what comes before the first read has ended is told with it."""
        self._latest = max(self._latest, sequence)
        if self._number:
            await self.send_json({"order": self._number, "sequence": self._latest})

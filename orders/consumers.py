"""The order's WebSocket: hints that the timeline has grown, nothing else."""

from typing import Any

from channels.db import database_sync_to_async

from orders.selectors import LiveOrder, OrderNotFound, get_live_order
from workers.live import LiveFeed, LiveSocket

# Who holds no order's token is a stranger to all of them: whether one is close to a real token is not told.
NOT_YOURS = 4403


class OrderConsumer(LiveSocket):
    """Sends `{"order": number, "sequence": N}` whenever the order has a new latest entry.

    The order of the steps closes the gap between the page's rendering and the subscription: authorise, accept,
    join the group, only then read the latest sequence and send it.
    """

    feed = LiveFeed(topics=["orders"])
    _order: LiveOrder | None = None

    async def connect(self) -> None:
        token = self.scope["url_route"]["kwargs"]["token"]
        await self.accept()
        try:
            order = await database_sync_to_async(get_live_order)(token=token)
        except OrderNotFound:
            await self.close(code=NOT_YOURS)
            return
        if await self.watch(key=str(order.order_id)):
            self._order = await database_sync_to_async(get_live_order)(token=token)
            await self._hint(self._order.sequence)

    async def live_hint(self, message: dict[str, Any]) -> None:
        """Pass a hint of the live feed on to the page."""
        await self._hint(message["sequence"])

    async def _hint(self, sequence: int) -> None:
        if self._order:
            await self.send_json({"order": self._order.number, "sequence": sequence})

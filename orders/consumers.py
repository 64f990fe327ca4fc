"""The order's WebSocket: hints that the timeline has grown, nothing else."""

from typing import Any
from uuid import UUID

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer

from orders.selectors import LiveOrder, OrderNotFound, get_live_order
from workers.live import LiveFeed, live_group

# Who holds no order's token is a stranger to all of them: whether one is close to a real token is not told.
NOT_YOURS = 4403
TRY_AGAIN_LATER = 1013
_FEED_SECONDS = 5.0

feed = LiveFeed(topics=["orders"])


class OrderConsumer(AsyncJsonWebsocketConsumer):  # type: ignore[misc]  # channels has no types
    """Sends `{"order": number, "sequence": N}` whenever the order has a new latest entry.

    The order of the steps closes the gap between the page's rendering and the subscription: authorise, accept,
    join the group, only then read the latest sequence and send it.
    """

    _order: LiveOrder | None = None
    _watched = ""

    async def connect(self) -> None:
        token = self.scope["url_route"]["kwargs"]["token"]
        await self.accept()
        try:
            order = await database_sync_to_async(get_live_order)(token=token)
        except OrderNotFound:
            await self.close(code=NOT_YOURS)
            return
        if not await feed.ready(timeout=_FEED_SECONDS):
            await self.close(code=TRY_AGAIN_LATER)
            return
        await self._subscribe(order.order_id)
        self._order = await database_sync_to_async(get_live_order)(token=token)
        await self._hint(self._order.sequence)

    async def disconnect(self, code: int) -> None:  # noqa: ARG002  (Channels calls it with the code)
        if self._watched:
            feed.unwatch(key=self._watched)
            await self.channel_layer.group_discard(live_group(key=self._watched), self.channel_name)
            self._watched = ""

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None, **_: Any) -> None:
        """Ignore what a page might say, be it JSON or not: this socket only speaks."""

    async def live_hint(self, message: dict[str, Any]) -> None:
        """Pass a hint of the live feed on to the page."""
        await self._hint(message["sequence"])

    async def _subscribe(self, order_id: UUID) -> None:
        self._watched = str(order_id)
        feed.watch(key=self._watched)
        await self.channel_layer.group_add(live_group(key=self._watched), self.channel_name)

    async def _hint(self, sequence: int) -> None:
        if self._order:
            await self.send_json({"order": self._order.number, "sequence": sequence})

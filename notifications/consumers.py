"""The bell's WebSocket: hints that an account has news, nothing else."""

from typing import Any

from channels.generic.websocket import AsyncJsonWebsocketConsumer

from events.notifications import account_key
from workers.live import LiveFeed, live_group

NOT_SIGNED_IN = 4401
TRY_AGAIN_LATER = 1013
_FEED_SECONDS = 5.0

feed = LiveFeed(topics=["notifications"])


class NoticeConsumer(AsyncJsonWebsocketConsumer):  # type: ignore[misc]  # channels has no types
    """Sends `{"unread": "changed"}` to the account of the session when it has a new notice.

    It says so once at the beginning too, so that what came between the page's rendering and the subscription is
    not missed.
    """

    _watched = ""

    async def connect(self) -> None:
        await self.accept()
        user = self.scope["user"]
        if not user.is_authenticated:
            await self.close(code=NOT_SIGNED_IN)
            return
        if not await feed.ready(timeout=_FEED_SECONDS):
            await self.close(code=TRY_AGAIN_LATER)
            return
        await self._subscribe(account_key(account_id=user.pk))
        await self.live_hint({})

    async def disconnect(self, code: int) -> None:  # noqa: ARG002  (Channels calls it with the code)
        if self._watched:
            feed.unwatch(key=self._watched)
            await self.channel_layer.group_discard(live_group(key=self._watched), self.channel_name)
            self._watched = ""

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None, **_: Any) -> None:
        """Ignore what a page might say: this socket only speaks."""

    async def live_hint(self, message: dict[str, Any]) -> None:  # noqa: ARG002  (the page asks what is new)
        """Tell the page to ask for the count."""
        await self.send_json({"unread": "changed"})

    async def _subscribe(self, key: str) -> None:
        self._watched = key
        feed.watch(key=key)
        await self.channel_layer.group_add(live_group(key=key), self.channel_name)

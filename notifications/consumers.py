"""The bell's WebSocket: hints that an account has news, nothing else."""

from events.notifications import account_key
from workers.live import LiveFeed, LiveSocket

NOT_SIGNED_IN = 4401


class NoticeConsumer(LiveSocket):
    """Sends `{"unread": "changed"}` to the account of the session when it has a new notice.

    It says so once at the beginning too, so that what came between the page's rendering and the subscription is
    not missed.
    """

    feed = LiveFeed(topics=["notifications"])

    async def connect(self) -> None:
        await self.accept()
        user = self.scope["user"]
        if not user.is_authenticated:
            await self.close(code=NOT_SIGNED_IN)
        elif await self.watch(key=account_key(account_id=user.pk)):
            await self.live_hint(sequence=0)

    async def live_hint(self, *, sequence: int) -> None:  # noqa: ARG002  (the page asks what is new)
        """Tell the page to ask for the count."""
        await self.send_json({"unread": "changed"})

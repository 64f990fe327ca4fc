"""Topic `notifications`: what the buyer was told."""

from uuid import UUID

from events.declaration import Event, Fact, event


@event(topic="notifications")
class EmailSent(Event, frozen=True, kw_only=True):
    """A mail of this kind left for the buyer."""

    email_id: UUID
    kind: str


def account_key(*, account_id: int) -> str:
    """Return the key of the records about one account."""
    return f"account-{account_id}"


@event(topic="notifications")
class BuyerNotified(Fact, frozen=True, kw_only=True):
    """An account has a new notice about one of its orders; a record's key is the account's."""

    account_id: int
    order_id: UUID
    kind: str

    @property
    def key(self) -> str:
        """The account's."""
        return account_key(account_id=self.account_id)

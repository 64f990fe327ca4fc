"""Topic `notifications`: what the buyer was told."""

from uuid import UUID

from events.declaration import Event, event


@event(topic="notifications")
class EmailSent(Event, frozen=True, kw_only=True):
    """A mail of this kind left for the buyer."""

    email_id: UUID
    kind: str

"""What happened, declared once, and the outbox that carries it out of the transaction it happened in.

publish(OrderPlaced(...), aggregate_type="order", aggregate_id=order.id, version=order.sequence)
"""

from typing import TYPE_CHECKING

from events.declaration import Event, Fact, event
from events.envelope import Cause, Received

if TYPE_CHECKING:
    from events.outbox import Outgoing, publish, publish_all

__all__ = ["Cause", "Event", "Fact", "Outgoing", "Received", "event", "publish", "publish_all"]


def __getattr__(name: str) -> object:
    # The outbox needs Django's models, which are not there yet when Django imports this package.
    if name in {"Outgoing", "publish", "publish_all"}:
        from events import outbox

        return getattr(outbox, name)
    raise AttributeError(name)

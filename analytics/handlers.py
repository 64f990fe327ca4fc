"""The analytics worker: adds every event to the figures."""

from collections.abc import Sequence
from typing import Any

from analytics.projection import HEARD, Figures
from analytics.services import add_figures
from events import Received
from workers import Worker

worker = Worker("analytics", dead_letter="release", gather_ms=100)


@worker.on(*HEARD)
def count(events: Sequence[Received[Any]]) -> None:
    """Add a batch to the read models."""
    add_figures(figures=Figures().add(events))

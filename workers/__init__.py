"""The event runtime: a service declares a `Worker` in its `handlers.py`, and `run_worker NAME` runs it.

At-least-once transport, exactly-once database effect within inbox retention, per-order ordering that holds
through retries.
"""

from events.envelope import Received
from workers.failures import DependencyDown, PermanentError, TransientError
from workers.worker import Effect, Performed, Sweep, Worker

__all__ = [
    "DependencyDown",
    "Effect",
    "Performed",
    "PermanentError",
    "Received",
    "Sweep",
    "TransientError",
    "Worker",
]

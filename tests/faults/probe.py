"""`python -m tests.faults.probe GROUP`: a worker that notes what it handles, in a process of its own to be killed.

Its table has no constraint that would hide a second effect. With a crash point, an order and a file, it kills itself
once at that point of a batch with that order, and leaves the file behind. With an order and a number, it fails so
often at that order's second event.
"""

import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import django
from django.db import connection, transaction

NOTES = """
    CREATE TABLE IF NOT EXISTS probe_note (
        id bigserial PRIMARY KEY, consumer text, order_id uuid, step text, event_id uuid
    )
"""
BEFORE_COMMIT, AFTER_COMMIT = "before-commit", "after-commit"


def main() -> None:
    """Run the probe as the consumer group that the first argument names."""
    django.setup()
    from events import Received
    from events.orders import OrderAdvanced
    from workers import Worker
    from workers.management.commands.run_worker import run_one
    from workers.stopping import Stop

    group = sys.argv[1]
    bad_order = os.environ.get("PROBE_FAILS_AT")
    failures = iter(range(int(os.environ.get("PROBE_FAILS_TIMES", "0"))))
    worker = Worker(group, dead_letter="hold")

    @worker.on(OrderAdvanced)
    def note(events: Sequence[Received[OrderAdvanced]]) -> None:
        bad = any(str(event.order_id) == bad_order and event.data.step == "2" for event in events)
        if bad and next(failures, None) is not None:
            raise LookupError("scripted")
        rows = [(group, event.order_id, event.data.step, event.id) for event in events]
        with connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO probe_note (consumer, order_id, step, event_id) VALUES (%s, %s, %s, %s)", rows
            )
        if os.environ.get("PROBE_CRASHES_WITH") in {str(event.order_id) for event in events}:
            _crash_once(at=BEFORE_COMMIT)
            transaction.on_commit(lambda: _crash_once(at=AFTER_COMMIT))

    run_one(name=group, health_port=0, stop=Stop())


def _crash_once(*, at: str) -> None:
    crashed = Path(os.environ.get("PROBE_CRASHED", os.devnull))
    if os.environ.get("PROBE_CRASHES") == at and not crashed.exists():
        crashed.touch()
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main()

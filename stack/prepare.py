"""`python -m stack.prepare`: everything between running servers and a shop that can open its door.

One process for all of it, because loading Django takes longer than most of these commands.
"""

import io
import os
import time
from pathlib import Path

import django
from django.core.management import call_command

from stack.brokers import count_brokers
from stack.state import StateFolder

KAFKA_SECONDS = 60


def prepare(*, state: StateFolder, kafka: str) -> None:
    """Collect static files, migrate, load the demo, ensure a member of staff, create the topics."""
    call_command("collectstatic", "--no-input", verbosity=0)
    call_command("migrate", "--no-input")
    call_command("load_demo")
    if not state.sign_in.exists():
        _create_staff(state=state)
    _wait_for_kafka(bootstrap_servers=kafka)
    call_command("create_topics")


def _create_staff(*, state: StateFolder) -> None:
    printed = io.StringIO()
    # With --reset, because an earlier start may have been cut off before it could keep the password.
    call_command("create_staff", "--reset", stdout=printed)
    state.write_sign_in(text=printed.getvalue())


def _wait_for_kafka(*, bootstrap_servers: str) -> None:
    until = time.monotonic() + KAFKA_SECONDS
    wanted = len(bootstrap_servers.split(","))
    while count_brokers(bootstrap_servers=bootstrap_servers) < wanted and time.monotonic() < until:
        time.sleep(0.1)


if __name__ == "__main__":
    django.setup()
    prepare(
        state=StateFolder(path=Path(os.environ["STACK_DIR"])), kafka=os.environ["KAFKA_BOOTSTRAP_SERVERS"]
    )

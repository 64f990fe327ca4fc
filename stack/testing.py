"""Servers for the tests: one set a run, in a folder that goes away with the run.

The root `conftest.py` calls `export_environment` before Django reads its settings. The addresses are chosen
there and then; the servers behind them start with the fixtures of
`stack/pytest_plugin.py`.

`WAYBILL_TEST_STACK` names the folder of servers that run already (`python -m stack servers FOLDER`), for
developers who run the tests often.
"""

import atexit
import os
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

from stack.brokers import Cluster
from stack.postgres import THROW_AWAY, Postgres
from stack.process import CHECKOUT, Process, stop_all
from stack.programs import DemoBank
from stack.state import StateFolder

READY_SECONDS = 60
STOP_SECONDS = 3
TIMES = {
    "HOLD_SECONDS": "900",
    "PACK_SECONDS": "0.1",
    "DISPATCH_SECONDS": "0.1",
    "TRANSIT_SECONDS": "0.1",
    "SWEEP_SECONDS": "0.1",
    "RETRY_DELAYS": "0.1,0.2,0.4",
}
UNLIMITED = "1000000/min"


class Servers:
    """The servers of one run of the tests, in a folder that goes away with the run."""

    def __init__(self) -> None:
        self.state = StateFolder(path=Path(tempfile.mkdtemp(prefix="waybill-tests-")))
        self.state.create()
        self.postgres = Postgres(state=self.state, settings=THROW_AWAY)
        self.cluster = Cluster(brokers=1, state=self.state)
        self.bank = DemoBank(state=self.state)
        self._sweeper = subprocess.Popen(
            [sys.executable, "-m", "stack.sweeper", str(self.state.path)],
            stdin=subprocess.PIPE,
            cwd=CHECKOUT,
            start_new_session=True,
        )

    def addresses(self) -> dict[str, str]:
        """Return where the servers are, or will be."""
        return {
            "DATABASE_URL": self.postgres.url,
            "KAFKA_BOOTSTRAP_SERVERS": self.cluster.bootstrap_servers,
            "BANK_URL": self.bank.url,
        }

    def process_id(self, *, name: str) -> int:
        """Return the process id of a running server, such as `kafka-1`, for tests that disturb it."""
        return int(self.state.read_processes()[name]["pid"])

    def start(self, server: Process | Cluster) -> None:
        """Start `server` and wait until it is ready."""
        server.start()
        server.wait_until_ready(seconds=READY_SECONDS)

    def stop(self) -> None:
        """Take everything down."""
        stop_all(processes=[self.bank, *self.cluster.brokers, self.postgres], seconds=STOP_SECONDS)
        self._sweeper.communicate()


class RunningServers(Servers):
    """Servers that somebody else started, and will stop."""

    def __init__(self, *, folder: Path) -> None:
        self.running = StateFolder(path=folder)
        super().__init__()

    def addresses(self) -> dict[str, str]:
        """Return what the running servers left in their folder."""
        kept = self.running.read_env()
        return {name: kept[name] for name in super().addresses()}

    def process_id(self, *, name: str) -> int:
        """Return the process id of one of the servers that run."""
        return int(self.running.read_processes()[name]["pid"])

    def start(self, server: Process | Cluster) -> None:
        """Nothing: it runs."""


@cache
def servers() -> Servers:
    """Return the servers of this run."""
    folder = os.environ.get("WAYBILL_TEST_STACK")
    made = RunningServers(folder=Path(folder)) if folder else Servers()
    atexit.register(made.stop)
    return made


def export_environment() -> None:
    """Give this process, and those it starts, the environment in which the tests run."""
    made = servers()
    os.environ.update(
        made.addresses(),
        DJANGO_SETTINGS_MODULE="config.settings",
        SHOP_URL=f"http://127.0.0.1:{made.state.port(name='web')}",
        EMAIL_DIR=str(made.state.mail),
        SECRET_KEY=made.state.secret(name="secret-key"),
        DEBUG="false",
        SECURE_COOKIES="false",
        ALLOWED_HOSTS="localhost,127.0.0.1,testserver",
        THROTTLE_ANONYMOUS=UNLIMITED,
        THROTTLE_CHECKOUT=UNLIMITED,
        **TIMES,
    )

"""A shop to measure: servers of its own, the production doors, and as many workers as a bench asks for."""

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import django

from stack import ports
from stack.brokers import Cluster
from stack.postgres import Postgres
from stack.process import Process, stop_all
from stack.programs import DemoBank, Manage
from stack.state import StateFolder

READY_SECONDS = 120
STOP_SECONDS = 10
# Parcels move at once and nobody is throttled: what is measured is the shop, not the patience of its settings.
TIMES = {
    "HOLD_SECONDS": "3600",
    "PACK_SECONDS": "0",
    "DISPATCH_SECONDS": "0",
    "TRANSIT_SECONDS": "0",
    "SWEEP_SECONDS": "1",
    "RETRY_DELAYS": "2,5,10,20",
    "THROTTLE_ANONYMOUS": "1000000/min",
    "THROTTLE_CHECKOUT": "1000000/min",
    "DEBUG": "false",
    "SECURE_COOKIES": "false",
    "ALLOWED_HOSTS": "127.0.0.1,localhost",
}


class Door(Process):
    """A web server of the shop on a port of its own."""

    def __init__(self, *, name: str, command: Sequence[str], port: int, shop: "Shop") -> None:
        self.port = port
        super().__init__(name=name, command=command, state=shop.state, environment=shop.environment)

    def is_ready(self) -> bool:
        """Whether the door takes connections."""
        return ports.accepts(port=self.port)


class Shop:
    """The servers of one bench, with real disk writes, and what runs in front of them."""

    def __init__(self, *, folder: Path, brokers: int) -> None:
        self.state = StateFolder(path=folder)
        self.state.create()
        self.postgres = Postgres(state=self.state)
        self.cluster = Cluster(brokers=brokers, state=self.state)
        self.bank = DemoBank(state=self.state)
        self.environment: dict[str, str] = {}
        self.sockets_port = 0
        self._running: list[Process] = []

    def start(self) -> None:
        """Start the servers, and load Django in this process with their addresses."""
        self.cluster.prepare(report=print)
        servers = [self.postgres, self.bank, *self.cluster.brokers]
        for server in servers:
            self._running.append(server)
            server.start()
        for server in servers:
            server.wait_until_ready(seconds=READY_SECONDS)
        self.cluster.wait_until_ready(seconds=READY_SECONDS)
        self.environment = {**os.environ, **self._variables()}
        os.environ.update(self._variables())
        django.setup()
        self.run_to_end("stack.prepare")

    def stop(self) -> None:
        """Stop everything, what was opened last first."""
        stop_all(processes=list(reversed(self._running)), seconds=STOP_SECONDS)

    def run_to_end(self, module: str) -> None:
        """Run a module of this checkout and wait for it; raises `RuntimeError` when it fails."""
        process = Process(
            name=module,
            command=[sys.executable, "-m", module],
            state=self.state,
            environment=self.environment,
        )
        process.start()
        process.wait(seconds=READY_SECONDS)
        if process.exit_code != 0:
            raise RuntimeError(f"{module} {process.how_it_ended()}")

    def open_pages(self, *, application: str = "config.wsgi:application", name: str = "web") -> Door:
        """Open granian's door to a WSGI application and return it when it takes connections."""
        port = self.state.port(name=name)
        # Two processes for two cores, each with four threads: one works while the others wait for the database.
        size = ["--workers", "2", "--blocking-threads", "4", "--respawn-failed-workers"]
        options = ["--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port), "--no-ws", *size]
        command = [str(Path(sys.executable).parent / "granian"), *options, application]
        return self._open(Door(name=name, command=command, port=port, shop=self))

    def open_sockets(self) -> Door:
        """Open daphne's door, as production does for `/ws/`."""
        port = self.sockets_port = self.state.port(name="sockets")
        options = ["-b", "127.0.0.1", "-p", str(port), "config.asgi:application"]
        return self._open(
            Door(name="sockets", command=[sys.executable, "-m", "daphne", *options], port=port, shop=self)
        )

    def start_workers(self, *names: str, label: str = "workers") -> Manage:
        """Start these workers as one supervised group of processes; all of them when none is named."""
        workers = Manage(
            "run_worker", *(names or ["--all"]), name=label, state=self.state, environment=self.environment
        )
        workers.start()
        self._running.append(workers)
        return workers

    def end(self, process: Process) -> None:
        """Stop one of what this shop started."""
        stop_all(processes=[process], seconds=STOP_SECONDS)
        self._running.remove(process)

    def _open(self, door: Door) -> Door:
        door.start()
        self._running.append(door)
        door.wait_until_ready(seconds=READY_SECONDS)
        return door

    def _variables(self) -> Mapping[str, str]:
        return {
            "DATABASE_URL": self.postgres.url,
            "KAFKA_BOOTSTRAP_SERVERS": self.cluster.bootstrap_servers,
            "BANK_URL": self.bank.url,
            "SHOP_URL": "http://127.0.0.1:8000",
            "EMAIL_DIR": str(self.state.mail),
            "SECRET_KEY": self.state.secret(name="secret-key"),
            "STACK_DIR": str(self.state.path),
            "DJANGO_SETTINGS_MODULE": "config.settings",
            **{name: os.environ.get(name, value) for name, value in TIMES.items()},
        }


@contextmanager
def running_shop(*, brokers: int = 1) -> Iterator[Shop]:
    """Run a shop in a folder that goes away with it; its processes write to disk as in production."""
    folder = Path(tempfile.mkdtemp(prefix="waybill-bench-"))
    shop = Shop(folder=folder, brokers=brokers)
    try:
        shop.start()
        yield shop
    finally:
        shop.stop()
        shutil.rmtree(folder, ignore_errors=True)


def wait_until(condition: Callable[[], bool], *, seconds: float, what: str) -> None:
    """Return when the condition holds; raises `TimeoutError` with `what` when it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not happen within {seconds:.0f} s.")
        time.sleep(0.05)

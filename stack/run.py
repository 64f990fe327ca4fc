"""What `make run` does: start servers, bank and shop, and keep them alive until Ctrl-C."""

import os
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import FrameType

from stack import ports
from stack.brokers import Cluster
from stack.postgres import Postgres
from stack.process import Process, ProcessFailed, end_leftovers
from stack.programs import DemoBank, Manage, Web
from stack.state import StateFolder
from stack.supervisor import Supervisor

READY_SECONDS = 60
# More than there are workers: each answers for its health on a port of its own.
HEALTH_PORTS = 20
PREPARE_SECONDS = 180
# Half of it for the shop, half for the servers. The last two of three brokers would wait for each other far
# longer; Kafka and PostgreSQL lose nothing when they are killed.
STOP_SECONDS = 8
# How fast the demo lives: parcels move in seconds, and a bench from one address is not throttled.
DEMO = {
    "HOLD_SECONDS": "900",
    "PACK_SECONDS": "3",
    "DISPATCH_SECONDS": "3",
    "TRANSIT_SECONDS": "6",
    "SWEEP_SECONDS": "1",
    "RETRY_DELAYS": "2,5,10,20",
    "THROTTLE_ANONYMOUS": "1000000/min",
    "THROTTLE_CHECKOUT": "1000000/min",
}


class StopRequested(BaseException):
    """Ctrl-C, or a signal that asks for the same."""


class Stack:
    """The servers of one state folder, and what keeps them alive."""

    def __init__(self, *, state: StateFolder, brokers: int | None) -> None:
        self.state = state
        self.started_at = time.monotonic()
        self.supervisor = Supervisor(report=self.report)
        self.postgres = Postgres(state=state)
        self.cluster = Cluster(brokers=brokers, state=state)
        self.bank = DemoBank(state=state)

    def report(self, line: str) -> None:
        """Tell whoever looks at the terminal what happens."""
        print(f"{time.monotonic() - self.started_at:7.1f} s  {line}", flush=True)

    def start(self, *, process: Process) -> None:
        """Start `process`, and from now on keep it running."""
        process.start()
        self.supervisor.watch(process=process)

    def start_servers(self) -> None:
        """Start PostgreSQL, the demo bank and Kafka; only PostgreSQL is ready on return."""
        self.start(process=self.postgres)
        self.start(process=self.bank)
        self.cluster.prepare(report=self.report)
        for broker in self.cluster.brokers:
            self.start(process=broker)
        self.postgres.wait_until_ready(seconds=READY_SECONDS)
        self.report("PostgreSQL is ready")

    def wait_for_kafka(self) -> None:
        """Return when every broker and the bank take work."""
        self.bank.wait_until_ready(seconds=READY_SECONDS)
        self.cluster.wait_until_ready(seconds=READY_SECONDS)
        self.report(f"Apache Kafka is ready, brokers: {len(self.cluster.brokers)}")

    def variables(self, *, port: int) -> dict[str, str]:
        """Return the environment of the shop; the caller's own wins for the demo's times and limits."""
        demo = {name: os.environ.get(name, value) for name, value in DEMO.items()}
        return {
            "DATABASE_URL": self.postgres.url,
            "KAFKA_BOOTSTRAP_SERVERS": self.cluster.bootstrap_servers,
            "BANK_URL": self.bank.url,
            "SHOP_URL": f"http://localhost:{port}",
            "EMAIL_DIR": str(self.state.mail),
            "SECRET_KEY": self.state.secret(name="secret-key"),
            "DEBUG": "false",
            "SECURE_COOKIES": "false",
            **demo,
        }


def run(*, state: StateFolder, brokers: int | None, port: int) -> None:
    """Start the whole shop on `port` and keep it running until Ctrl-C."""
    with _running(state=state, brokers=brokers) as stack:
        ports.require_free(port=port)
        stack.start_servers()
        environment = _publish(stack=stack, port=port)
        _prepare_shop(stack=stack, environment=environment)
        stack.wait_for_kafka()
        health_port = ports.find_free_row(length=HEALTH_PORTS)
        _start_shop(stack=stack, port=port, health_port=health_port, environment=environment)
        _welcome(stack=stack, port=port, health_port=health_port)
        stack.supervisor.run()


def run_servers(*, state: StateFolder, brokers: int | None, port: int) -> None:
    """Start the servers alone, for tests and for a shop started by hand, and keep them running."""
    with _running(state=state, brokers=brokers) as stack:
        stack.start_servers()
        stack.wait_for_kafka()
        _publish(stack=stack, port=port)
        stack.report(f"Addresses: {state.env}. Ctrl-C stops the servers.")
        stack.supervisor.run()


@contextmanager
def _running(*, state: StateFolder, brokers: int | None) -> Iterator[Stack]:
    state.create()
    with state.locked():
        end_leftovers(state=state)
        stack = Stack(state=state, brokers=brokers)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, _request_stop)
        try:
            yield stack
        except StopRequested:
            stack.report("stopping; the data stays")
        finally:
            _stop(stack=stack)


def _request_stop(_number: int, _frame: FrameType | None) -> None:
    raise StopRequested


def _stop(*, stack: Stack) -> None:
    try:
        stack.supervisor.stop(seconds=STOP_SECONDS)
    except StopRequested:
        stack.supervisor.kill()
    # A command of a start that was cut off.
    end_leftovers(state=stack.state)
    stack.report("stopped")


def _publish(*, stack: Stack, port: int) -> dict[str, str]:
    variables = stack.variables(port=port)
    stack.state.write_env(variables=variables)
    named = {"STACK_DIR": str(stack.state.path), "DJANGO_SETTINGS_MODULE": "config.settings"}
    return {**os.environ, **variables, **named}


def _prepare_shop(*, stack: Stack, environment: Mapping[str, str]) -> None:
    stack.report("preparing the database, the catalogue and the topics")
    command = [sys.executable, "-m", "stack.prepare"]
    process = Process(name="prepare", command=command, state=stack.state, environment=environment)
    process.start()
    process.wait(seconds=PREPARE_SECONDS)
    # One that is not done by now ends as killed.
    process.kill()
    if process.exit_code != 0:
        raise ProcessFailed(f"The shop could not be prepared: {process.name} {process.how_it_ended()}")


def _start_shop(*, stack: Stack, port: int, health_port: int, environment: Mapping[str, str]) -> None:
    web = Web(port=port, state=stack.state, environment=environment)
    workers = Manage(
        *("run_worker", "--all", "--health-port", str(health_port)),
        name="workers",
        state=stack.state,
        environment=environment,
    )
    stack.start(process=web)
    stack.start(process=workers)
    web.wait_until_ready(seconds=READY_SECONDS)


def _welcome(*, stack: Stack, port: int, health_port: int) -> None:
    username, password = stack.state.sign_in.read_text().split()
    shop = f"http://localhost:{port}"
    stack.report("everything runs")
    print(
        f"\n  Shop   {shop}/"
        f"\n  Admin  {shop}/admin/   user {username}, password {password}"
        f"\n  API    {shop}/api/v1/docs/"
        f"\n  Pay    with 4242 4242 4242 4242, any date to come, any CVC"
        f"\n  Health http://localhost:{health_port}/metrics   the relay; each worker one port higher, by name"
        f"\n  Mails  {stack.state.mail}"
        f"\n  Logs   {stack.state.logs}"
        "\n\n  Ctrl-C stops all of it; the data stays.\n",
        flush=True,
    )

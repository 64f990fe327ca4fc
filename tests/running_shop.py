"""The whole shop as `make run` starts it, spoken to through its public doors alone."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psutil
import psycopg
from kafka import KafkaConsumer, TopicPartition

from stack import ports
from stack.state import StateFolder
from tests.invariants import Findings, Witnesses, require, settle
from tests.waiting import eventually

CHECKOUT = Path(__file__).resolve().parent.parent
START_SECONDS = 120
FAST = {
    "PACK_SECONDS": "0.5",
    "DISPATCH_SECONDS": "0.5",
    "TRANSIT_SECONDS": "0.5",
    "SWEEP_SECONDS": "0.3",
    "RETRY_DELAYS": "0.5,1,2",
    "BANK_TIMEOUT_SECONDS": "1",
}
PLENTY = "FOX-PRIDE"
_FILL_THE_SHELF = (
    "from inventory.services import adjust_stock;"
    f"adjust_stock(sku='{PLENTY}', quantity=100_000, note='for the tests', by='tests')"
)
ADDRESS = {
    "name": "Ada Example",
    "line1": "1 Example Street",
    "city": "Exampleton",
    "postal_code": "12345",
    "country": "DE",
}


class RunningShop:
    """One running stack: its addresses, its processes, and what a client does with it."""

    def __init__(self, *, state: StateFolder, port: int) -> None:
        self.state = state
        self.url = f"http://127.0.0.1:{port}"
        self._api = httpx.Client(base_url=f"{self.url}/api/v1", timeout=30)
        self.environment: Mapping[str, str] = {}

    def read_addresses(self) -> None:
        """Read where the servers of the stack are."""
        self.environment = self.state.read_env()

    def close(self) -> None:
        """Let go of the connections to the shop."""
        self._api.close()

    # ── what a client of the API does ──

    def post(self, path: str, body: object = None, **headers: str) -> httpx.Response:
        return self._api.post(path, json=body, headers=headers)

    def get(self, path: str, **parameters: Any) -> httpx.Response:
        return self._api.get(path, params=parameters)

    def place(
        self,
        *,
        payment_method: str = "pm_card_visa",
        lines: Sequence[Mapping[str, Any]] | None = None,
        email: str = "ada@example.org",
        key: str | None = None,
        trace: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """POST an order; without `lines`, one piece of some book. `trace` are headers of W3C Trace Context."""
        body = {
            "lines": lines or [{"sku": self.some_sku(), "quantity": 1}],
            "email": email,
            "ship_to": ADDRESS,
            "payment_method": payment_method,
        }
        return self.post("/orders/", body, **{"Idempotency-Key": key or str(uuid4()), **(trace or {})})

    def placed(self, **options: Any) -> str:
        """Place an order that must be accepted; return its token."""
        answer = self.place(**options)
        assert answer.status_code == 202, answer.text
        token: str = answer.json()["token"]
        return token

    def order(self, token: str) -> dict[str, Any]:
        answer = self.get(f"/orders/{token}/")
        assert answer.status_code == 200, answer.text
        order: dict[str, Any] = answer.json()
        return order

    def wait_for(self, token: str, *statuses: str, seconds: float = 60) -> dict[str, Any]:
        """Return the order once it has one of these statuses."""

        def reached() -> dict[str, Any] | None:
            order = self.order(token)
            return order if order["status"] in statuses else None

        found = eventually(reached, seconds=seconds, what=f"order {token} is {' or '.join(statuses)}")
        assert found
        return found

    def some_sku(self) -> str:
        """Return the SKU of a book of which there are plenty."""
        return PLENTY

    def fill_the_shelf(self) -> None:
        """Put so many pieces of that book on the shelf that no test sells them all."""
        self.manage("shell", "-c", _FILL_THE_SHELF)

    def slug_of(self, sku: str) -> str:
        """Return the slug of a product."""
        [slug] = self.query("SELECT slug FROM shop_product WHERE sku = %s", [sku])[0]
        return str(slug)

    def charges(self, number: str) -> list[dict[str, Any]]:
        """Return what the bank's own ledger says of an order."""
        answer = httpx.get(f"{self.environment['BANK_URL']}/charges", params={"reference": number})
        charges: list[dict[str, Any]] = answer.json()
        return charges

    def mails(self, email: str) -> list[str]:
        """Return the text of every mail that was written to an address."""
        folder = Path(self.environment["EMAIL_DIR"])
        texts = [file.read_text(errors="replace") for file in folder.rglob("*") if file.is_file()]
        return [text for text in texts if f"To: {email}" in text]

    # ── what an operator sees ──

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Read from the shop's database."""
        with psycopg.connect(self.environment["DATABASE_URL"]) as connection:
            return connection.execute(sql, parameters).fetchall()

    def now(self) -> datetime:
        """Return the time on the database's clock."""
        [[now]] = self.query("SELECT now()")
        assert isinstance(now, datetime)
        return now

    def require_invariants(
        self, *, since: datetime, accepted: Collection[str], seconds: float = 120
    ) -> Findings:
        """Wait until the orders placed from `since` on have settled; fail with every invariant that is broken.

        `accepted` holds the tokens of all orders that were accepted since then.
        """
        witnesses = Witnesses.of(self.environment)
        findings = settle(witnesses=witnesses, accepted=accepted, since=since, seconds=seconds)
        require(findings)
        return findings

    def records(self, *, topic: str) -> list[Any]:
        """Return every record that Kafka keeps of a topic, as any client sees it."""
        consumer = KafkaConsumer(
            bootstrap_servers=self.environment["KAFKA_BOOTSTRAP_SERVERS"],
            enable_auto_commit=False,
            auto_offset_reset="earliest",
        )
        partitions = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic)]
        consumer.assign(partitions)
        ends = consumer.end_offsets(partitions)
        found: list[Any] = []
        while any(consumer.position(partition) < ends[partition] for partition in partitions):
            found += [record for batch in consumer.poll(timeout_ms=1000).values() for record in batch]
        consumer.close()
        return found

    @contextmanager
    def running(self, *arguments: str, **variables: str) -> Iterator[None]:
        """Keep a command of `manage.py` running against this stack."""
        environment = {**_bare(os.environ), "STACK_DIR": str(self.state.path), **variables}
        process = subprocess.Popen([sys.executable, "manage.py", *arguments], cwd=CHECKOUT, env=environment)
        try:
            yield
        finally:
            process.terminate()
            process.wait(timeout=15)

    def manage(self, *arguments: str, **variables: str) -> str:
        """Run a command of `manage.py` against this stack and return what it prints."""
        environment = {**_bare(os.environ), "STACK_DIR": str(self.state.path), **variables}
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(
            command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def process(self, name: str) -> psutil.Process:
        """Return a process of the stack (`web`, `kafka-1`, `bank` …) or one of its workers by name."""
        records = self.state.read_processes()
        if name in records:
            return psutil.Process(int(records[name]["pid"]))
        log = (self.state.logs / "workers.log").read_text()
        pids = re.findall(rf"\b{name} runs as process (\d+)", log)
        return psutil.Process(int(pids[-1]))

    def kill(self, name: str) -> None:
        """End a process as a power cut would."""
        self.process(name).send_signal(signal.SIGKILL)

    def is_back(self, name: str, *, instead_of: int) -> bool:
        """Say whether the supervisor has started a successor."""
        try:
            process = self.process(name)
            return process.pid != instead_of and process.is_running()
        except (psutil.NoSuchProcess, IndexError, KeyError):
            return False


@contextmanager
def running_shop(*, folder: Path, **variables: str) -> Iterator[RunningShop]:
    """Start the whole shop in `folder`, as `make run` does with these variables, and stop it at the end."""
    port = ports.find_free()
    state = StateFolder(path=folder)
    environment = {
        **_bare(os.environ),
        **FAST,
        **variables,
        "STACK_DIR": str(folder),
        "PORT": str(port),
    }
    command = [sys.executable, "-m", "stack", "run"]
    output = folder.parent / f"{folder.name}.out"
    with output.open("wb") as terminal:
        process = subprocess.Popen(
            command, cwd=CHECKOUT, env=environment, stdout=terminal, stderr=subprocess.STDOUT
        )
    shop = RunningShop(state=state, port=port)
    try:
        eventually(
            lambda: _answers(shop=shop, process=process, output=output), seconds=START_SECONDS, what="shop"
        )
        shop.read_addresses()
        shop.fill_the_shelf()
        yield shop
    finally:
        shop.close()
        process.terminate()
        process.wait(timeout=30)


def _bare(environment: Mapping[str, str]) -> dict[str, str]:
    # The tests' own servers are in the environment; the shop under test brings its own.
    ours = ("DATABASE_URL", "KAFKA_BOOTSTRAP_SERVERS", "BANK_URL", "SHOP_URL", "EMAIL_DIR", "SECRET_KEY")
    return {name: value for name, value in environment.items() if name not in ours}


def _answers(*, shop: RunningShop, process: "subprocess.Popen[bytes]", output: Path) -> bool:
    assert process.poll() is None, output.read_text(errors="replace")
    try:
        return httpx.get(f"{shop.url}/", timeout=5).status_code == 200 and "Ctrl-C" in output.read_text()
    except httpx.HTTPError:
        return False

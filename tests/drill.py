"""`python -m tests.drill`: orders while processes are killed, stopped and restarted at random and a broker goes away.

Works on the stack that runs (`make run`), or on one of its own if none does. The seed decides which orders come and
what breaks after which of them; how far each order has come by then is up to the machine.
"""

import argparse
import logging
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

import django
import httpx
import msgspec
import psutil

from stack.state import StateFolder
from tests.faults.buyers import place_stubbornly
from tests.invariants import Findings, Witnesses, settle
from tests.running_shop import RunningShop, running_shop
from tests.waiting import eventually

_WORKERS = (
    "relay",
    "inventory",
    "orders",
    "payments",
    "shipments",
    "notifications",
    "analytics",
    "wishlists",
)
_SERVERS = ("web", "bank", "postgres")
_BUYERS = 4
# So that things break amid orders, and not after them.
_ORDERS_A_SECOND = 15
_ORDERS_FOR_EACH_FAULT = 40
_SETTLE_SECONDS = 300
_CARDS = {
    "pm_card_visa": 84,
    "pm_card_declined": 5,
    "pm_card_authentication_required": 4,
    "pm_card_processing_error": 4,
    "pm_card_timeout": 2,
    "pm_card_gateway_down": 1,
}
_CANCELLED_AT_ONCE = 0.05


class Purchase(msgspec.Struct, frozen=True, kw_only=True):
    """One order to place; `changes_mind` says that the buyer cancels it at once."""

    number: int
    payment_method: str
    quantity: int
    changes_mind: bool


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """What breaks once `after` orders were accepted; `seconds` is how long a stopped process stands still."""

    after: int
    kind: str
    victim: str
    seconds: float = 0

    def __str__(self) -> str:
        lasting = f" for {self.seconds:.0f} s" if self.seconds else ""
        return f"after order {self.after}: {self.kind} {self.victim}{lasting}"


def plan_purchases(*, seed: int, orders: int) -> list[Purchase]:
    """Return the same orders for the same seed."""
    dice = random.Random(f"orders {seed}")  # noqa: S311  (it is to be repeatable)
    return [
        Purchase(
            number=number,
            payment_method=dice.choices(list(_CARDS), weights=list(_CARDS.values()))[0],
            quantity=dice.randint(1, 3),
            changes_mind=dice.random() < _CANCELLED_AT_ONCE,
        )
        for number in range(orders)
    ]


def plan_faults(*, seed: int, orders: int, brokers: Sequence[str]) -> list[Fault]:
    """Return the same faults for the same seed and cluster, in the order in which they come."""
    dice = random.Random(f"faults {seed}")  # noqa: S311  (it is to be repeatable)
    moments = sorted(dice.randrange(orders) for _ in range(max(4, orders // _ORDERS_FOR_EACH_FAULT)))
    away = dice.randrange(len(moments))
    return [
        _broker_goes_away(dice=dice, after=moment, brokers=brokers)
        if number == away
        else _fault(dice=dice, after=moment, brokers=brokers)
        for number, moment in enumerate(moments)
    ]


def _broker_goes_away(*, dice: random.Random, after: int, brokers: Sequence[str]) -> Fault:
    return Fault(after=after, kind="stop", victim=dice.choice(brokers), seconds=dice.randint(10, 20))


def _fault(*, dice: random.Random, after: int, brokers: Sequence[str]) -> Fault:
    match dice.choice(["kill", "kill", "stop", "restart"]):
        case "kill":
            return Fault(after=after, kind="kill", victim=dice.choice([*_WORKERS, *_SERVERS, *brokers]))
        case "stop":
            # Longer than a consumer's session lasts, or shorter.
            return Fault(
                after=after, kind="stop", victim=dice.choice([*_WORKERS, "bank"]), seconds=dice.randint(2, 14)
            )
        case _:
            return Fault(after=after, kind="restart", victim=dice.choice([*_WORKERS, "web"]))


class Drill:
    """One run: buyers on the one side, faults on the other."""

    def __init__(self, *, shop: RunningShop, seed: int, orders: int) -> None:
        brokers = sorted(name for name in shop.state.read_processes() if name.startswith("kafka-"))
        self.purchases = plan_purchases(seed=seed, orders=orders)
        self.faults = plan_faults(seed=seed, orders=orders, brokers=brokers)
        self._shop = shop
        self._accepted: dict[int, str] = {}
        self._turn = threading.Condition()
        self._started_at = time.monotonic()

    def run(self) -> tuple[datetime, list[str]]:
        """Place all orders while everything breaks; return when it began and the tokens of the orders."""
        since = self._shop.now()
        breaking = threading.Thread(target=self._break_things)
        breaking.start()
        with ThreadPoolExecutor(_BUYERS) as pool:
            list(pool.map(self._buy, self.purchases))
        breaking.join()
        for purchase in self.purchases:
            self._answer_the_bank(purchase=purchase)
        return since, list(self._accepted.values())

    def say(self, line: str) -> None:
        """Tell whoever looks at the terminal what happens."""
        print(f"{time.monotonic() - self._started_at:7.1f} s  {line}", flush=True)

    def _buy(self, purchase: Purchase) -> None:
        time.sleep(_BUYERS / _ORDERS_A_SECOND)
        lines = [{"sku": self._shop.some_sku(), "quantity": purchase.quantity}]
        token = place_stubbornly(self._shop, payment_method=purchase.payment_method, lines=lines)
        if purchase.changes_mind:
            self._insist(lambda: self._shop.post(f"/orders/{token}/cancel/"))
        with self._turn:
            self._accepted[purchase.number] = token
            self._turn.notify_all()

    def _answer_the_bank(self, *, purchase: Purchase) -> None:
        """A buyer whose card was declined takes another; one whose bank asks for approval gives up."""
        token = self._accepted[purchase.number]
        if purchase.payment_method == "pm_card_declined":
            self._once(token, "payment_declined")
            self._insist(lambda: self._shop.post(f"/orders/{token}/pay/", {"payment_method": "pm_card_visa"}))
        if purchase.payment_method == "pm_card_authentication_required":
            self._once(token, "action_required")
            self._insist(lambda: self._shop.post(f"/orders/{token}/cancel/"))

    def _once(self, token: str, status: str) -> None:
        self._shop.wait_for(token, status, "cancelled", "rejected", seconds=_SETTLE_SECONDS)

    def _insist(self, ask: Callable[[], httpx.Response]) -> None:
        def is_answered() -> bool:
            try:
                return ask().status_code < 500
            except httpx.HTTPError:
                return False

        eventually(is_answered, seconds=60, what="the shop answers")

    def _break_things(self) -> None:
        for fault in self.faults:
            with self._turn:
                self._turn.wait_for(lambda fault=fault: len(self._accepted) > fault.after)  # type: ignore[misc]
            self.say(str(fault))
            self._cause(fault)

    def _cause(self, fault: Fault) -> None:
        process = eventually(lambda: self._living(fault.victim), what=f"{fault.victim} runs")
        assert process
        with suppress(psutil.NoSuchProcess):
            match fault.kind:
                case "kill":
                    process.send_signal(signal.SIGKILL)
                case "restart":
                    process.send_signal(signal.SIGTERM)
                case _:
                    process.send_signal(signal.SIGSTOP)
                    time.sleep(fault.seconds)
                    process.send_signal(signal.SIGCONT)

    def _living(self, name: str) -> psutil.Process | None:
        with suppress(psutil.NoSuchProcess, KeyError, IndexError):
            process = self._shop.process(name)
            return None if process.status() == psutil.STATUS_ZOMBIE else process
        return None


def main() -> int:
    """Run the drill; return 1 when an invariant is broken."""
    options = _options()
    with _some_shop() as shop:
        _load_declarations(shop=shop)
        drill = Drill(shop=shop, seed=options.seed, orders=options.orders)
        drill.say(f"{options.orders} orders, seed {options.seed}, {len(drill.faults)} faults, {shop.url}")
        since, tokens = drill.run()
        drill.say("all orders are placed and nothing breaks any more; waiting until they have ended")
        findings = settle(
            witnesses=Witnesses.of(shop.environment), accepted=tokens, since=since, seconds=_SETTLE_SECONDS
        )
        drill.say("settled" if findings.tally.is_settled else "not settled in time")
    _print_table(findings=findings)
    return 0 if findings.tally.is_settled and not findings.breaches else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.drill", description="Break a running shop.")
    parser.add_argument("--orders", type=int, default=os.environ.get("ORDERS") or "500")
    parser.add_argument("--seed", type=int, default=os.environ.get("SEED") or str(random.randrange(10_000)))  # noqa: S311
    return parser.parse_args()


@contextmanager
def _some_shop() -> Iterator[RunningShop]:
    state = StateFolder(path=Path(os.environ.get("STACK_DIR") or ".stack"))
    url = state.read_env().get("SHOP_URL", "")
    if _answers(url=url):
        shop = RunningShop(state=state, port=urlsplit(url).port or 80)
        shop.read_addresses()
        shop.fill_the_shelf()
        yield shop
        shop.close()
        return
    print("No shop runs here; the drill starts one of its own.", flush=True)
    with tempfile.TemporaryDirectory(prefix="waybill-drill-") as folder:
        Path(folder).chmod(0o755)
        with running_shop(folder=Path(folder) / "state") as shop:
            yield shop


def _load_declarations(*, shop: RunningShop) -> None:
    """Load the apps, so that the check knows which worker hears what."""
    os.environ.update(shop.environment, DJANGO_SETTINGS_MODULE="config.settings")
    django.setup()
    logging.getLogger("httpx").setLevel(logging.WARNING)


def _answers(*, url: str) -> bool:
    with suppress(httpx.HTTPError):
        return bool(url) and httpx.get(f"{url}/", timeout=10).status_code == 200
    return False


def _print_table(*, findings: Findings) -> None:
    tally = findings.tally
    ended = tally.completed + tally.rejected + tally.cancelled + tally.waiting + tally.parked + tally.dead
    rows = [
        ("orders accepted", tally.accepted, ended),
        ("  completed", tally.completed, None),
        ("  rejected", tally.rejected, None),
        ("  cancelled", tally.cancelled, None),
        ("  waiting for their buyer", tally.waiting, None),
        ("  parked", tally.parked, None),
        ("  dead, for staff", tally.dead, None),
        ("charges captured at the bank", tally.captured_at_bank, tally.captured_orders),
        ("mails, one of each kind", tally.mails, tally.mails_sent),
        ("invariants broken", len({breach.rule for breach in findings.breaches}), 0),
    ]
    print(f"\n{'':<32}{'counted':>10}{'expected':>10}")
    for name, counted, expected in rows:
        print(f"{name:<32}{counted:>10}{'' if expected is None else expected:>10}")
    print(f"\n{findings}" if findings.breaches else "\nNothing was lost, and nothing was done twice.")


if __name__ == "__main__":
    sys.exit(main())

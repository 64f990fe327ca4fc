"""A backlog of events through a worker, in batches and one by one, beside a bare loop that fills the inbox."""

import json
import subprocess
import sys

from bench.figures import Figures
from bench.shop import Shop, running_shop

_KINDS = ("floor", "bulk", "one_by_one")


def run(*, events: int = 100_000) -> Figures:
    """Let three consumers read the same backlog, one after another, and time each from its first batch on."""
    with running_shop() as shop:
        _consume(shop=shop, kind="fill", events=events)
        rates = {kind: _consume(shop=shop, kind=kind, events=events) for kind in _KINDS}
    return {
        "events": events,
        "floor_per_second": rates["floor"],
        "bulk_per_second": rates["bulk"],
        "one_by_one_per_second": rates["one_by_one"],
        "ratio": round(rates["bulk"] / rates["floor"], 3),
    }


def _consume(*, shop: Shop, kind: str, events: int) -> float:
    ended = subprocess.run(
        [sys.executable, "-m", "bench.consuming", kind, str(events)],
        env=shop.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode != 0:
        raise RuntimeError(f"bench.consuming {kind} failed: {ended.stderr[-2000:]}")
    return float(json.loads(ended.stdout.splitlines()[-1]))

"""`make bench`: every bench, one after another, into a report with plots."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.apart import BenchFailed, run_apart
from bench.figures import Figures, machine
from bench.plots import bars

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "performance"
_FULL: dict[str, dict[str, int]] = {
    "checkout": {"orders": 6_000},
    "pipeline": {"orders": 5_000},
    "latency": {"seconds": 20},
    "relay": {"rows": 100_000},
    "consumer": {"events": 100_000},
    "hot-sku": {"orders": 3_000},
    "pages": {},
    "flow": {"orders": 1_000},
    "growth": {"orders": 2_000},
}
_QUICK: dict[str, dict[str, int]] = {
    "checkout": {"orders": 1_000},
    "pipeline": {"orders": 600},
    "latency": {"seconds": 5},
    "relay": {"rows": 20_000},
    "consumer": {"events": 20_000},
    "hot-sku": {"orders": 500},
    "pages": {},
}

Value = Callable[[Figures], Any]
# What the design asks for: the bench, the figure, what it should be, and how to read it.
_GOALS: tuple[tuple[str, str, str, Value], ...] = (
    ("checkout", "share of the floor", "≥ 0.75", lambda found: found["ratio"]),
    ("checkout", "p99, ms", "≤ 60", lambda found: found["rounds"]["round 2"]["shop"]["p99_ms"]),
    ("pipeline", "orders a second, to the end", "≥ 300", lambda found: found["completed_per_second"]),
    ("pipeline", "CPU seconds per 1,000 orders", "≤ 6", lambda found: found["cpu_seconds_per_1000_orders"]),
    ("latency", "placed to confirmed at 20/s, p50, ms", "≤ 40", lambda found: _latency(found, "p50_ms")),
    ("latency", "placed to confirmed at 20/s, p99, ms", "≤ 150", lambda found: _latency(found, "p99_ms")),
    ("latency", "event to hint at 20/s, p50, ms", "≤ 20", lambda found: _hint(found, "p50_ms")),
    ("latency", "event to hint at 20/s, p99, ms", "≤ 150", lambda found: _hint(found, "p99_ms")),
    ("relay", "share of a bare producer", "≥ 0.70", lambda found: found["ratio"]),
    ("consumer", "in batches, share of a bare loop", "≥ 0.50", lambda found: found["ratio"]),
    ("consumer", "one by one, events a second", "≥ 1,500", lambda found: found["one_by_one_per_second"]),
    ("hot-sku", "hot beside spread", "≥ 0.80", lambda found: found["ratio"]),
    ("hot-sku", "products oversold", "0", lambda found: found["oversold_products"]),
    ("pages", "slowest page at 10,000 products, p50, ms", "≤ 15", lambda found: found["p50_ms"]),
    ("pages", "queries constant in catalogue size", "yes", lambda found: found["queries_constant"]),
)


def run(*, quick: bool = False, only: list[str] | None = None) -> None:
    """Run every bench and write `docs/performance/report.md`, `figures.json` and the plots.

    With `only` those benches are run, and the others keep the figures of the last report.
    """
    sizes = _QUICK if quick else _FULL
    found: dict[str, Figures] = _last_found() if only else {}
    for name, options in sizes.items():
        if only and name not in only:
            continue
        started = time.monotonic()
        try:
            found[name] = run_apart(name=name, **options)
        except BenchFailed as failure:
            print(failure, flush=True)
            continue
        print(f"{name:<10} {time.monotonic() - started:6.0f} s  {json.dumps(found[name])[:160]}", flush=True)
        _write(found={name: found[name] for name in sizes if name in found}, quick=quick)


def _last_found() -> dict[str, Figures]:
    figures: dict[str, Figures] = json.loads((FOLDER / "figures.json").read_text())
    return figures


def _write(*, found: dict[str, Figures], quick: bool) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / "figures.json").write_text(json.dumps({"machine": machine(), **found}, indent=1) + "\n")
    plots = {name: plot for name, plot in _plots(found=found).items() if plot}
    for name, plot in plots.items():
        (FOLDER / f"{name}.svg").write_text(plot)
    (FOLDER / "report.md").write_text(_report(found=found, plots=list(plots), quick=quick))


def _report(*, found: dict[str, Figures], plots: list[str], quick: bool) -> str:
    size = "the quick sizes (`make bench QUICK=1`)" if quick else "the full sizes (`make bench`)"
    lines = [
        "# Benchmarks",
        "",
        f"Written by `make bench`, {size}, on {machine()}.",
        "Broker, database, doors, workers and load generator share the machine. PostgreSQL writes to disk at every",
        "commit. Floors are measured in the same run.",
        "What the figures mean, and what holds them, is in [performance.md](../performance.md).",
        "",
        "| bench | figure | to reach | found |",
        "|---|---|---|---|",
        *(
            f"| `{name}` | {figure} | {goal} | {_shown(value=value, found=found[name])} |"
            for name, figure, goal, value in _GOALS
            if name in found
        ),
        "",
        *(f"![{name}]({name}.svg)\n" for name in plots),
        *(_details(name=name, figures=figures) for name, figures in found.items()),
    ]
    return "\n".join(lines)


def _shown(*, value: Value, found: Figures) -> str:
    try:
        return str(value(found))
    except KeyError:
        return "not measured"


def _details(*, name: str, figures: Figures) -> str:
    return f"## {name}\n\n```json\n{json.dumps(figures, indent=1)}\n```\n"


def _plots(*, found: dict[str, Figures]) -> dict[str, str]:
    plots = {}
    if "pipeline" in found:
        plots["cpu"] = bars(
            title="CPU seconds per 1,000 orders, by process", values=found["pipeline"]["by_process"]
        )
    if "latency" in found:
        steady = found["latency"]["at_20_per_second"]["placed_to_confirmed"]
        plots["latency"] = bars(title="Placed to confirmed at 20 orders a second, ms", values=steady)
    if "flow" in found:
        ways = {way: found["flow"][way]["in_peace"] for way in ("inline", "one-broker", "three-brokers")}
        waits = {way: figures["buyer_waits"]["p50_ms"] for way, figures in ways.items()}
        plots["flow"] = bars(title="What the buyer waits for, p50, ms", values=waits)
    if "growth" in found:
        stored = found["growth"]["stored_orders"]
        costs = {
            name.removeprefix("stored_"): figures["cpu_seconds_per_1000_orders"]
            for name, figures in stored.items()
        }
        plots["stored"] = bars(title="CPU seconds per 1,000 orders, by stored orders", values=costs)
    return plots


def _latency(found: Figures, figure: str) -> Any:
    return found["at_20_per_second"]["placed_to_confirmed"][figure]


def _hint(found: Figures, figure: str) -> Any:
    return found["at_20_per_second"]["event_to_hint"][figure]

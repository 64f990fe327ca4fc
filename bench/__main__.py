"""`python -m bench NAME [--orders N]`: figures of a shop that is started for the purpose, and thrown away after it."""

import argparse
import importlib
import inspect
import sys
from contextlib import nullcontext
from typing import Any

from bench.figures import machine, print_figures
from bench.shop import running_shop

BENCHES = ("checkout", "pipeline", "latency", "relay", "consumer", "hot-sku", "pages", "flow", "growth")
# These measure tables and processes of a shop whose workers stand still; their modules want Django to be loaded.
BESIDE_A_SHOP = ("inbox", "memory")


def main() -> None:
    """Run one bench and print its figures, first for people, then as a line of JSON."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Benchmarks of the shop.")
    parser.add_argument("name", choices=[*BENCHES, *BESIDE_A_SHOP, "report"])
    for option in ("orders", "events", "seconds", "rows", "brokers", "copies"):
        parser.add_argument(f"--{option}", type=int)
    for option in ("way", "kind"):
        parser.add_argument(f"--{option}", help=f"flow and growth: only this {option}")
    parser.add_argument(
        "--only", nargs="+", choices=BENCHES, help="report: these anew, the others as they were"
    )
    parser.add_argument("--quick", action="store_true", help="report: a fraction of the load")
    chosen = vars(parser.parse_args())
    name = chosen.pop("name")
    with running_shop() if name in BESIDE_A_SHOP else nullcontext():
        run = importlib.import_module(f"bench.{name.replace('-', '_')}").run
        figures = run(**_taken(run=run, chosen=chosen))
    if figures is not None:
        print_figures({"bench": name, "machine": machine(), **figures})


def _taken(*, run: Any, chosen: dict[str, Any]) -> dict[str, Any]:
    known = inspect.signature(run).parameters
    given = {option: value for option, value in chosen.items() if value}
    if unknown := sorted(given.keys() - known.keys()):
        sys.exit(
            f"This bench has no --{unknown[0]}; it takes {', '.join('--' + name for name in known) or 'nothing'}."
        )
    return given


if __name__ == "__main__":
    main()

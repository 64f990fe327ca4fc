"""`python -m bench NAME [--orders N]`, beside a running stack (`make run`)."""

import argparse
import json
import os
import platform
from collections.abc import Callable, Mapping
from typing import Any

import django


def main() -> None:
    """Run one bench and print its figures, first for people, then as a line of JSON."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Benchmarks of a running stack.")
    parser.add_argument("name", choices=["pipeline", "inbox", "memory"])
    parser.add_argument("--orders", type=int, default=2_000)
    parser.add_argument("--events", type=int, default=1_000_000)
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from bench import inbox, memory, pipeline  # need the apps to be loaded

    runs: dict[str, Callable[[], dict[str, Any]]] = {
        "pipeline": lambda: pipeline.run(orders=options.orders),
        "inbox": lambda: inbox.run(events=options.events),
        "memory": lambda: memory.run(events=options.events),
    }
    figures = {"bench": options.name, "machine": _machine(), **runs[options.name]()}
    _print_table(figures=figures)
    print(json.dumps(figures))


def _machine() -> str:
    return f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"


def _print_table(*, figures: Mapping[str, Any]) -> None:
    for name, value in figures.items():
        if isinstance(value, Mapping):
            print(f"{name}:")
            _print_table(figures={f"  {key}": one for key, one in value.items()})
        else:
            print(f"{name:<32}{value}")


if __name__ == "__main__":
    main()

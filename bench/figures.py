"""What a bench found: figures, the floor measured in the same run, and where it ran."""

import json
import math
import os
import platform
import resource
from collections.abc import Mapping, Sequence
from typing import Any

Figures = dict[str, Any]


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that `share` (0 to 1) of the values do not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def milliseconds(values: Sequence[float]) -> Figures:
    """Return p50, p95, p99 and the longest of times given in seconds, in milliseconds."""
    shares = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "max": 1.0}
    return {f"{name}_ms": round(percentile(values, share) * 1000, 1) for name, share in shares.items()}


def machine() -> str:
    """Return what the bench ran on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{platform.machine()}, {os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()}"
        f" {platform.release().split('-')[0]}, Python {platform.python_version()}"
    )


def own_cpu_seconds() -> float:
    """Return the CPU seconds of this process, which is the load generator."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def print_figures(figures: Figures) -> None:
    """Print a table for people and then one line of JSON."""
    _print_table(figures=figures, indent="")
    print(json.dumps(figures), flush=True)


def _print_table(*, figures: Mapping[str, Any], indent: str) -> None:
    for name, value in figures.items():
        if isinstance(value, Mapping):
            print(f"{indent}{name}")
            _print_table(figures=value, indent=indent + "  ")
        else:
            print(f"{indent + name:<40}{value}")

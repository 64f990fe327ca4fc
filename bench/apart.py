"""Benches in processes of their own: Django is loaded once for one database, so one process knows one shop."""

import json
import subprocess
import sys

from bench.figures import Figures


class BenchFailed(RuntimeError):
    """A bench ended without figures; the message holds the end of what it wrote."""


def run_apart(*, name: str, **options: object) -> Figures:
    """Run `python -m bench NAME` with these options and return its figures; raises `BenchFailed`."""
    arguments = [f"--{option}={value}" for option, value in options.items()]
    command = [sys.executable, "-m", "bench", name, *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode != 0:
        raise BenchFailed(f"{' '.join(command[2:])} failed:\n{ended.stderr[-3000:]}")
    figures: Figures = json.loads(ended.stdout.splitlines()[-1])
    return {key: value for key, value in figures.items() if key not in ("bench", "machine")}

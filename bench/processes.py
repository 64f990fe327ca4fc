"""The CPU that each process of a running stack has used."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

import psutil

from stack.state import StateFolder

CpuSeconds = dict[str, float]


def state_folder() -> StateFolder:
    """Return the state folder of the running stack, as `manage.py` finds it."""
    return StateFolder(path=Path(os.environ.get("STACK_DIR") or ".stack"))


def cpu_seconds(*, state: StateFolder) -> CpuSeconds:
    """Return the CPU seconds that each process of the stack has used so far, its children included."""
    used: CpuSeconds = {}
    for name, record in state.read_processes().items():
        if not psutil.pid_exists(int(record["pid"])):
            continue
        process = psutil.Process(int(record["pid"]))
        names = _worker_names(state=state, label=name)
        used[name] = used.get(name, 0.0) + _own(process=process)
        for child in process.children(recursive=True):
            key = names.get(child.pid, name)
            used[key] = used.get(key, 0.0) + _own(process=child)
    return used


def difference(*, before: Mapping[str, float], after: Mapping[str, float]) -> CpuSeconds:
    """Return what each process used in between."""
    return {name: after[name] - before.get(name, 0.0) for name in sorted(after)}


def _own(*, process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system + times.children_user + times.children_system)


def _worker_names(*, state: StateFolder, label: str) -> dict[int, str]:
    if not label.startswith("workers"):
        return {}
    log = (state.logs / f"{label}.log").read_text()
    return {int(pid): name for name, pid in re.findall(r"(\w+) runs as process (\d+)", log)}

"""`python -m stack.sweeper FOLDER`: takes a throw-away stack down when whoever opened its input is gone.

The owner may end in any way, killed included: its end of the pipe closes, and nothing is left behind.
"""

import shutil
import signal
import sys
from pathlib import Path

from stack.process import end_leftovers
from stack.state import StateFolder


def sweep(*, state: StateFolder) -> None:
    """End every process of `state` and remove its folders."""
    end_leftovers(state=state)
    for folder in (state.path, state.socket_folder):
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.stdin.read()
    sweep(state=StateFolder(path=Path(sys.argv[1])))

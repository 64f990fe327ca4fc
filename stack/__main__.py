"""`python -m stack run` and `python -m stack servers`."""

import argparse
import os
import sys
from pathlib import Path

from stack import StackError
from stack.run import run, run_servers
from stack.state import StateFolder

COMMANDS = {"run": run, "servers": run_servers}


def main() -> int:
    """Run the command that was asked for; return the exit code."""
    try:
        options = _options()
        COMMANDS[options.command](
            state=StateFolder(path=options.folder), brokers=options.brokers, port=options.port
        )
    except StackError as error:
        print(f"waybill: {error}", file=sys.stderr)
        return 1
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m stack", description="Waybill on one machine.")
    parser.add_argument("command", choices=COMMANDS, help="the whole shop, or its servers alone")
    parser.add_argument("folder", nargs="?", type=Path, default=Path(os.environ.get("STACK_DIR") or ".stack"))
    parser.add_argument("--port", type=int, default=os.environ.get("PORT") or "8000", help="the shop's port")
    parser.add_argument(
        "--brokers", type=int, choices=(1, 3), default=os.environ.get("BROKERS"), help="Kafka brokers, 1 or 3"
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

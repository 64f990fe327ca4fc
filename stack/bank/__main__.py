"""Start the demo bank: `python -m stack.bank --port 8500 --ledger bank.sqlite`."""

import argparse
import signal
import sys
from pathlib import Path

from stack.bank.app import Bank
from stack.bank.ledger import Ledger, LedgerInUse
from stack.bank.server import BankServer


def main() -> None:
    """Serve until SIGTERM or Ctrl-C."""
    options = _options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        server = _server(options=options)
        print(f"The demo bank listens on {server.bank.public_url}", flush=True)
        server.serve_forever()
    except KeyboardInterrupt:
        sys.exit(0)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m stack.bank", description="The demo bank.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--ledger", type=Path, required=True, help="the SQLite file, made if missing")
    parser.add_argument("--public-url", help="where browsers reach the bank, if not at host and port")
    return parser.parse_args()


def _server(*, options: argparse.Namespace) -> BankServer:
    public_url = options.public_url or f"http://{options.host}:{options.port}"
    try:
        bank = Bank(ledger=Ledger(path=options.ledger), public_url=public_url.rstrip("/"))
        return BankServer(host=options.host, port=options.port, bank=bank)
    except LedgerInUse as error:
        sys.exit(f"bank: {error}")
    except OSError as error:
        sys.exit(
            f"bank: cannot listen on {options.host}:{options.port}: {error.strerror}. Choose another --port."
        )


if __name__ == "__main__":
    main()

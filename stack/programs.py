"""The programs of the shop and its demo bank, as the stack starts them."""

import sys
from collections.abc import Mapping

from stack import ports
from stack.process import CHECKOUT, Process
from stack.state import StateFolder

MANAGE = str(CHECKOUT / "manage.py")


class DemoBank(Process):
    """The payment provider that the demo and the tests charge."""

    is_server = True

    def __init__(self, *, state: StateFolder) -> None:
        self.port = state.port(name="bank")
        options = ["--port", str(self.port), "--ledger", str(state.path / "bank.sqlite3")]
        super().__init__(name="bank", command=[sys.executable, "-m", "stack.bank", *options], state=state)

    @property
    def url(self) -> str:
        """The address of the bank, for `BANK_URL`."""
        return f"http://127.0.0.1:{self.port}"

    def is_ready(self) -> bool:
        """Whether the bank takes connections."""
        return ports.accepts(port=self.port)


class Web(Process):
    """Pages, API and sockets of the shop on one port."""

    def __init__(self, *, port: int, state: StateFolder, environment: Mapping[str, str]) -> None:
        self.port = port
        # -v 0: an access log would hold the tokens of orders.
        options = ["-v", "0", "-b", "127.0.0.1", "-p", str(port), "config.asgi:application"]
        command = [sys.executable, "-m", "daphne", *options]
        super().__init__(name="web", command=command, state=state, environment=environment)

    def is_ready(self) -> bool:
        """Whether the shop takes connections."""
        return ports.accepts(port=self.port)


class Manage(Process):
    """A command of `manage.py`: one that runs on, such as the workers, or one that ends."""

    def __init__(
        self, *arguments: str, name: str, state: StateFolder, environment: Mapping[str, str]
    ) -> None:
        command = [sys.executable, MANAGE, *arguments]
        super().__init__(name=name, command=command, state=state, environment=environment)

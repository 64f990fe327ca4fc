"""Ports of this machine: is one taken, which one is free."""

import contextlib
import random
import socket

from stack import StackError

# Below the range from which the system takes ports for outgoing connections, so that a port that was free
# when it was chosen is still free when its server starts, or starts again.
CHOICE = range(20_000, 30_000)


class PortTaken(StackError):
    """Another program listens where the shop is to listen."""


def is_free(*, port: int) -> bool:
    """Return whether a server could listen on `port` of 127.0.0.1 now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def find_free() -> int:
    """Return a port of 127.0.0.1 that nothing listens on."""
    return next(port for port in random.sample(CHOICE, len(CHOICE)) if is_free(port=port))


def find_free_row(*, length: int) -> int:
    """Return the first of `length` ports in a row that nothing listens on."""
    firsts = range(CHOICE.start, CHOICE.stop - length, length)
    return next(
        first
        for first in random.sample(firsts, len(firsts))
        if all(is_free(port=port) for port in range(first, first + length))
    )


def require_free(*, port: int) -> None:
    """Raise `PortTaken` unless `port` is free."""
    if not is_free(port=port):
        raise PortTaken(
            f"Port {port} is taken. Stop what listens there, or take another: PORT={port + 1} make run"
        )


def accepts(*, port: int) -> bool:
    """Return whether something takes connections on `port` of 127.0.0.1."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False

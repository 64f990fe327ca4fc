"""Ports."""

import socket

import pytest

from stack.ports import PortTaken, accepts, find_free, is_free, require_free


def test_a_taken_port_is_refused_with_advice() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]

        with pytest.raises(PortTaken, match=rf"Port {port} is taken.*PORT={port + 1} make run"):
            require_free(port=port)


def test_a_free_port_stays_out_of_the_range_for_outgoing_connections() -> None:
    port = find_free()

    assert is_free(port=port)
    assert not accepts(port=port)
    assert port < 32_768

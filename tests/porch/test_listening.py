"""Who holds a port, read from /proc."""

import os
import socket

import pytest

from madang.porch.listening import listening


@pytest.mark.parametrize(("family", "host"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")])
def test_a_listener_is_found_with_its_process(family: socket.AddressFamily, host: str) -> None:
    try:
        held = socket.create_server((host, 0), family=family)
    except OSError as error:
        pytest.skip(f"no address {host} here: {error.strerror}")
    with held:
        port = held.getsockname()[1]
        assert listening(port) == [(host, port, os.getpid())]
        with socket.create_connection((host, port)):  # a connection is no listener
            assert len(listening(port)) == 1
    assert listening(port) == []

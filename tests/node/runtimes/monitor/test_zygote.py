"""The zygote's side of the socket: a fork that fails is told, messages arrive whole or not at all."""

import os
import socket

import pytest

from madang.node.runtimes.monitor import zygote
from madang.node.runtimes.monitor.request import pack, receive


def test_no_process_can_be_made(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused() -> int:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(os, "fork", refused)
    door, ours, theirs = socket.socket(), *socket.socketpair()
    with door, ours:
        zygote.serve(door, theirs)
        message, _ = receive(ours)
    assert message == {
        "fault": "no process can be made: [Errno 11] Resource temporarily unavailable",
        "errno": 11,
    }


def test_messages_may_come_in_pieces() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        data = pack({"a": "x" * 1000})
        for piece in (data[:2], data[2:9], data[9:]):
            ours.send(piece)
        assert receive(theirs) == ({"a": "x" * 1000}, [])
        ours.close()
        assert receive(theirs) == (None, [])


def test_a_message_that_is_cut_short() -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        ours.send(pack({"a": 1})[:-2])
        ours.close()
        with pytest.raises(ConnectionResetError, match="cut short"):
            receive(theirs)

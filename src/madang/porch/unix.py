"""Sockets with a path: one that listens for its owner alone, and none."""

import os
import socket
from contextlib import suppress


def listen_unix(path: str) -> socket.socket:
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    remove(path)
    here, (folder, name) = os.getcwd(), os.path.split(path)
    os.chdir(folder)  # a socket's path is short by law, a state folder's need not be
    try:
        mask = os.umask(0o177)
        try:
            made.bind(name)
        finally:
            os.umask(mask)
    finally:
        os.chdir(here)
    made.listen(64)
    return made


def remove(path: str) -> None:
    with suppress(FileNotFoundError):
        os.unlink(path)

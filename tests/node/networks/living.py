"""A pod that runs without a control process: a program, and the record that its monitor would have left."""

import json
import subprocess
import sys
from pathlib import Path

from madang.node.networks.network import Attachment
from madang.node.runtimes.monitor import record

WAITS = """
import socket, sys
s = socket.socket()
if sys.argv[1]:
    s.bind((sys.argv[1], 0)); s.listen()
print("up", flush=True); input()
"""
Program = subprocess.Popen[bytes]


def pod(
    home: Path, uid: str, place: Attachment, *, listens: bool = False, told: bool = False
) -> "subprocess.Popen[bytes]":
    """`listens` at its address; `told` of it by its environment."""
    inside = ["nsenter", f"--net={place.netns}"] if place.netns else []
    program = subprocess.Popen(
        [*inside, sys.executable, "-c", WAITS, place.ip if listens else ""],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={"POD_IP": place.ip} if told else {},
    )  # fmt: skip
    assert program.stdout is not None
    program.stdout.readline()
    folder = home / "pods" / uid / "containers" / "c" / "0"
    folder.mkdir(parents=True)
    running = {"pid": program.pid, "monitorPid": program.pid, "monitorTicks": record.ticks(program.pid)}
    (folder / record.RUNNING).write_text(json.dumps(running))
    return program


def end(*programs: Program) -> None:
    for program in programs:
        program.communicate(b"\n")


def damage(home: Path) -> None:
    """Each entry of the ledger in another way."""
    bad = (
        b"",
        b'{"format": 1, "ip": "10.2',
        b"\x00\xff garbage",
        b"[]",
        b'{"ip": 7, "netns": ""}',
        b'{"ip": "10.200.0.99"}',
    )
    for number, path in enumerate(sorted((home / "network").glob("*.json"))):
        path.write_bytes(bad[number % len(bad)])

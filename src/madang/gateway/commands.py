"""Difference -> words on HAProxy's runtime socket.

In: commands, the servers that are to go, the hour. Out: effects. A server that leaves is put into maintenance at once
(it gets nothing new) and deleted when its last connection is gone, but never in its first second: a request whose
connection to it has just failed waits for its next try (`timeout connect` long) without being counted as a connection,
and must still find the server there.
"""

from collections.abc import Sequence
from pathlib import Path

from madang.gateway.configuration import server_line
from madang.gateway.difference import AddServer, Command, RemoveRow, RemoveServer, SetRow, SetState
from madang.gateway.tuning import Tuning
from madang.haproxy import admin
from madang.haproxy.quoting import command as word

REST_S = 1.0
Lingering = dict[tuple[str, str], float]  # (backend, server) -> from when on it may be deleted


async def carry_out(path: Path, todo: Sequence[Command], lingering: Lingering, tuning: Tuning, now_s: float) -> None:
    """Raises `admin.Refused` where HAProxy does not know what we think it knows."""
    async with admin.session(path) as talk:
        for one in todo:
            for line in lines(one, lingering, tuning):
                await talk.tell(line)
            if isinstance(one, RemoveServer):
                lingering[(one.backend, one.server)] = now_s + REST_S
            elif isinstance(one, AddServer):
                lingering.pop((one.backend.name, one.server.name), None)
        for backend, server in [key for key, rested_s in lingering.items() if rested_s <= now_s]:
            try:
                await talk.tell(f"del server {backend}/{server}")
                del lingering[(backend, server)]
            except admin.Refused:
                continue  # it has connections: the next sweep tries again


def lines(one: Command, lingering: Lingering, tuning: Tuning) -> list[str]:
    match one:
        case AddServer(backend, server):
            name = f"{backend.name}/{server.name}"
            state = f"set server {name} state {'ready' if server.state == 'ready' else 'drain'}"
            if (backend.name, server.name) in lingering:
                return [f"set server {name} health up", state]
            return [f"add server {name} {server_line(backend, server, tuning)}", f"enable health {name}", state]
        case SetState(backend_name, server_name, "ready"):
            # the weight: one that was draining when its worker started has none
            name = f"{backend_name}/{server_name}"
            return [f"set server {name} weight 100", f"set server {name} state ready"]
        case SetState(backend_name, server_name, state):
            return [f"set server {backend_name}/{server_name} state {state}"]
        case RemoveServer(backend_name, server_name):
            return [f"set server {backend_name}/{server_name} state maint"]
        case SetRow(table, key, value, new):
            return [f"{'add' if new else 'set'} map {table} {word(key)} {word(value)}"]
        case RemoveRow(table, key):
            return [f"del map {table} {word(key)}"]
        case unknown:
            raise TypeError(f"no words for {unknown!r}")

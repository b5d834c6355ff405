"""`madang status`: what the machine allows, what runs, what it uses, and every address."""

from typing import Any

from madang.cli import courtyards, services
from madang.cli.courtyards import Courtyard
from madang.cli.doors import doors
from madang.cli.doors import published as services_published
from madang.cli.house import ask, namespace_of
from madang.cli.options import DEFAULT, Name, Output
from madang.cli.screen import AS_JSON, gibibytes, mebibytes, plain, print_json, say, table
from madang.ports.api import Api

OWN = ("api", "dashboard", "gateway")  # the courtyard's own addresses
ABILITIES = {  # what a person gets of them
    "host": "programs from their source",
    "bridge": "an address for each instance and service",
    "loopback": "shared addresses, without root",
    "without root": "a network of its own in a user namespace",
}


def status(name: Name = DEFAULT, output: Output = "") -> None:
    """Show what the machine allows and why not, what runs, resource use, and all addresses.

    Exit code 1 when the courtyard is not running.

    Example: `madang status --output json | jq .addresses.gateway`
    """
    court = courtyards.find(name)
    if not court.runs:
        absent(court, output)
    found = ask(name, gather)
    if output == AS_JSON:
        print_json(found)
    else:
        show(found)


def absent(court: Courtyard, output: str) -> None:
    import typer

    others = [c.name for c in courtyards.every() if c.runs]
    if output == AS_JSON:
        print_json({"name": court.name, "running": False, "others": others})
    else:
        say(f"the courtyard {court.name!r} is not running" + (f"; running: {', '.join(others)}" if others else ""))
    raise typer.Exit(1)


async def gather(api: Api, court: Courtyard) -> dict[str, Any]:
    from madang.gateway import large

    async def objects(kind: str) -> list[Any]:
        return [entry.obj for entry in (await api.list(kind)).entries]

    events, known = await objects("events"), await objects("services")
    rows = services.summary(
        await objects("deployments.apps"), await objects("jobs.batch"), await objects("pods"), known, events,
        samples=await objects("pods.metrics.k8s.io"),
    )  # fmt: skip
    record = court.record
    project = namespace_of(court, "")
    return {
        "name": court.name,
        "running": True,
        "pid": record["pid"],
        "version": record.get("version"),
        "home": str(court.home),
        "kubeconfig": str(court.kubeconfig),
        "addresses": {
            **{own: told for own in ("api", "dashboard") if (told := record.get("addresses", {}).get(own))},
            **front_doors(await objects("gateways.gateway.networking.k8s.io")),
            **published(rows, project),
        },
        "closed": list(doors(services_published(known), known, events).closed),
        "machine": record.get("machine", {}),
        "nodes": [node(o) for o in await objects("nodes")],
        "services": rows,
        "uses": uses(int(record["pid"])),
        "too_large_to_retry": await large.of_courtyard(court.home / "run"),
    }


def front_doors(gateways: list[Any]) -> dict[str, str]:
    """`gateway` is the courtyard's own; another Gateway is NAMESPACE/NAME. Only what serves now."""
    out: dict[str, str] = {}
    for gateway in gateways:
        meta, status = gateway["metadata"], gateway.get("status", {})
        if not services.condition(gateway, "Programmed"):
            continue
        own = (meta["namespace"], meta["name"]) == ("kube-system", "madang")
        for address in status.get("addresses", ())[:1]:
            port = gateway["spec"]["listeners"][0]["port"]
            out["gateway" if own else f"{meta['namespace']}/{meta['name']}"] = f"http://{address['value']}:{port}"
    return out


def published(rows: list[Any], project: str) -> dict[str, str]:
    """Each published port under its service's name; PROJECT/NAME where the project is not the one that `up` brought
    last, or the name is one of the courtyard's own; a second port of one service under NAME-PORT."""
    out: dict[str, str] = {}
    for row in rows:
        plain_name = row["namespace"] == project and row["service"] not in OWN
        name = row["service"] if plain_name else f"{row['namespace']}/{row['service']}"
        for address in row["addresses"]:
            url = f"{row.get('schemes', {}).get(address, 'http')}://{address}"
            out[name if name not in out else f"{name}-{address.rpartition(':')[2]}"] = url
    return out


def node(obj: Any) -> dict[str, Any]:
    ready = services.condition(obj, "Ready")
    allocatable = obj.get("status", {}).get("allocatable", {})
    return {
        "name": obj["metadata"]["name"],
        "ready": ready,
        "cpu": allocatable.get("cpu", ""),
        "memory": allocatable.get("memory", ""),
    }


def uses(pid: int) -> dict[str, Any]:
    """Memory of the control process (RSS), CPU seconds so far."""
    import psutil

    try:
        process = psutil.Process(pid)
        times = process.cpu_times()
        return {
            "memory_bytes": process.memory_info().rss,
            "cpu_s": round(times.user + times.system, 2),
            "threads": process.num_threads(),
            "descriptors": process.num_fds(),
        }
    except psutil.Error:
        return {}


def show(found: dict[str, Any]) -> None:
    say(f"[bold]{found['name']}[/] runs (pid {found['pid']}, Madang {found['version']})")
    say()
    rows = found["services"]
    several = len({r["namespace"] for r in rows}) > 1
    table(
        [*(["project"] if several else []), "service", "state", "ready", "restarts", "cpu", "memory", "address"],
        [
            [
                *([r["namespace"]] if several else []),
                r["service"],
                colour(r["state"]),
                f"{r['ready']}/{r['wanted']}",
                str(r["restarts"]),
                f"{r['uses']['cpu_millis']}m" if r["uses"]["memory_bytes"] else "",
                mebibytes(r["uses"]["memory_bytes"]) if r["uses"]["memory_bytes"] else "",
                " ".join(r["addresses"]),
            ]
            for r in rows
        ],
    )
    for r in rows:  # below the table, where there is room for it
        if r["reason"]:
            say(f"{colour(r['state'])} {plain(r['service'])}: {plain(r['reason'])}")
    for door in found["closed"]:
        say(f"[red]closed[/] {plain(door)}")
    say()
    table(["address", ""], [[key, str(value)] for key, value in found["addresses"].items()])
    say()
    table(
        ["node", "ready", "cpu", "memory"],
        [[n["name"], "yes" if n["ready"] else "no", n["cpu"], gibibytes(n["memory"])] for n in found["nodes"]],
    )
    say()
    table(["this machine", "", ""], machine(found["machine"].get("abilities", [])))
    if counts := found["too_large_to_retry"]:
        say()
        each = ", ".join(f"{name} {count}" for name, count in counts.items())
        say(plain(f"requests too large to be tried again after an empty answer: {each}"))
    used = found["uses"]
    if used:
        say()
        say(f"control process: {mebibytes(used['memory_bytes'])}, {used['cpu_s']} s of CPU so far")


def machine(abilities: list[Any]) -> list[list[str]]:
    """Each runtime and network with what a person gets of it or why not, and below it what it has here."""
    rows = []
    for one in abilities:
        told = one["why_not"] or ABILITIES.get(one["name"], "")
        rows.append([one["name"], "[green]yes[/]" if one["works"] else "no", plain(told)])
        rows += [[f"  {name}", "", plain(str(value))] for name, value in one.get("details", {}).items()]
    return rows


def colour(state: str) -> str:
    tint = {
        "ready": "green",
        "done": "green",
        "built": "green",
        "failed": "red",
        "starting": "yellow",
        "updating": "yellow",
    }.get(state)
    return f"[{tint}]{state}[/]" if tint else state

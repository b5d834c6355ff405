"""A pod's resolv.conf, by its `dnsPolicy` and `dnsConfig`, as a kubelet writes it (pure).

In: the pod, the house's DNS server (empty: there is none), the machine's own file. Out: the file's text. One server of
ours is listed alone: some resolvers ask all that are listed at once, and take the first answer.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from madang.kinds.external_name import ZONE
from madang.ports.objects import Obj

SERVERS, SEARCHES, LETTERS = 3, 32, 2048  # what resolvers take


@dataclass(frozen=True, slots=True)
class Resolver:
    """`options` are words of the file: `ndots:5`."""

    servers: tuple[str, ...] = ()
    search: tuple[str, ...] = ()
    options: tuple[str, ...] = ()


def read(text: str) -> Resolver:
    """Of several search lines the last one holds."""
    servers, search, options = list[str](), tuple[str, ...](), list[str]()
    for words in (line.split() for line in text.splitlines()):
        if len(words) > 1 and words[0] == "nameserver":
            servers.append(words[1])
        elif words and words[0] in ("search", "domain"):
            search = tuple(w.rstrip(".") or w for w in words[1:])
        elif words and words[0] == "options":
            options += words[1:]
    return Resolver(tuple(servers), search, tuple(options))


def wanted(pod: Obj, server: str) -> bool:
    """Whether this pod's file is another than the machine's."""
    spec = pod["spec"]
    policy = spec.get("dnsPolicy") or "ClusterFirst"
    ours = policy == "ClusterFirstWithHostNet" or (policy == "ClusterFirst" and not spec.get("hostNetwork"))
    return bool(policy == "None" or spec.get("dnsConfig") or (server and ours))


def resolver(pod: Obj, server: str, machine: str) -> str:
    spec, here = pod["spec"], read(machine)
    policy = spec.get("dnsPolicy") or "ClusterFirst"
    if policy == "None":
        found = Resolver()
    elif policy == "Default" or not server or (policy == "ClusterFirst" and spec.get("hostNetwork")):
        found = here
    else:
        own = f"svc.{ZONE}"
        search = (f"{pod['metadata'].get('namespace', '')}.{own}", own, ZONE, *here.search)
        found = Resolver((server,), search, ("ndots:5",))
    return _text(_with(found, spec.get("dnsConfig") or {}))


def _with(base: Resolver, config: Obj) -> Resolver:
    """An option that is named takes the place of one of the same name."""
    given = [o["name"] + (f":{o['value']}" if o.get("value") else "") for o in config.get("options") or ()]
    named = {o.partition(":")[0]: o for o in (*base.options, *given)}
    return Resolver(
        _once((*base.servers, *(config.get("nameservers") or ())))[:SERVERS],
        _once((*base.search, *(config.get("searches") or ())))[:SEARCHES],
        tuple(named.values()),
    )


def _text(found: Resolver) -> str:
    search = list(found.search)
    while len(" ".join(search)) > LETTERS:
        search.pop()
    lines = [f"nameserver {s}" for s in found.servers]
    lines += [f"search {' '.join(search)}"] if search else []
    lines += [f"options {' '.join(found.options)}"] if found.options else []
    return "".join(f"{line}\n" for line in lines)


def _once(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(words))

"""How each element's lamp is decided: one small function an element, in a table. Pure.

In: a `Snapshot`. Out: a `Light`: the lamp and the reason in a few words. A function names the first thing that a person
should look at, the worst first.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Literal, NamedTuple

from madang.web.facts import HOUSE, NO_IMAGE, Instance, Snapshot, Workload
from madang.web.shelf import groups, size_of
from madang.web.text import Text
from madang.web.words import say

Lamp = Literal["ok", "busy", "failed", "absent"]
DATABASES = ("postgres", "mysql", "mariadb", "mssql", "oracle", "cockroach", "mongo")
KEY_VALUES = ("redis", "valkey", "keydb", "memcached")
SHOWN = 4  # names in one reason
LONG = 100  # letters of it


class Light(NamedTuple):
    lamp: Lamp
    reason: Text


def nodes(s: Snapshot) -> Light:
    ready = [g for g in s.grounds if g.ready]
    if away := [g for g in s.grounds if not g.ready]:
        return Light("busy" if ready else "failed", say("node away", name=away[0].name))
    if low := [g for g in s.grounds if g.low]:
        return Light("busy", say("node low", name=low[0].name, low=low[0].low))
    if closed := [g for g in s.grounds if g.closed]:
        return Light("busy", say("node closed", name=closed[0].name))
    return Light("ok" if ready else "busy", say("nodes ready", ready=len(ready), all=len(s.grounds)))


def host(s: Snapshot) -> Light:
    able = s.machine.able("host")
    if able is not None and not able.works:
        return Light("failed", say("cannot run", why=short(able.why_not)))
    count = sum(i.phase == "Running" for i in s.instances)
    return Light("ok", say("pods run", count=count) if count else say("nothing runs"))


def container(s: Snapshot) -> Light:
    """Tried when the first image comes: until then nothing is known."""
    able = s.machine.able("container")
    if able is None or not able.works:
        return Light("absent", say("cannot run", why=short(able.why_not)) if able is not None else say("no image yet"))
    return Light("ok", say("images run"))


def images(s: Snapshot) -> Light:
    bad = next((i for i in s.instances if i.state in NO_IMAGE), None)
    if bad is not None:
        return Light("failed", say("image missing", pod=bad.name, why=short(bad.why or bad.state)))
    return Light("ok", say("pods run", count=sum(i.phase == "Running" for i in s.instances)))


def kept(s: Snapshot) -> Light:
    """The images that are here, and whether one is missing."""
    light = images(s)
    if light.lamp != "ok" or not s.stacks:
        return light
    weight = sum(size for _, size in groups(s.stacks).values())
    return Light("ok", say("image kept", count=len(s.stacks), size=size_of(weight)))


def layer(group: str, otherwise: Callable[[Snapshot], Light]) -> Callable[[Snapshot], Light]:
    """How much of the images here is of one group. `otherwise` is who speaks where no image has it."""

    def light(s: Snapshot) -> Light:
        if group not in (found := groups(s.stacks)):
            return otherwise(s)
        count, size = found[group]
        return Light("ok", say("layer kept", count=count, size=size_of(size)))

    return light


def in_none(s: Snapshot) -> Light:
    return Light("absent", say("layer in none")) if s.stacks else container(s)


def placement(s: Snapshot) -> Light:
    homeless = [i for i in s.instances if i.homeless and not i.node and not i.ended]
    if homeless:
        return Light("failed", say("homeless", count=len(homeless), why=short(homeless[0].homeless)))
    waiting = [i for i in s.instances if not i.node and not i.ended]
    if waiting:
        return Light("busy", say("waiting", count=len(waiting)))
    return Light("ok", say("all placed", count=sum(bool(i.node) and not i.ended for i in s.instances)))


def recovery(s: Snapshot) -> Light:
    bad = worst(s.instances)
    if bad is not None:
        return Light("failed", say("struggling", service=bad.service, why=short(bad.why or bad.state)))
    return Light("ok", say("restarts", count=sum(i.restarts for i in s.instances)))


def scaling(s: Snapshot) -> Light:
    kept = [w for w in s.workloads if w.kind == "Deployment"]
    short = next((w for w in kept if w.ready < w.wanted), None)
    if short is not None:
        word = say("short of", service=short.name, ready=short.ready, wanted=short.wanted)
        return Light("failed" if short.gave_up else "busy", word)
    moving = next((w for w in kept if w.updating), None)
    if moving is not None:
        return Light("busy", say("updating", service=moving.name))
    return Light("ok", say("as wanted", ready=sum(w.ready for w in kept), wanted=sum(w.wanted for w in kept)))


def communication(s: Snapshot) -> Light:
    able = s.machine.able(s.machine.network)
    if able is not None and not able.works:
        return Light("failed", say("cannot run", why=short(able.why_not)))
    return Light("ok", say("network", network=s.machine.network))


def balancing(s: Snapshot) -> Light:
    if not s.machine.gateway_alive:
        return Light("failed", say("gateway silent"))
    wanted = {(w.namespace, w.name) for w in s.workloads if w.wanted and w.kind == "Deployment"}
    own = [a for a in s.addresses if (a.namespace, a.service) in wanted and a.inside]
    empty = next((a for a in own if not s.slices.get((a.namespace, a.name))), None)
    if empty is not None:
        return Light("busy", say("nobody behind", service=empty.name))
    count = sum(s.slices.get((a.namespace, a.name), 0) for a in own)
    return Light("ok", say("balanced", count=count, services=len(own)))


def packing(s: Snapshot) -> Light:
    cpu, memory = sum(g.cpu_millis for g in s.grounds), sum(g.memory_bytes for g in s.grounds)
    placed = [i for i in s.instances if i.node and not i.ended]
    given = (
        round(100 * sum(i.cpu_millis for i in placed) / cpu) if cpu else 0,
        round(100 * sum(i.memory_bytes for i in placed) / memory) if memory else 0,
    )
    return Light("ok", say("packed", cpu=given[0], memory=given[1]))


def healing(s: Snapshot) -> Light:
    count = sum(i.restarts for i in s.instances)
    ill = next((i for i in s.instances if i.restarts and not i.ready and not i.ended and not i.leaving), None)
    if ill is not None:
        return Light("busy", say("healing", service=ill.service))
    return Light("ok", say("healed", count=count) if count else say("no fault yet"))


def horizontal(s: Snapshot) -> Light:
    if not s.scalers:
        return Light("absent", say("no scaler"))
    moving = next((x for x in s.scalers if x.wants and x.now != x.wants), None)
    if moving is not None:
        return Light("busy", say("follows", service=moving.service, now=moving.now, wants=moving.wants))
    full = next((x for x in s.scalers if x.most > x.least and x.now >= x.most), None)
    if full is not None:
        return Light("busy", say("at most", service=full.service, most=full.most))
    return Light("ok", say("scalers", names=some(f"{x.service} {x.least}–{x.most}" for x in s.scalers)))


def front(s: Snapshot) -> Light:
    if not s.machine.gateway_alive:
        return Light("failed", say("gateway silent"))
    closed = next((f for f in s.fronts if not f.serves), None)
    if closed is not None:
        return Light("failed" if closed.why else "busy", say("front closed", why=short(closed.why or closed.name)))
    opened = next((f for f in s.fronts if f.address), None)
    return Light("ok", say("front open", address=opened.address)) if opened else Light("busy", say("no door"))


def discovery(s: Snapshot) -> Light:
    return Light("ok", say("names known", count=len(s.addresses)))


def samples(s: Snapshot) -> Light:
    count = sum(i.phase == "Running" for i in s.instances)
    return Light("ok", say("watched", count=count) if count else say("nothing runs"))


def breaker(s: Snapshot) -> Light:
    out = [i for i in s.instances if i.phase == "Running" and not i.ready and not i.leaving]
    return Light("busy", say("taken out", count=len(out))) if out else Light("ok", say("all in"))


def logs(s: Snapshot) -> Light:
    return samples(s)


def channels(s: Snapshot) -> Light:
    doors = [f"{a.service} {o}" for a in s.addresses for o in a.outside]
    doors += [h for r in s.routes for h in r.hosts or ("*",)]
    return Light("ok", say("doors open", names=some(doors))) if doors else Light("absent", say("no door"))


def front_end(s: Snapshot) -> Light:
    return of_services([w for w in own(s) if (w.namespace, w.name) in outward(s)])


def back_end(s: Snapshot) -> Light:
    seen = outward(s)
    return of_services(
        [w for w in own(s) if (w.namespace, w.name) not in seen and not stored(w, DATABASES + KEY_VALUES)]
    )


def core(s: Snapshot) -> Light:
    return of_services(own(s))


def relational(s: Snapshot) -> Light:
    return of_services([w for w in own(s) if stored(w, DATABASES)])


def key_value(s: Snapshot) -> Light:
    return of_services([w for w in own(s) if stored(w, KEY_VALUES)])


def volumes(s: Snapshot) -> Light:
    kept = [w.name for w in own(s) if w.keeps]
    return Light("ok", say("kept by", names=some(kept))) if kept else Light("absent", say("none here"))


def of_services(mine: Iterable[Workload]) -> Light:
    mine = list(mine)
    if not mine:
        return Light("absent", say("none here"))
    bad = next((w for w in mine if w.over == "Failed" or w.gave_up), None)
    short = bad or next((w for w in mine if not w.over and w.ready < w.wanted), None)
    if short is not None:
        word = say("short of", service=short.name, ready=short.ready, wanted=short.wanted)
        return Light("failed" if bad else "busy", word)
    return Light("ok", say("kept by", names=some(w.name for w in mine)))


def own(s: Snapshot) -> list[Workload]:
    """What the user brought."""
    return [w for w in s.workloads if w.namespace not in HOUSE]


def outward(s: Snapshot) -> set[tuple[str, str]]:
    """The services that people reach: published, or behind a route."""
    found = {(a.namespace, a.service) for a in s.addresses if a.outside}
    names = {(a.namespace, a.name): a.service for a in s.addresses}
    return found | {(r.namespace, names.get((r.namespace, n), n)) for r in s.routes for n in r.leads_to}


def stored(workload: Workload, names: tuple[str, ...]) -> bool:
    bare = (image.rpartition("/")[2].partition("@")[0].partition(":")[0] for image in workload.images)
    return any(name in image for image in bare for name in names)


def worst(instances: Iterable[Instance]) -> Instance | None:
    return next((i for i in instances if i.struggling and not i.leaving), None)


def short(text: str) -> str:
    """The first sentence of what somebody else said; all of it stands on the service's card and in the event."""
    first = text.partition(". ")[0].partition("\n")[0]
    return first if len(first) <= LONG else f"{first[: LONG - 1].rstrip()}…"


def some(names: Iterable[str]) -> str:
    found = list(dict.fromkeys(names))
    more = f" +{len(found) - SHOWN}" if len(found) > SHOWN else ""
    return ", ".join(found[:SHOWN]) + more


LIGHTS: Mapping[str, Callable[[Snapshot], Light]] = {
    "nodes": nodes,
    "machine": nodes,
    "host": host,
    "container": container,
    "layers": kept,
    "layer-base": layer("base", in_none),
    "layer-system": layer("operating system", in_none),
    "layer-runtime": layer("runtime", images),
    "layer-application": layer("application", images),
    "orchestration": scaling,
    "placement": placement,
    "recovery": recovery,
    "scaling": scaling,
    "communication": communication,
    "load-balancing": balancing,
    "bin-packing": packing,
    "self-healing": healing,
    "horizontal-scaling": horizontal,
    "gateway": front,
    "discovery": discovery,
    "samples": samples,
    "breaker": breaker,
    "log-streams": logs,
    "channels": channels,
    "mobile": channels,
    "browser": channels,
    "core-services": core,
    "front-end": front_end,
    "back-end": back_end,
    "rdb": relational,
    "redis": key_value,
    "volumes": volumes,
}

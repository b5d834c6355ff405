"""A Compose healthcheck as Kubernetes probes.

In: a healthcheck (or a Dockerfile's HEALTHCHECK). Out: readiness, liveness and startup probes. The usual forms (curl,
wget, Python's urlopen, nc against localhost) become httpGet and tcpSocket probes by a visible table: they cost no
process, and hold where an instance listens on an address of its own; everything else is an exec probe.
"""

import math
import re
import shlex
from collections.abc import Sequence
from urllib.parse import urlsplit

from madang.app.compose.plan import Plan
from madang.app.document import Map
from madang.app.field import Field
from madang.dockerfile.durations import spelled
from madang.dockerfile.instructions import TIMES, Health
from madang.ports.objects import Obj

LOCAL = {"localhost", "127.0.0.1", "0.0.0.0", "::1"}
TAIL = re.compile(r"\s*\|\|\s*exit\s+1\s*;?\s*$")
PATIENCE_S = 120.0
QUIET_CURL = {"-f", "-s", "-S", "-L", "-k", "--fail", "--silent", "--show-error", "--location", "--insecure"}
WITH_VALUE = {"-o", "--output", "-m", "--max-time", "--connect-timeout", "--retry", "-T", "-t", "--timeout", "--tries"}
QUIET_WGET = {"-q", "--quiet", "--spider", "-O-", "-nv", "--no-verbose", "--no-check-certificate", "-qO-", "-qO", "-O"}


def probes(plan: Plan) -> Obj:
    check = healthcheck(plan)
    if not check or check["disable"].truth():
        return {}
    if "test" not in check:
        check.fault("lacks test, the command that tells whether the service is well")
        return {}
    handler = handler_of(check["test"], {plan.service, plan.name, plan.field["hostname"].text(plan.service)})
    if plan.found is not None and handler and asks_whether_it_answers(handler, plan.found.server.checks):
        handler = {"tcpSocket": {"port": plan.found.server.ports[0]}}
    for how in ("httpGet", "tcpSocket"):
        if handler and how in handler:
            handler = {how: {**handler[how], "port": plan.opened(handler[how]["port"])}}
    return timed(handler, check, plan.ends) if handler else {}


def asked_port(plan: Plan) -> int:
    """The port that the healthcheck asks; 0 where it asks none."""
    handler = probes(plan).get("readinessProbe", {})
    return int((handler.get("httpGet") or handler.get("tcpSocket") or {}).get("port", 0))


def asks_whether_it_answers(handler: Obj, checks: Sequence[str]) -> bool:
    """`pg_isready ...`, `redis-cli ping`: such a client would have to be told where the instance listens."""
    words = handler.get("exec", {}).get("command", [])
    return any(re.search(rf"(^|[/\s]){re.escape(check)}(\s|$)", " ".join(words)) for check in checks)


def healthcheck(plan: Plan) -> Field:
    """Compose's own, over the Dockerfile's where it leaves something open."""
    own = plan.field["healthcheck"]
    if plan.stage is None or plan.stage.healthcheck is None:
        return own
    below = from_dockerfile(plan.stage.healthcheck)
    if not own:
        at = f"{plan.build.file}: HEALTHCHECK" if plan.build else "HEALTHCHECK"
        return Field(below, at, plan.field.mark, own.faults)
    if "test" in own:
        return own
    merged = Map({**below, **{k: v.value for k, v in own.items()}}.items(), own.mark)
    merged.marks = {**dict.fromkeys(below, own.mark), **getattr(own.value, "marks", {})}
    return Field(merged, own.path, own.mark, own.faults)


def timed(handler: Obj, check: Field, ends: bool) -> Obj:
    """Docker's defaults: every 30 s, 30 s patience, three failures in a row."""
    period = whole(check["interval"].seconds(30.0))
    retries = check["retries"].whole(3) or 3
    common = {**handler, "timeoutSeconds": whole(check["timeout"].seconds(30.0))}
    out: Obj = {"readinessProbe": {**common, "periodSeconds": period, "failureThreshold": retries}}
    if ends:
        return out
    out["livenessProbe"] = {**common, "periodSeconds": period, "failureThreshold": retries}
    # Compose only marks who isn't well; a liveness probe restarts it. So that nobody is restarted while it starts (a
    # database's first start takes long), there always is a startup probe with patience.
    patience = max(check["start_period"].seconds(0.0) + retries * period, PATIENCE_S)
    step = min(whole(check["start_interval"].seconds(5.0)), period)
    out["startupProbe"] = {**common, "periodSeconds": step, "failureThreshold": math.ceil(patience / step)}
    return out


def whole(seconds: float) -> int:
    return max(1, math.ceil(seconds))


def handler_of(test: Field, own: set[str]) -> Obj | None:
    """None where the check is switched off."""
    if not isinstance(test.value, list):
        return shell(test.text(), own)
    words = test.texts()
    if not words or words[0] == "NONE":
        return None
    if words[0] == "CMD-SHELL":
        return shell(" ".join(words[1:]), own)
    if words[0] == "CMD":
        return known(words[1:], own) or {"exec": {"command": words[1:]}}
    test.fault(f'the first word must be CMD, CMD-SHELL or NONE, found "{words[0]}"')
    return None


def shell(text: str, own: set[str]) -> Obj:
    plain = TAIL.sub("", text)
    try:
        words = shlex.split(plain)
    except ValueError:
        words = []
    if words and not re.search(r"[|&;<>$`]", plain):
        if found := known(words, own):
            return found
    elif (matched := re.search(r"/dev/tcp/([\w.]+)/(\d+)", plain)) and matched[1] in LOCAL | own:
        return {"tcpSocket": {"port": int(matched[2])}}
    return {"exec": {"command": ["/bin/sh", "-c", text]}}


def known(words: Sequence[str], own: set[str]) -> Obj | None:
    """The visible table: which command asks what."""
    if not words:
        return None
    program = words[0].rsplit("/", 1)[-1]
    if program in ("sh", "bash") and len(words) == 3 and words[1] == "-c":
        found = shell(words[2], own)
        return None if "exec" in found else found
    match program:
        case "curl":
            return curl(words[1:], own)
        case "wget":
            return wget(words[1:], own)
        case "nc" | "ncat" | "netcat":
            return netcat(words[1:], own)
        case "python" | "python3":
            return python(words[1:], own)
    return None


def curl(words: Sequence[str], own: set[str]) -> Obj | None:
    options, rest = split(words, QUIET_CURL)
    if len(rest) != 1:
        return None
    fails = any(o in ("-f", "--fail") or re.fullmatch(r"-[a-zA-Z]*f[a-zA-Z]*", o) for o in options)
    trusting = any(o in ("-k", "--insecure") or re.fullmatch(r"-[a-zA-Z]*k[a-zA-Z]*", o) for o in options)
    asked = http(rest[0], own, trusting)
    # Without -f any answer counts as well: what is asked is whether the port answers at all.
    return asked if fails or asked is None else {"tcpSocket": {"port": asked["httpGet"]["port"]}}


def wget(words: Sequence[str], own: set[str]) -> Obj | None:
    without = [w for i, w in enumerate(words) if not (w in ("-", "/dev/null") and i and words[i - 1] in ("-O", "-qO"))]
    options, rest = split(without, QUIET_WGET)
    return http(rest[0], own, "--no-check-certificate" in options) if len(rest) == 1 else None


def netcat(words: Sequence[str], own: set[str]) -> Obj | None:
    options = [w for w in words if w.startswith("-")]
    rest = [w for w in words if not w.startswith("-")]
    if len(rest) == 2 and rest[0] in LOCAL | own and rest[1].isdigit() and any("z" in o for o in options):
        return {"tcpSocket": {"port": int(rest[1])}}
    return None


PYTHON = re.compile(r"\burlopen\(\s*(['\"])(?P<url>https?://[^'\"]+)\1\s*(?:,\s*(?:timeout\s*=\s*)?[\d.]+\s*)?\)")
ONLY_THAT = re.compile(r"(?:\s*(?:import|from)\s+[\w.\s,]+?;)*\s*[\w.]*urlopen\([^()]*\)(?:\.read\(\))?\s*;?\s*")


def python(words: Sequence[str], own: set[str]) -> Obj | None:
    if len(words) != 2 or words[0] != "-c":
        return None
    found = PYTHON.search(words[1])
    return http(found["url"], own, False) if found and ONLY_THAT.fullmatch(words[1]) else None


def split(words: Sequence[str], quiet: set[str]) -> tuple[list[str], list[str]]:
    """(options, the rest); an option that asks for more than quiet makes the rest too long to be known."""
    options, rest, skip = [], [], False
    for word in words:
        if skip:
            skip = False
        elif word in WITH_VALUE:
            skip = True
        elif (
            word in quiet or re.fullmatch(r"-[fsSLk]+", word) or re.fullmatch(r"--(?:tries|timeout|max-time)=\S+", word)
        ):
            options.append(word)
        else:
            rest.append(word)
    return options, rest


def http(url: str, own: set[str], trusting: bool) -> Obj | None:
    text = url if "://" in url else f"http://{url}"
    try:
        parts = urlsplit(text)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        return None
    if parts.hostname not in LOCAL | own or parts.scheme not in ("http", "https") or parts.username:
        return None
    if parts.scheme == "https" and not trusting:
        return None  # such a check also looks at the certificate
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return {"httpGet": {"path": path, "port": port, "scheme": parts.scheme.upper()}}


def from_dockerfile(check: Health) -> dict[str, object]:
    """HEALTHCHECK [--interval=...] CMD ... as Compose would write it."""
    if check.test == ("NONE",):
        return {"disable": True}
    times = dict(check.times)
    value: dict[str, object] = {flag.replace("-", "_"): spelled(times[key]) for flag, key in TIMES if key in times}
    if check.retries:
        value["retries"] = check.retries
    return {**value, "test": list(check.test)}

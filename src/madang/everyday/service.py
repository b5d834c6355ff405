"""A service by its name, as a person says it: its Deployment, its pods.

In: the API, a namespace, a name. Out: objects; `UnknownService`, with close matches, where there is none of that name.
"""

from madang.ports.api import Api, ListOptions
from madang.ports.errors import NotFound, StatusError
from madang.ports.objects import Obj


class UnknownService(StatusError):
    """The question was wrong: no such service here."""

    code, reason = 404, "NotFound"


async def deployment(api: Api, namespace: str, service: str) -> Obj:
    try:
        return await api.get("deployments.apps", namespace, service)
    except NotFound:
        known = [e.key.name for e in (await api.list("deployments.apps", namespace)).entries]
        jobs = [e.key.name for e in (await api.list("jobs.batch", namespace)).entries]
        raise UnknownService(unknown_service(service, namespace, known, jobs)) from None


def unknown_service(service: str, namespace: str, known: list[str], jobs: list[str]) -> str:
    from difflib import get_close_matches

    if service in jobs:
        return f"{service!r} runs once and ends (it is a Job); see it with `madang logs {service}`"
    if not known:
        return f"no service {service!r}: nothing runs in {namespace!r}; other projects: -n PROJECT"
    close = get_close_matches(service, known, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"there are: {', '.join(known)}"
    return f"no service {service!r} in {namespace!r}; {hint}"


async def chosen(api: Api, namespace: str, service: str) -> tuple[str, str]:
    """The kind that stands behind a service (Deployment or Job) and the label selector of its pods."""
    for kind in ("deployments.apps", "jobs.batch"):
        try:
            owner = await api.get(kind, namespace, service)
        except NotFound:
            continue
        wanted = owner["spec"]["selector"].get("matchLabels", {})
        return kind, ",".join(f"{k}={v}" for k, v in wanted.items())
    await deployment(api, namespace, service)  # refuses, with the names that there are
    return "deployments.apps", ""


async def pods_of(api: Api, namespace: str, service: str) -> list[Obj]:
    """The pods of a service (by its Deployment's or Job's own selector), oldest first."""
    _, selector = await chosen(api, namespace, service)
    page = await api.list("pods", namespace, ListOptions(labels=selector))
    return sorted(
        (e.obj for e in page.entries), key=lambda p: (p["metadata"]["creationTimestamp"], p["metadata"]["name"])
    )

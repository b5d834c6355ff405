"""Pods that waited for others once must wait again when everything starts anew: after a `down`, after a reboot.

A gate that was lifted stays lifted for the pod's life, so these pods are deleted and their controllers make them anew,
gated. In: the API, and the machine's boot id. Out: how many pods were given up.
"""

import logging
from pathlib import Path

from madang.kinds.phase import ended
from madang.ports.api import DeleteOptions, LocalApi
from madang.ports.errors import StatusError
from madang.ports.objects import Obj, ref
from madang.ports.settings import DOMAIN

log = logging.getLogger(__name__)
ANNOTATION = f"{DOMAIN}/depends-on"
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def rebooted(home: Path) -> bool:
    """Whether the machine was started anew since this was last asked; remembers the answer's ground."""
    kept, now = home / "boot-id", boot_id()
    before = kept.read_text() if kept.exists() else now
    kept.write_text(now)
    return before != now


def boot_id() -> str:
    try:
        return BOOT_ID.read_text().strip()
    except OSError:  # a container that hides it: as if it never changed
        return ""


async def close(api: LocalApi) -> int:
    """Nothing of these pods may run any more."""
    waiting = [pod for pod in api.view.list("pods") if waits(pod)]
    for pod in waiting:
        try:
            await api.delete("pods", *ref(pod), DeleteOptions(grace_s=0, uid=pod["metadata"]["uid"]))
        except StatusError as error:  # gone meanwhile, or a full disk: then it starts without waiting
            log.warning("pod %s keeps its lifted gate: %s", pod["metadata"]["name"], error.message)
    return len(waiting)


def waits(pod: Obj) -> bool:
    """Only what a controller makes anew, and what has not ended for good."""
    meta = pod["metadata"]
    owned = any(owner.get("controller") for owner in meta.get("ownerReferences") or ())
    return owned and not ended(pod) and ANNOTATION in (meta.get("annotations") or {})

"""Which runtime a pod gets: its own word, else a container, unless an image is a program of this machine alone.

In: the pod, what the image store and the host's programs know. Out: a runtime's name. Pure; what was chosen stays
until the pod's containers are gone, so the answer is asked for only before the first start.
"""

from collections.abc import Callable

from madang.node.pod import spec
from madang.ports.objects import Obj

HOST, CONTAINER = "host", "container"
Knows = Callable[[str], bool]  # by an image's name


def choose(pod: Obj, default: str, in_store: Knows, on_host: Knows) -> str:
    """Unless one of its images is a program of this machine and nothing else: a pod's containers live together. What is
    neither will have to be brought."""
    names = [str(role.spec.get("image") or "") for role in spec.roles(pod)]
    return default if any(on_host(name) for name in names if not in_store(name)) else CONTAINER

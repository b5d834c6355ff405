"""When a service's image is pulled: Compose's `pull_policy` in Kubernetes' words.

In: a service. Out: the container's imagePullPolicy; a policy that nobody here keeps is a fault. What is built here
comes from no registry.
"""

from madang.app.field import Field

NEVER = "Never"
POLICIES = {
    "always": "Always",
    "never": NEVER,
    "missing": "IfNotPresent",
    "if_not_present": "IfNotPresent",
    "build": "IfNotPresent",
}


def pull_policy(service: Field) -> str:
    """As Compose has it, an image is pulled where it is missing, whatever its tag."""
    if "build" in service:
        return POLICIES["missing"]
    return POLICIES.get(service["pull_policy"].text("missing"), POLICIES["missing"])


def check(service: Field) -> None:
    asked = service["pull_policy"]
    if asked and asked.text() not in POLICIES:
        asked.fault(
            f'"{asked.text()}" cannot be kept: nobody looks how old an image is; write always, missing or never, and '
            "bring it with `madang image pull`"
        )

"""What a pod's events and waiting containers say of its images, in the kubelet's words. Pure.

In: a reference, what came of it. Out: texts.
"""

from madang.node.images.images import present

PAUSE_S, LONGEST_S = 10.0, 300.0  # before a pull that failed is tried again


def next_pause_s(pause_s: float) -> float:
    return min(pause_s * 2, LONGEST_S) if pause_s else PAUSE_S


def pulling(reference: str) -> str:
    return f'Pulling image "{reference}"'


def pulled(reference: str, pull_s: float, whole_s: float, size: int) -> str:
    took = f"{seconds(pull_s)} ({seconds(whole_s)} including waiting)"
    return f'Successfully pulled image "{reference}" in {took}. Image size: {size} bytes.'


def taken(reference: str, engine: str, size: int) -> str:
    return (
        f'Took image "{reference}" over from {engine} on this machine, no registry was asked. Image size: {size} bytes.'
    )


def unasked(reference: str, why: str) -> str:
    return f"{present(reference)}; whether its registry has a newer one is not known: {why}"


def failed(reference: str, why: str) -> str:
    return f'Failed to pull image "{reference}": {why}'


def backing_off(reference: str, why: str = "") -> str:
    """An event's text; with the reason a waiting container's."""
    return f'Back-off pulling image "{reference}"' + (f": ErrImagePull: {why}" if why else "")


def lacking(error: str) -> str:
    return f"{error}; without a registry `madang image load FILE` brings it"


def seconds(span_s: float) -> str:
    """As Go writes durations, to the millisecond: `350ms`, `1.5s`, `1m2.5s`."""
    millis = int(span_s * 1000 + 1e-6)
    if millis < 1000:
        return f"{millis}ms" if millis else "0s"
    minutes, rest = divmod(millis, 60_000)
    hours, minutes = divmod(minutes, 60)
    parts = f"{hours}h" if hours else ""
    parts += f"{minutes}m" if hours or minutes else ""
    return parts + f"{rest / 1000:.3f}".rstrip("0").rstrip(".") + "s"

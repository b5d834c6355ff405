"""Takes the jumpiness out of one-second samples: the autoscaler sees the mean of a pod's last two.

In: the newest samples, asked for about once a second. Out: the same shape, over both seconds. A single busy second
below twice the target moves nothing; a step of load is believed after at most two.
"""

from madang.ports.streams import PodUsage, Samples, Usage


class Smoothing:
    def __init__(self, samples: Samples) -> None:
        self._samples = samples
        self._last: dict[tuple[str, str], PodUsage] = {}
        self._shown: dict[tuple[str, str], PodUsage] = {}

    def pods(self, namespace: str) -> dict[str, PodUsage]:
        """By pod name. Who is no longer sampled is forgotten."""
        found = {(namespace, u.pod): u for u in self._samples.pods(namespace)}
        for key, usage in found.items():
            before = self._last.get(key)
            if before is None or hour(usage) != hour(before):  # the same sample again changes nothing
                self._shown[key] = usage if before is None else mean(before, usage)
                self._last[key] = usage
        for key in [k for k in self._last if k[0] == namespace and k not in found]:
            del self._last[key], self._shown[key]
        return {name: self._shown[ns, name] for ns, name in found}


def hour(usage: PodUsage) -> float:
    return max((u.at_s for u in usage.containers.values()), default=0.0)


def mean(one: PodUsage, other: PodUsage) -> PodUsage:
    """A container that was started anew between the two shows the newer sample alone."""
    containers = {
        name: usage if name not in one.containers else both(one.containers[name], usage)
        for name, usage in other.containers.items()
    }
    return PodUsage(other.namespace, other.pod, containers)


def both(one: Usage, other: Usage) -> Usage:
    window = one.window_s + other.window_s
    cores = (one.cpu_cores * one.window_s + other.cpu_cores * other.window_s) / window if window else other.cpu_cores
    return Usage(other.at_s, window, cores, other.memory_bytes)

"""What becomes of each key of a Compose service: the one table behind the mapping's warnings and docs/compose.md.

In: a service's Field. Out: a warning with the reason for each key that is used and not honoured. A row is
(key, what it becomes, why it is not honoured): one of the two stands; a dotted key lies in a mapping, or in each entry
of a list.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from madang.app.field import Field


@dataclass(frozen=True, slots=True)
class Key:
    name: str
    becomes: str = ""
    because: str = ""


NOT_A_CONTAINER = "it says how a container is made, and here a program of this machine runs"
OWN_KERNEL = "it needs a container; here instances share the machine's settings"
CLOSED = "it changes what a container may do; a program of this machine may do what its user may"

TABLE: tuple[Key, ...] = (
    Key("annotations", "annotations of the pods"),
    Key("attach", because="`madang up` follows the logs of all services; `madang logs SERVICE` of one"),
    Key("blkio_config", because=OWN_KERNEL),
    Key("build", "the image: a program made of the folder (see below)"),
    Key("build.additional_contexts", because=NOT_A_CONTAINER),
    Key("build.args", "the Dockerfile's ARGs"),
    Key("build.cache_from", because=NOT_A_CONTAINER),
    Key("build.cache_to", because=NOT_A_CONTAINER),
    Key("build.context", "the folder that is run"),
    Key("build.dockerfile", "the Dockerfile whose last stage is read"),
    Key("build.dockerfile_inline", "the same, written in the file itself"),
    Key("build.network", because=NOT_A_CONTAINER),
    Key("build.platforms", because=NOT_A_CONTAINER),
    Key("build.secrets", because="environments are made with your own settings for package indexes and proxies"),
    Key("build.ssh", because="environments are made with your own keys"),
    Key("build.target", "the stage that is read"),
    Key("cap_add", because=CLOSED),
    Key("cap_drop", because=CLOSED),
    Key("cgroup", because=OWN_KERNEL),
    Key("cgroup_parent", because=OWN_KERNEL),
    Key("command", "the container's `args`"),
    Key("configs", "a ConfigMap, mounted as a file"),
    Key("configs.gid", because="the file belongs to who runs the pod"),
    Key("configs.uid", because="the file belongs to who runs the pod"),
    Key("container_name", "one more name under which the service is found"),
    Key("cpu_count", because="give cpus, or deploy.resources.limits.cpus"),
    Key("cpu_percent", because="give cpus, or deploy.resources.limits.cpus"),
    Key("cpu_period", because="give cpus, or deploy.resources.limits.cpus"),
    Key("cpu_quota", because="give cpus, or deploy.resources.limits.cpus"),
    Key("cpu_rt_period", because=OWN_KERNEL),
    Key("cpu_rt_runtime", because=OWN_KERNEL),
    Key("cpu_shares", because="give deploy.resources.reservations.cpus"),
    Key("cpus", "the container's CPU limit"),
    Key("cpuset", because=OWN_KERNEL),
    Key("credential_spec", because="it is for Windows"),
    Key("depends_on", "a scheduling gate that lifts when its condition has come true, after a reboot as well"),
    Key(
        "depends_on.restart", because="an instance is not restarted when another service is; it meets it again by name"
    ),
    Key("deploy.endpoint_mode", because="every service has one address, and its instances share the requests"),
    Key("deploy.labels", "annotations of the Deployment"),
    Key("deploy.mode", "`replicated`; with `-job` a Job"),
    Key("deploy.placement.constraints", "`node.labels.NAME == VALUE` is a node selector, others are named"),
    Key("deploy.placement.max_replicas_per_node", because="instances are spread by the scheduler"),
    Key("deploy.placement.preferences", because="instances are spread by the scheduler"),
    Key("deploy.replicas", "the Deployment's replicas"),
    Key("deploy.resources.limits", "the container's limits (CPU, memory)"),
    Key("deploy.resources.reservations", "the container's requests (CPU, memory)"),
    Key("deploy.resources.reservations.devices", because=OWN_KERNEL),
    Key("deploy.resources.reservations.generic_resources", because=OWN_KERNEL),
    Key("deploy.restart_policy.condition", "`none` is a Job; a Deployment's instance is always started again"),
    Key(
        "deploy.restart_policy.delay",
        because="a restart is immediate after a good run, else waits 1 s, doubling to 60 s",
    ),
    Key("deploy.restart_policy.max_attempts", "a Job's backoff limit"),
    Key("deploy.restart_policy.window", because="a run of ten seconds in which it was ready counts as good"),
    Key("deploy.rollback_config", because="`madang kubectl rollout undo` goes back, in the way of a rolling update"),
    Key("deploy.update_config.delay", because="the next instance follows when the last is ready; see monitor"),
    Key("deploy.update_config.failure_action", because="an update that fails stops, and the old instances stay"),
    Key("deploy.update_config.max_failure_ratio", because="one instance that is never ready stops an update"),
    Key("deploy.update_config.monitor", "the Deployment's `minReadySeconds`"),
    Key("deploy.update_config.order", "a rolling update with surge (start-first, also by default) or without"),
    Key("deploy.update_config.parallelism", "how many instances an update replaces at once"),
    Key("develop.watch", "what `madang up --watch` does with a changed file (see below)"),
    Key("develop.watch.exec.environment", because="the command of sync+exec has the container's environment"),
    Key("develop.watch.exec.privileged", because="the command of sync+exec has what the container has"),
    Key("develop.watch.exec.user", because="the command of sync+exec runs as the container's user"),
    Key("develop.watch.exec.working_dir", because="the command of sync+exec runs in the container's own folder"),
    Key("device_cgroup_rules", because=OWN_KERNEL),
    Key("devices", because=OWN_KERNEL),
    Key("dns", "the servers that are asked (`dnsConfig`); services are found by the pod's hosts file all the same"),
    Key("dns_opt", "options of the pod's resolver (`dnsConfig`)"),
    Key("dns_search", "search domains of the pod's resolver (`dnsConfig`)"),
    Key("domainname", because="an instance has a hostname only"),
    Key("entrypoint", "the container's `command`"),
    Key("env_file", "a Secret, read as the environment"),
    Key("environment", "the container's environment"),
    Key("expose", "ports of the Service"),
    Key("extends", "carried out while reading"),
    Key("external_links", because="services of another project are found as SERVICE.PROJECT"),
    Key("extra_hosts", "the pod's `hostAliases`"),
    Key("gpus", because=OWN_KERNEL),
    Key("group_add", because=OWN_KERNEL),
    Key("healthcheck", "readiness, liveness and startup probes (see below)"),
    Key("hostname", "the pod's hostname"),
    Key(
        "image", "a container where the image is here, else a server of this machine by the table below, else a refusal"
    ),
    Key("init", "always so: every instance has a small init above it"),
    Key("ipc", because=OWN_KERNEL),
    Key("isolation", because="it is for Windows"),
    Key("label_file", because="write the labels under labels"),
    Key("labels", "annotations of the pods, since they may hold any text"),
    Key("links", "the name is one more alias of the service, which is waited for"),
    Key("logging", because="logs are kept by the courtyard and rotated; `madang logs` shows them"),
    Key("mac_address", because=OWN_KERNEL),
    Key("mem_limit", "the container's memory limit"),
    Key("mem_reservation", "the container's memory request"),
    Key("mem_swappiness", because=OWN_KERNEL),
    Key("memswap_limit", because=OWN_KERNEL),
    Key("models", because="there is no model runner"),
    Key("network_mode", because="every instance has an address of its own in the project's network"),
    Key("networks", "aliases are honoured; all services of a project share one network"),
    Key("networks.ipv4_address", because="addresses are given by the courtyard; use names"),
    Key("networks.ipv6_address", because="addresses are given by the courtyard; use names"),
    Key("networks.link_local_ips", because="addresses are given by the courtyard; use names"),
    Key("networks.mac_address", because="addresses are given by the courtyard; use names"),
    Key("oom_kill_disable", because=OWN_KERNEL),
    Key("oom_score_adj", because=OWN_KERNEL),
    Key("pid", because=OWN_KERNEL),
    Key("pids_limit", because="Kubernetes limits processes a node, not a container"),
    Key("platform", because="programs of this machine are of this machine's platform"),
    Key("ports", "a Service of type LoadBalancer (NAME-published), opened on 127.0.0.1 (`--listen` for others)"),
    Key("ports.mode", because="a published port leads to all instances"),
    Key("post_start", "the container's postStart hook"),
    Key("pre_start", because="write what must run first as a service that is awaited for completion"),
    Key("pre_stop", "the container's preStop hook"),
    Key("privileged", because=CLOSED),
    Key("profiles", "services of other profiles are left out"),
    Key("provider", because="nothing outside of the file is called"),
    Key(
        "pull_policy",
        "the container's `imagePullPolicy`; `daily` and the like are refused",
    ),
    Key("pull_refresh_after", because="nobody looks how old an image is; `pull_policy: always` asks each time"),
    Key("read_only", because=CLOSED),
    Key("restart", '`"no"` is a Job; all others are started again by their Deployment'),
    Key("runtime", because="`madang up --runtime` and `x-madang.runtime` choose how a service runs"),
    Key("scale", "the Deployment's replicas"),
    Key("secrets", "a Secret, mounted as a file"),
    Key("secrets.gid", because="the file belongs to who runs the pod"),
    Key("secrets.uid", because="the file belongs to who runs the pod"),
    Key("security_opt", because=CLOSED),
    Key("shm_size", because=OWN_KERNEL),
    Key("stdin_open", "the container's `stdin`"),
    Key("stop_grace_period", "the pod's `terminationGracePeriodSeconds` (10 s unless given)"),
    Key("stop_signal", "the container's stop signal"),
    Key("storage_opt", because=NOT_A_CONTAINER),
    Key("sysctls", because=OWN_KERNEL),
    Key("tmpfs", "an emptyDir in memory"),
    Key("tty", "the container's `tty`"),
    Key("ulimits", because="limits are those of who starts the courtyard"),
    Key("use_api_socket", because="there is no container engine whose socket could be given"),
    Key("user", "the container's `runAsUser` and `runAsGroup`"),
    Key("userns_mode", because=OWN_KERNEL),
    Key("uts", because=OWN_KERNEL),
    Key("volumes", "hostPath (named volumes live in the courtyard's folder), emptyDir for anonymous and tmpfs ones"),
    Key("volumes.volume.nocopy", because="nothing is copied into a new volume"),
    Key("volumes_from", because="name the volumes in both services"),
    Key("working_dir", "the container's `workingDir`"),
    Key("x-madang.route", "an HTTPRoute of the front door: host, path, port; one or a list"),
    Key("x-madang.runtime", "in which runtime the service runs: container, host or auto, over `madang up --runtime`"),
    Key("x-madang.scale", "a HorizontalPodAutoscaler: min, max, cpu (a percentage)"),
)

HARMLESS = {  # (key, values that ask for what is done anyway)
    "network_mode": {"bridge", "default"},
    "ipc": {"private"},
    "attach": {"True"},
    "deploy.endpoint_mode": {"vip"},
    "ports.mode": {"ingress"},
    "privileged": {"False"},
    "read_only": {"False"},
    "oom_kill_disable": {"False"},
    "deploy.update_config.failure_action": {"pause"},
    "depends_on.restart": {"False"},
}


def unhonoured(service: Field) -> Iterator[tuple[Field, str]]:
    """Each used key of the table that has no effect, with the reason."""
    for key in TABLE:
        if not key.because:
            continue
        for one in at(service, key.name.split(".")):
            if one and str(one.value) not in HARMLESS.get(key.name, ()):
                yield one, f"is not honoured: {key.because}"


def at(one: Field, path: Sequence[str]) -> Iterator[Field]:
    """The values at a dotted path; a list or a mapping of named entries is looked into."""
    if not path:
        yield one
        return
    if path[0] in one:
        yield from at(one[path[0]], path[1:])
    elif isinstance(one.value, list):
        for entry in one.each():
            yield from at(entry, path)
    elif one.path.rsplit(".", 1)[-1] in ("depends_on", "networks"):
        for _, entry in one.items():
            if isinstance(entry.value, dict):
                yield from at(entry, path)

"""A pod's spec, in a Pod or in a template.

In: the spec with its path. Out: causes, in the API's order (core validation ValidatePodSpec).
"""

from typing import Any

from madang.kinds.causes import Cause
from madang.kinds.checks.containers import check_containers, check_init_containers
from madang.kinds.checks.faults import each, invalid, one_of, required
from madang.kinds.checks.labels import check_labels
from madang.kinds.checks.meta import check_template_meta
from madang.kinds.checks.resources import check_amount, check_resource_name
from madang.kinds.checks.scheduling import check_affinity, check_gates, check_spread, check_tolerations
from madang.kinds.checks.security import check_pod_security
from madang.kinds.checks.volumes import check_volumes
from madang.kinds.names import between, dns_label, dns_subdomain, ip_address, qualified_name

Spec = dict[str, Any]
RESTART_POLICIES = ("Always", "OnFailure", "Never")
DNS_POLICIES = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")
MAX_SECONDS = 2**31 - 1
MAX_NAMESERVERS, MAX_SEARCHES = 3, 32


def check_pod_spec(spec: Spec, path: str) -> list[Cause]:
    get = spec.get
    out, volumes = check_volumes(get("volumes") or [], f"{path}.volumes")
    claims = frozenset(c.get("name", "") for c in get("resourceClaims") or ())
    grace = get("terminationGracePeriodSeconds")
    grace_s = 30 if grace is None else grace
    mains = get("containers") or []
    out += check_containers(mains, volumes, claims, grace_s, f"{path}.containers")
    if inits := get("initContainers"):
        out += check_init_containers(inits, mains, volumes, claims, grace_s, f"{path}.initContainers")
    out += one_of(f"{path}.restartPolicy", get("restartPolicy"), RESTART_POLICIES)
    out += one_of(f"{path}.dnsPolicy", get("dnsPolicy"), DNS_POLICIES)
    out += check_labels(get("nodeSelector"), f"{path}.nodeSelector")
    out += _host_network(spec, path)
    out += check_pod_security(get("securityContext"), spec, f"{path}.securityContext")
    for i, secret in enumerate(get("imagePullSecrets") or ()):
        if not secret.get("name"):
            out.append(required(f"{path}.imagePullSecrets[{i}].name"))
    out += check_affinity(get("affinity"), f"{path}.affinity")
    out += _dns(get("dnsConfig"), get("dnsPolicy", ""), f"{path}.dnsConfig")
    for i, gate in enumerate(get("readinessGates") or ()):
        kind = gate.get("conditionType", "")
        out += each(f"{path}.readinessGates[{i}].conditionType", kind, qualified_name(kind))
    out += check_gates(get("schedulingGates") or [], f"{path}.schedulingGates")
    out += check_spread(get("topologySpreadConstraints") or [], f"{path}.topologySpreadConstraints")
    return out + _names(spec, path) + _rest(spec, path)


def _names(spec: Spec, path: str) -> list[Cause]:
    out: list[Cause] = []
    for field in ("serviceAccountName", "nodeName"):
        if name := spec.get(field):
            out += each(f"{path}.{field}", name, dns_subdomain(name))
    deadline = spec.get("activeDeadlineSeconds")
    if deadline is not None and not 1 <= deadline <= MAX_SECONDS:
        out.append(invalid(f"{path}.activeDeadlineSeconds", deadline, between(1, MAX_SECONDS)))
    for field in ("hostname", "subdomain"):
        if name := spec.get(field):
            out += each(f"{path}.{field}", name, dns_label(name))
    return out


def _rest(spec: Spec, path: str) -> list[Cause]:
    get = spec.get
    out = check_tolerations(get("tolerations") or [], f"{path}.tolerations")
    for alias in get("hostAliases") or ():
        out += each(f"{path}.hostAliases.ip", alias.get("ip", ""), ip_address(alias.get("ip", "")))
        for name in alias.get("hostnames") or ():
            out += each(f"{path}.hostAliases.hostnames", name, dns_subdomain(name))
    if name := get("priorityClassName"):
        out += each(f"{path}.priorityClassName", name, dns_subdomain(name))
    if (name := get("runtimeClassName")) is not None:
        out += each(f"{path}.runtimeClassName", name, dns_subdomain(name))
    allowed = ("Never", "PreemptLowerPriority")
    out += one_of(f"{path}.preemptionPolicy", get("preemptionPolicy"), allowed, needed=False)
    for name, amount in (get("overhead") or {}).items():
        here = f"{path}.overhead.requests[{name}]"
        out += check_resource_name(name, here) + check_amount(name, amount, here)
    if system := get("os"):
        out += one_of(f"{path}.os.name", system.get("name"), ("linux", "windows"))
    return out


def _host_network(spec: Spec, path: str) -> list[Cause]:
    if not spec.get("hostNetwork"):
        return []
    out: list[Cause] = []
    for name in ("containers", "initContainers"):
        for i, container in enumerate(spec.get(name) or ()):
            for j, port in enumerate(container.get("ports") or ()):
                if port.get("hostPort", port.get("containerPort")) != port.get("containerPort"):
                    words = "must match `hostPort` when `hostNetwork` is true"
                    here = f"{path}.{name}[{i}].ports[{j}].containerPort"
                    out.append(invalid(here, port.get("containerPort", 0), words))
    return out


def _dns(config: dict[str, Any] | None, policy: str, path: str) -> list[Cause]:
    if config is None:
        if policy == "None":
            return [required(path, "must provide `dnsConfig` when `dnsPolicy` is None")]
        return []
    out: list[Cause] = []
    servers, searches = config.get("nameservers") or [], config.get("searches") or []
    if policy == "None" and not servers:
        words = "must provide at least one DNS nameserver when `dnsPolicy` is None"
        out.append(required(f"{path}.nameservers", words))
    if len(servers) > MAX_NAMESERVERS:
        out.append(invalid(f"{path}.nameservers", servers, f"must not have more than {MAX_NAMESERVERS} nameservers"))
    for i, server in enumerate(servers):
        out += each(f"{path}.nameservers[{i}]", server, ip_address(server))
    if len(searches) > MAX_SEARCHES:
        out.append(invalid(f"{path}.searches", searches, f"must not have more than {MAX_SEARCHES} search paths"))
    for i, search in enumerate(searches):
        bare = search.removesuffix(".").replace("_", "-")
        out += each(f"{path}.searches[{i}]", search, dns_subdomain(bare) if bare else ())
    for i, option in enumerate(config.get("options") or ()):
        if not option.get("name"):
            out.append(required(f"{path}.options[{i}]", "must not be empty"))
    return out


def check_template(template: dict[str, Any] | None, path: str) -> list[Cause]:
    """The spec of a pod template, and its labels and annotations."""
    found = template or {}
    out = check_template_meta(found.get("metadata") or {}, f"{path}.metadata")
    return out + check_pod_spec(found.get("spec") or {}, f"{path}.spec")

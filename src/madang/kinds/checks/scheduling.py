"""Where a pod may run: affinity, tolerations, spread, scheduling gates; taints of a node.

In: parts of a pod's spec with their path. Out: causes.
"""

from typing import Any

from madang.kinds.causes import Cause
from madang.kinds.checks.faults import duplicate, each, invalid, one_of, required, unsupported
from madang.kinds.checks.labels import check_expression, check_label_name, check_label_selector
from madang.kinds.names import dns_label, label_value, qualified_name

Part = dict[str, Any]
EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"


def check_affinity(affinity: Part | None, path: str) -> list[Cause]:
    if not affinity:
        return []
    out: list[Cause] = []
    if node := affinity.get("nodeAffinity"):
        out += _node_affinity(node, f"{path}.nodeAffinity")
    for name in ("podAffinity", "podAntiAffinity"):
        if pods := affinity.get(name):
            out += _pod_affinity(pods, f"{path}.{name}")
    return out


def _node_affinity(affinity: Part, path: str) -> list[Cause]:
    out: list[Cause] = []
    if (wanted := affinity.get(REQUIRED)) is not None:
        out += check_node_selector(wanted, f"{path}.{REQUIRED}")
    for i, weighted in enumerate(affinity.get(PREFERRED) or ()):
        here = f"{path}.{PREFERRED}[{i}]"
        out += _weight(weighted, here) + _node_term(weighted.get("preference") or {}, f"{here}.preference")
    return out


def check_node_selector(selector: Part, path: str) -> list[Cause]:
    terms, here = selector.get("nodeSelectorTerms") or [], f"{path}.nodeSelectorTerms"
    out = [] if terms else [required(here, "must have at least one node selector term")]
    for i, term in enumerate(terms):
        out += _node_term(term, f"{here}[{i}]")
    return out


def _weight(weighted: Part, path: str) -> list[Cause]:
    weight = weighted.get("weight", 0)
    return [] if 1 <= weight <= 100 else [invalid(f"{path}.weight", weight, "must be in the range 1-100")]


def _node_term(term: Part, path: str) -> list[Cause]:
    out: list[Cause] = []
    for i, rule in enumerate(term.get("matchExpressions") or ()):
        out += check_expression(rule, f"{path}.matchExpressions[{i}]", numbers=True)
    for i, rule in enumerate(term.get("matchFields") or ()):
        out += _field_rule(rule, f"{path}.matchFields[{i}]")
    return out


def _field_rule(rule: Part, path: str) -> list[Cause]:
    out: list[Cause] = []
    operator, values = rule.get("operator", ""), rule.get("values") or []
    if operator not in ("In", "NotIn"):
        out.append(invalid(f"{path}.operator", operator, "not a valid selector operator"))
    elif len(values) != 1:
        words = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"
        out.append(required(f"{path}.values", words))
    if rule.get("key") != "metadata.name":
        out.append(invalid(f"{path}.key", rule.get("key", ""), "not a valid field selector key"))
    return out


def _pod_affinity(affinity: Part, path: str) -> list[Cause]:
    out: list[Cause] = []
    for i, term in enumerate(affinity.get(REQUIRED) or ()):
        out += _pod_term(term, f"{path}.{REQUIRED}[{i}]")
    for i, weighted in enumerate(affinity.get(PREFERRED) or ()):
        here = f"{path}.{PREFERRED}[{i}]"
        out += _weight(weighted, here) + _pod_term(weighted.get("podAffinityTerm") or {}, f"{here}.podAffinityTerm")
    return out


def _pod_term(term: Part, path: str) -> list[Cause]:
    out = check_label_selector(term.get("labelSelector"), f"{path}.labelSelector")
    out += check_label_selector(term.get("namespaceSelector"), f"{path}.namespaceSelector")
    for name in term.get("namespaces") or ():
        out += each(f"{path}.namespace", name, dns_label(name))
    key = term.get("topologyKey", "")
    if not key:
        return [*out, required(f"{path}.topologyKey", "can not be empty")]
    return out + check_label_name(key, f"{path}.topologyKey")


def check_tolerations(tolerations: list[Part], path: str) -> list[Cause]:
    out: list[Cause] = []
    for i, toleration in enumerate(tolerations):
        out += _toleration(toleration, f"{path}[{i}]")
    return out


def _toleration(toleration: Part, path: str) -> list[Cause]:
    key, operator, value = (toleration.get(k) or "" for k in ("key", "operator", "value"))
    out = check_label_name(key, f"{path}.key") if key else []
    if not key and operator != "Exists":
        words = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
        out.append(invalid(f"{path}.operator", operator, words))
    effect = toleration.get("effect") or ""
    if toleration.get("tolerationSeconds") is not None and effect != "NoExecute":
        words = "effect must be 'NoExecute' when `tolerationSeconds` is set"
        out.append(invalid(f"{path}.effect", effect, words))
    if operator in ("", "Equal"):
        if faults := label_value(value):
            out.append(invalid(f"{path}.operator", value, ";".join(faults)))
    elif operator == "Exists":
        if value:
            out.append(invalid(f"{path}.operator", value, "value must be empty when `operator` is 'Exists'"))
    else:
        out.append(unsupported(f"{path}.operator", operator, ("Equal", "Exists")))
    return out + one_of(f"{path}.effect", effect, EFFECTS, needed=False)


def check_taints(taints: list[Part], path: str) -> list[Cause]:
    out: list[Cause] = []
    seen: set[tuple[str, str]] = set()
    for i, taint in enumerate(taints):
        here = f"{path}[{i}]"
        key, value, effect = (taint.get(k) or "" for k in ("key", "value", "effect"))
        out += check_label_name(key, f"{here}.key")
        if faults := label_value(value):
            out.append(invalid(f"{here}.value", value, ";".join(faults)))
        out += one_of(f"{here}.effect", effect, EFFECTS)
        if (key, effect) in seen:
            cause = duplicate(here, taint)
            out.append(cause._replace(message=cause.message + ": taints must be unique by key and effect pair"))
        seen.add((key, effect))
    return out


def check_spread(constraints: list[Part], path: str) -> list[Cause]:
    out: list[Cause] = []
    pairs = [(c.get("topologyKey", ""), c.get("whenUnsatisfiable", "")) for c in constraints]
    for i, constraint in enumerate(constraints):
        here = f"{path}[{i}]"
        if constraint.get("maxSkew", 0) <= 0:
            out.append(invalid(f"{here}.maxSkew", constraint.get("maxSkew", 0), "must be greater than zero"))
        key, when = pairs[i]
        if key:
            out += check_label_name(key, f"{here}.topologyKey")
        else:
            out.append(required(f"{here}.topologyKey", "can not be empty"))
        if when not in ("DoNotSchedule", "ScheduleAnyway"):
            out.append(unsupported(f"{here}.whenUnsatisfiable", when, ("DoNotSchedule", "ScheduleAnyway")))
        if pairs[i] in pairs[i + 1 :]:
            out.append(duplicate(f"{here}.{{topologyKey, whenUnsatisfiable}}", f"{{{key}, {when}}}"))
        out += _domains(constraint.get("minDomains"), when, f"{here}.minDomains")
        for name in ("nodeAffinityPolicy", "nodeTaintsPolicy"):
            out += one_of(f"{here}.{name}", constraint.get(name), ("Honor", "Ignore"), needed=False)
        out += check_label_selector(constraint.get("labelSelector"), f"{here}.labelSelector")
    return out


def _domains(domains: int | None, when: str, path: str) -> list[Cause]:
    if domains is None:
        return []
    out = [invalid(path, domains, "must be greater than zero")] if domains <= 0 else []
    if when != "DoNotSchedule":
        words = f"can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {when}"
        out.append(invalid(path, domains, words))
    return out


def check_gates(gates: list[Part], path: str) -> list[Cause]:
    out: list[Cause] = []
    seen: set[str] = set()
    for i, gate in enumerate(gates):
        name = gate.get("name", "")
        out += each(f"{path}[{i}]", name, qualified_name(name))
        if name in seen:
            out.append(duplicate(f"{path}[{i}]", name))
        seen.add(name)
    return out

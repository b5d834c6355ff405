"""The core group: namespaces, nodes, pods and what stands around them."""

from collections.abc import Callable, Mapping

from madang.kinds import strategies
from madang.kinds.columns import core as printed
from madang.kinds.columns import pods
from madang.kinds.conversions import event
from madang.kinds.defaults import core, pod, workloads
from madang.kinds.kind import ALL_VERBS, Conversion, Kind, Subresource
from madang.ports.objects import Obj

STATUS = Subresource("status")
NO_DELETE_COLLECTION = tuple(verb for verb in ALL_VERBS if verb != "deletecollection")
CREATE = ("create",)
STREAM = ("create", "get")
PROXY = ("create", "delete", "get", "patch", "update")


def text_at(*path: str) -> Callable[[Obj], str]:
    """A selectable field's value; what is absent is the empty text."""

    def read(obj: Obj) -> str:
        value: object = obj
        for step in path:
            value = value.get(step) if isinstance(value, dict) else None
        if isinstance(value, bool):
            return "true" if value else "false"
        return "" if value is None else str(value)

    return read


def flag_at(*path: str) -> Callable[[Obj], str]:
    """The same for what is false where it is absent."""
    read = text_at(*path)
    return lambda obj: read(obj) or "false"


def paths(*names: str) -> Mapping[str, Callable[[Obj], str]]:
    return {name: text_at(*name.split(".")) for name in names}


NAMESPACE = Kind(
    group="", version="v1", kind="Namespace", plural="namespaces", namespaced=False, singular="namespace",
    short=("ns",), verbs=NO_DELETE_COLLECTION,
    subresources=(Subresource("finalize", ("update",)), STATUS),
    fields=paths("status.phase"),
    default=core.namespace, prepare_create=strategies.namespace_create,
    prepare_update=strategies.namespace_update, prepare_status=strategies.keep_spec,
    columns=printed.NAMESPACE,
)  # fmt: skip
NODE = Kind(
    group="", version="v1", kind="Node", plural="nodes", namespaced=False, singular="node", short=("no",),
    subresources=(STATUS,), fields={"spec.unschedulable": flag_at("spec", "unschedulable")},
    default=core.node, prepare_create=strategies.node_create, prepare_update=strategies.keep_status,
    prepare_status=strategies.keep_spec,
    columns=printed.NODE,
)  # fmt: skip
POD = Kind(
    group="", version="v1", kind="Pod", plural="pods", singular="pod", short=("po",), categories=("all",),
    subresources=(
        Subresource("attach", STREAM, "PodAttachOptions"),
        Subresource("binding", CREATE, "Binding"),
        Subresource("eviction", CREATE, "Eviction", "policy", "v1"),
        Subresource("exec", STREAM, "PodExecOptions"),
        Subresource("log", ("get",)),
        Subresource("portforward", STREAM, "PodPortForwardOptions"),
        Subresource("proxy", PROXY, "PodProxyOptions"),
        STATUS,
    ),
    fields={
        **paths("spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName"),
        "spec.hostNetwork": flag_at("spec", "hostNetwork"),
        **paths("status.phase", "status.podIP", "status.nominatedNodeName"),
    },
    default=pod.pod, default_rest=pod.rest, prepare_create=strategies.pod_create,
    prepare_update=strategies.counted_update,
    prepare_status=strategies.pod_status,
    columns=pods.COLUMNS,
)  # fmt: skip
POD_TEMPLATE = Kind(
    group="", version="v1", kind="PodTemplate", plural="podtemplates", singular="podtemplate",
    default=workloads.pod_template, prepare_create=strategies.first_generation,
    prepare_update=strategies.template_update,
    columns=printed.POD_TEMPLATE,
)  # fmt: skip
SERVICE = Kind(
    group="", version="v1", kind="Service", plural="services", singular="service", short=("svc",),
    categories=("all",), subresources=(Subresource("proxy", PROXY, "ServiceProxyOptions"), STATUS),
    fields=paths("spec.clusterIP", "spec.type"), default=core.service, prepare_create=strategies.service_create,
    prepare_update=strategies.service_update, prepare_status=strategies.keep_spec,
    columns=printed.SERVICE,
)  # fmt: skip
ENDPOINTS = Kind(
    group="", version="v1", kind="Endpoints", plural="endpoints", singular="endpoints", short=("ep",),
    default=core.endpoints, prepare_create=strategies.endpoints_create, prepare_update=strategies.endpoints_update,
    columns=printed.ENDPOINTS,
)  # fmt: skip
CONFIG_MAP = Kind(
    group="",
    version="v1",
    kind="ConfigMap",
    plural="configmaps",
    singular="configmap",
    short=("cm",),
    prepare_create=strategies.no_generation,
    prepare_update=strategies.plain_update,
    columns=printed.CONFIG_MAP,
)
SECRET = Kind(
    group="",
    version="v1",
    kind="Secret",
    plural="secrets",
    singular="secret",
    fields=paths("type"),
    default=core.secret,
    prepare_create=strategies.no_generation,
    prepare_update=strategies.secret_update,
    columns=printed.SECRET,
)
SERVICE_ACCOUNT = Kind(
    group="", version="v1", kind="ServiceAccount", plural="serviceaccounts", singular="serviceaccount", short=("sa",),
    subresources=(Subresource("token", CREATE, "TokenRequest", "authentication.k8s.io", "v1"),),
    prepare_create=strategies.account_write, prepare_update=strategies.account_write,
    columns=printed.SERVICE_ACCOUNT,
)  # fmt: skip
EVENT = Kind(
    group="", version="v1", kind="Event", plural="events", singular="event", short=("ev",),
    fields={
        **paths(*(f"involvedObject.{name}" for name in (
            "kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath",
        )), "reason", "reportingComponent"),
        "source": lambda obj: text_at("source", "component")(obj) or text_at("reportingComponent")(obj),
        **paths("type"),
    },
    also=(Conversion("events.k8s.io", "v1", event.from_stored, event.to_stored),),
    prepare_create=strategies.no_generation, prepare_update=strategies.plain_update,
    columns=printed.EVENT,
)  # fmt: skip
BINDING = Kind(group="", version="v1", kind="Binding", plural="bindings", singular="binding", verbs=CREATE)

ROWS = (
    *(BINDING, CONFIG_MAP, ENDPOINTS, EVENT, NAMESPACE, NODE, POD, POD_TEMPLATE),
    *(SECRET, SERVICE_ACCOUNT, SERVICE),
)

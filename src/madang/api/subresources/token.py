"""`token` of a ServiceAccount: a signed, bound, short-lived token (authentication.k8s.io/v1 TokenRequest).

In: a TokenRequest. Out: the same with its status; the token is a JWT that `wire` accepts (`api.tokens`).
"""

from madang.api import errors
from madang.api.desk import Desk, Outcome
from madang.api.pipeline import decoded
from madang.api.resources import Resource, posted
from madang.kinds.checks.status import invalid
from madang.kinds.checks.subresources import check_token_seconds
from madang.kinds.kind import Kind
from madang.kinds.times import format_seconds
from madang.ports.api import WriteOptions
from madang.ports.errors import Unavailable
from madang.ports.objects import Obj

ROW = Kind(group="authentication.k8s.io", version="v1", kind="TokenRequest", plural="tokenrequests")
AUDIENCE = "https://kubernetes.default.svc"
USUAL_S = 3600


def issue(
    desk: Desk, resource: Resource, namespace: str, name: str, body: bytes | Obj, options: WriteOptions
) -> Outcome:
    wanted, warnings = decoded(posted(ROW), body, options)
    spec = dict(wanted.get("spec") or {})
    seconds = spec.get("expirationSeconds") or USUAL_S
    if found := check_token_seconds(seconds):
        raise invalid(ROW.kind, ROW.group, "", found)
    entry = desk.newest(resource.row, namespace, name)
    if entry is None:
        raise errors.not_found(resource.row, name)
    if desk.tokens is None:
        raise Unavailable("this courtyard signs no tokens: it was opened without a home for its key")
    about = entry.obj["metadata"]
    audiences = list(spec.get("audiences") or [AUDIENCE])
    now = desk.clock.now_s()
    token = desk.tokens.sign(
        namespace, name, about["uid"], now_s=now, seconds=seconds, audiences=audiences, bound=spec.get("boundObjectRef")
    )
    meta: Obj = {
        "name": name,
        "namespace": namespace,
        "uid": about["uid"],
        "creationTimestamp": format_seconds(now),
        "managedFields": [
            {
                "manager": options.field_manager or "unknown",
                "operation": "Update",
                "apiVersion": ROW.api_version,
                "time": format_seconds(now),
                "fieldsType": "FieldsV1",
                "fieldsV1": {"f:spec": {f"f:{field}": {} for field in sorted(spec) if spec[field]}},
                "subresource": "token",
            }
        ],
    }
    spec = {"audiences": audiences, "expirationSeconds": seconds, "boundObjectRef": spec.get("boundObjectRef")}
    status = {"token": token, "expirationTimestamp": format_seconds(now + seconds)}
    answer = {"kind": ROW.kind, "apiVersion": ROW.api_version, "metadata": meta, "spec": spec, "status": status}
    return Outcome(obj=answer, created=True, warnings=tuple(warnings))

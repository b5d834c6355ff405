"""Who am I, may I: the reviews that clients post about themselves (authentication.k8s.io, authorization.k8s.io).

In: a review. Out: the same with its status. Every authenticated user may do everything, and that is what they say.
"""

from typing import Any

import orjson

from madang.api.desk import Desk
from madang.kinds import decode
from madang.kinds.times import format_seconds
from madang.ports.api import User
from madang.ports.objects import Obj
from madang.wire import answer
from madang.wire.answer import Receive, Send
from madang.wire.body import given_body, read_body
from madang.wire.request import Request, Target

WHY = "every authenticated user of this courtyard may do everything"
KINDS = {
    ("authentication.k8s.io", "selfsubjectreviews"): "SelfSubjectReview",
    ("authorization.k8s.io", "selfsubjectaccessreviews"): "SelfSubjectAccessReview",
    ("authorization.k8s.io", "selfsubjectrulesreviews"): "SelfSubjectRulesReview",
    ("authorization.k8s.io", "subjectaccessreviews"): "SubjectAccessReview",
    ("authorization.k8s.io", "localsubjectaccessreviews"): "LocalSubjectAccessReview",
    ("authentication.k8s.io", "tokenreviews"): "TokenReview",
}


async def send(desk: Desk, request: Request, found: Target, receive: Receive, send: Send) -> bool:
    """Whether this was a review."""
    kind = KINDS.get((found.group, found.plural))
    if kind is None or found.version != "v1" or found.name or request.method != "POST":
        return False
    body = await read_body(receive)
    given = given_body(request, body)
    if isinstance(given, bytes):
        given = decode.parse(kind, given or b"{}")
    spec: Obj = given.get("spec") or {}
    meta: Obj = {"creationTimestamp": format_seconds(desk.clock.now_s())} if kind == "SelfSubjectReview" else {}
    made: Obj = {"kind": kind, "apiVersion": f"{found.group}/v1", "metadata": meta}
    if kind != "SelfSubjectReview":
        made["spec"] = spec
    made["status"] = _status(desk, kind, spec, request.user)
    await answer.send_bytes(send, 201, orjson.dumps(made))
    return True


def _status(desk: Desk, kind: str, spec: Obj, user: User) -> Obj:
    if kind == "SelfSubjectReview":
        return {"userInfo": _info(user)}
    if kind == "SelfSubjectRulesReview":
        every: dict[str, Any] = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}
        return {
            "resourceRules": [every],
            "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}],
            "incomplete": False,
        }
    if kind == "TokenReview":
        found = desk.tokens.user(spec.get("token", ""), desk.store, desk.clock.now_s()) if desk.tokens else None
        if found is None:
            return {"user": {}, "error": "the token is not valid"}
        return {"authenticated": True, "user": _info(found), "audiences": spec.get("audiences") or []}
    return {"allowed": True, "reason": WHY}


def _info(user: User) -> Obj:
    return {"username": user.name, "groups": list(user.groups)}

"""Whatever is asked, the answer is the API's: never a fault of ours (500), never silence."""

import asyncio
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from madang.wire.app import App
from tests.api.house import config_map, house, pod

N = "/api/v1/namespaces/default"
PATHS = f"""
/ /api /apis /api/v1 /apis/apps /apis/apps/v1 /apis/none /apis/apps/v9 /version /healthz /openapi/v3 /openapi/v3/api/v1
/api/v1/pods /api/v1/namespaces /api/v1/namespaces/default /api/v1/namespaces/default/finalize /api/v1/nodes //
{N}/configmaps {N}/configmaps/a {N}/configmaps/none {N}/configmaps/a/none {N}/pods {N}/pods/p {N}/pods/p/status
{N}/pods/p/log {N}/pods/p/exec {N}/pods/p/binding {N}/pods/p/eviction {N}/pods/p/portforward {N}/bindings {N}/events
{N}/serviceaccounts/default/token {N}/services {N}/services/s /api/v1/namespaces//configmaps {N}/secrets/\0 /é/ü
/apis/apps/v1/namespaces/default/deployments /apis/apps/v1/namespaces/default/deployments/d
/apis/apps/v1/namespaces/default/deployments/d/scale /apis/apps/v1/namespaces/default/deployments/d/status
/apis/autoscaling/v1/namespaces/default/horizontalpodautoscalers /apis/events.k8s.io/v1/namespaces/default/events
/apis/metrics.k8s.io/v1beta1/pods /apis/metrics.k8s.io/v1beta1/nodes/n /apis/batch/v1/namespaces/default/jobs
/apis/authentication.k8s.io/v1/selfsubjectreviews /apis/authorization.k8s.io/v1/selfsubjectaccessreviews
""".split()
VALUES = ["", "1", "0", "-1", "abc", "true", "All", "a=b", "a==", "!x", "9" * 20, "Exact", "é", "eyJ2IjoxfQ"]
NAMES = [
    "limit", "continue", "labelSelector", "fieldSelector", "resourceVersion", "resourceVersionMatch", "dryRun", "force",
    "fieldManager", "fieldValidation", "gracePeriodSeconds", "propagationPolicy", "includeObject", "tailLines",
    "container", "orphanDependents",
]  # fmt: skip
BODIES = [
    b"", b"{", b"[]", b"null", b"1", b"{}", b'{"metadata":null}', b'{"metadata":{"name":"a"}}', b'{"kind":"ConfigMap"}',
    b'{"metadata":{"name":"a"},"spec":[]}', b'{"spec":{"replicas":"x"}}', b'[{"op":"test","path":"/x"}]', b"\xff\xfe",
    b"k8s\x00\x01", b'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","labels":5}}', b'{"a":NaN}',
    b'{"propagationPolicy":"x"}', b'{"spec":null,"metadata":{"name":"d"}}', b'{"gracePeriodSeconds":"x"}', b"[1]",
    b'{"metadata":{"name":"d","managedFields":[{"fieldsV1":{"f:a":1}}]},"spec":{"template":{"spec":{"containers":[{}]}}}}',
    b'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"a":null}}', b"a: [", b"a: 1", b"{1: 2}",
    b'{"spec":{"containers":null}}', b'{"target":null}', b'{"status":{"conditions":[null]}}', b'{"preconditions":[]}',
]  # fmt: skip
MEDIA = ["", "application/json", "application/yaml", "application/vnd.kubernetes.protobuf", "text/plain"] + [
    f"application/{patch}" for patch in ("merge-patch+json", "json-patch+json", "strategic-merge-patch+json")
] + ["application/apply-patch+yaml"]  # fmt: skip
ACCEPTS = ["", "*/*", "application/yaml", "text/html"] + [
    f"application/json;as={shape};v=v1;g=meta.k8s.io"
    for shape in ("Table", "PartialObjectMetadata", "PartialObjectMetadataList")
]


async def ask(app: App, method: str, path: str, query: bytes, headers: list[tuple[bytes, bytes]], body: bytes) -> int:
    sent: list[dict[str, Any]] = []
    given_body = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def receive() -> dict[str, Any]:
        return next(given_body, {"type": "http.disconnect"})

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": method, "path": path, "query_string": query, "headers": headers}
    await app(scope, receive, send)
    assert sent[0]["type"] == "http.response.start" and not sent[-1].get("more_body")
    return int(sent[0]["status"])


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"]),
    st.sampled_from(PATHS),
    st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(VALUES)), max_size=2),
    st.sampled_from(BODIES),
    st.sampled_from(MEDIA),
    st.sampled_from(ACCEPTS),
)
def test_no_request_breaks_it(
    method: str, path: str, query: list[tuple[str, str]], body: bytes, media: str, accept: str
) -> None:
    async def main() -> None:
        async with house(home=Path("/nonexistent")) as api:
            await api.create("configmaps", config_map("a", k="v"))
            await api.create("pods", pod("p"))
            template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
            spec = {"selector": {"matchLabels": {"a": "b"}}, "template": template}
            meta = {"name": "d", "namespace": "default"}
            await api.create("deployments.apps", {"metadata": meta, "spec": spec})
            app = App(api.desk, None, None, asyncio.Event())
            raw = "&".join(f"{name}={value}" for name, value in query).encode()
            headers = [(b"content-type", media.encode()), (b"accept", accept.encode())]
            status = await ask(app, method, path, raw, headers, body)
            assert status < 500 or status in (503, 504), status

    asyncio.run(main())

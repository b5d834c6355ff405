"""Service account tokens for the pods that project them, asked of the API as a kubelet does."""

from madang.node.volumes.content import Token
from madang.ports.api import Api
from madang.ports.errors import NotFound, Unavailable
from madang.ports.objects import Obj


def api_tokens(api: Api) -> Token:
    """Tokens bound to their pod; None in a house that signs none."""

    async def token(pod: Obj, audience: str, seconds: int) -> str | None:
        meta = pod["metadata"]
        bound = {"kind": "Pod", "apiVersion": "v1", "name": meta["name"], "uid": meta["uid"]}
        wanted = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {
                "audiences": [audience] if audience else [],
                "expirationSeconds": seconds,
                "boundObjectRef": bound,
            },
        }
        account = pod["spec"].get("serviceAccountName") or "default"
        try:
            made = await api.create(
                "serviceaccounts", wanted, namespace=meta["namespace"], name=account, subresource="token"
            )
        except (NotFound, Unavailable):
            return None
        return str(made.obj["status"]["token"])

    return token

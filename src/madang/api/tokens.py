"""Tokens of service accounts: JSON Web Tokens signed with the courtyard's own key (RFC 7519, ES256).

In: who, for how long, bound to what. Out: the token; and from a token the user that it stands for, as long as it has
not expired and its account (and the pod that it is bound to) is still the same one. The key lies in the courtyard's
home (0600).
"""

import base64
import hashlib
import os
from pathlib import Path
from typing import Any

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

from madang.ports.api import User
from madang.ports.objects import Key, Obj
from madang.store.model import Store

ISSUER = "https://kubernetes.default.svc"
_SIZE = 32  # bytes of each half of an ES256 signature


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Tokens:
    def __init__(self, key: ec.EllipticCurvePrivateKey) -> None:
        self._key = key
        point = key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        self._id = _encode(hashlib.sha256(point).digest())

    @classmethod
    def at(cls, path: Path) -> "Tokens":
        """The key at `path`, made if there is none that can be read."""
        if not path.exists():
            key = ec.generate_private_key(ec.SECP256R1())
            pem = key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            fresh = path.with_suffix(".new")
            handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(pem)
            fresh.replace(path)
        try:
            loaded = serialization.load_pem_private_key(path.read_bytes(), password=None)
        except ValueError:  # a machine that lost its power, say: tokens are given anew
            path.unlink()
            return cls.at(path)
        assert isinstance(loaded, ec.EllipticCurvePrivateKey)
        return cls(loaded)

    def sign(
        self, namespace: str, account: str, uid: str, *, now_s: float, seconds: int, audiences: list[str],
        bound: Obj | None,
    ) -> str:  # fmt: skip
        now = int(now_s)
        about: dict[str, Any] = {"namespace": namespace, "serviceaccount": {"name": account, "uid": uid}}
        if bound and bound.get("kind") == "Pod":
            about["pod"] = {"name": bound.get("name", ""), "uid": bound.get("uid", "")}
        claims = {
            "aud": audiences,
            "exp": now + seconds,
            "iat": now,
            "nbf": now,
            "iss": ISSUER,
            "kubernetes.io": about,
            "sub": f"system:serviceaccount:{namespace}:{account}",
        }
        head = _encode(orjson.dumps({"alg": "ES256", "kid": self._id}))
        signed = f"{head}.{_encode(orjson.dumps(claims))}"
        r, s = utils.decode_dss_signature(self._key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
        return f"{signed}.{_encode(r.to_bytes(_SIZE, 'big') + s.to_bytes(_SIZE, 'big'))}"

    def user(self, token: str, store: Store, now_s: float) -> User | None:
        """Whom the token stands for; None if it is not ours, is over, or stands for something that is gone."""
        claims = self._claims(token)
        # `nbf` is for others who check it. Ours are good from the start: one that begins later was signed before the
        # clock was set back, and pods would be locked out until then.
        if claims is None or now_s >= claims.get("exp", 0):
            return None
        if ISSUER not in (claims.get("aud") or ()):
            return None
        about = claims["kubernetes.io"]
        namespace, account = about["namespace"], about["serviceaccount"]
        if not _stands(store, Key("serviceaccounts", namespace, account["name"]), account["uid"]):
            return None
        pod = about.get("pod")
        if pod and not _stands(store, Key("pods", namespace, pod["name"]), pod["uid"]):
            return None
        groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated")
        return User(f"system:serviceaccount:{namespace}:{account['name']}", groups)

    def _claims(self, token: str) -> dict[str, Any] | None:
        try:
            head, body, signature = token.split(".")
            raw = _decode(signature)
            if len(raw) != 2 * _SIZE:
                return None
            der = utils.encode_dss_signature(int.from_bytes(raw[:_SIZE], "big"), int.from_bytes(raw[_SIZE:], "big"))
            self._key.public_key().verify(der, f"{head}.{body}".encode(), ec.ECDSA(hashes.SHA256()))
            claims = orjson.loads(_decode(body))
        except (ValueError, InvalidSignature):
            return None
        return claims if isinstance(claims, dict) and "kubernetes.io" in claims else None


def _stands(store: Store, key: Key, uid: str) -> bool:
    entry = store.get(key)
    return entry is not None and (not uid or entry.obj["metadata"]["uid"] == uid)

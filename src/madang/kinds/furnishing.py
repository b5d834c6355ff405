"""What stands in every namespace: the ServiceAccount `default`, and the ConfigMap with the CA that the API is known by.

In: a namespace, the CA's text. Out: the two objects, as they are made with the namespace and again where they lack.
"""

from madang.ports.objects import Obj

ACCOUNT, ROOT_CA, CA_KEY = "default", "kube-root-ca.crt", "ca.crt"
ABOUT_CA = (
    "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the "
    "internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes "
    "clusters."
)


def account(namespace: str) -> Obj:
    return {"kind": "ServiceAccount", "apiVersion": "v1", "metadata": {"name": ACCOUNT, "namespace": namespace}}


def root_ca(namespace: str, pem: str) -> Obj:
    about = {"kubernetes.io/description": ABOUT_CA}
    meta = {"name": ROOT_CA, "namespace": namespace, "annotations": about}
    return {"kind": "ConfigMap", "apiVersion": "v1", "metadata": meta, "data": {CA_KEY: pem}}

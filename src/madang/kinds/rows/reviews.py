"""Who am I, may I: kinds that are posted and answered, and never stored (authentication.k8s.io, authorization.k8s.io).

Discovery names them; `wire` answers them. They are no rows of the table that is found by path.
"""

from madang.kinds.kind import Kind

CREATE = ("create",)


def _review(group: str, kind: str, namespaced: bool = False) -> Kind:
    name = kind.lower()
    return Kind(group, "v1", kind, f"{name}s", namespaced=namespaced, singular=name, verbs=CREATE)


ROWS = (
    _review("authentication.k8s.io", "SelfSubjectReview"),
    _review("authentication.k8s.io", "TokenReview"),
    _review("authorization.k8s.io", "LocalSubjectAccessReview", namespaced=True),
    _review("authorization.k8s.io", "SelfSubjectAccessReview"),
    _review("authorization.k8s.io", "SelfSubjectRulesReview"),
    _review("authorization.k8s.io", "SubjectAccessReview"),
)

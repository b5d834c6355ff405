"""Names in the index of a store: who has which, and what a name that moves leaves behind.

In: the descriptors of the index, changed in place. Out: nothing else. An image without a name stays in the index once,
so that whoever uses it keeps it.
"""

from typing import Any

from madang.node.images.layout import REF_NAME


def give(entries: list[dict[str, Any]], described: dict[str, Any], refs: tuple[str, ...]) -> None:
    """Give these names to an image. Who had one before keeps its other names, or stays without any."""
    for old in [e for e in entries if (e.get("annotations") or {}).get(REF_NAME) in refs]:
        same = sum(e["digest"] == old["digest"] for e in entries)
        if same > 1 or old["digest"] == described["digest"]:
            entries.remove(old)
        else:
            del old["annotations"][REF_NAME]
    mine = [e for e in entries if e["digest"] == described["digest"]]
    named = [e for e in mine if (e.get("annotations") or {}).get(REF_NAME)]
    if refs or named:
        for bare in [e for e in mine if e not in named]:
            entries.remove(bare)
        mine = named
    for ref in refs:
        entries.append({**described, "annotations": {**described.get("annotations", {}), REF_NAME: ref}})
    if not refs and not mine:
        entries.append(described)


def entry_of(entries: list[dict[str, Any]], digest: str) -> dict[str, Any]:
    """The descriptor of an image, without a name. KeyError where it is gone."""
    for each in entries:
        if each["digest"] == digest:
            known = {k: v for k, v in (each.get("annotations") or {}).items() if k != REF_NAME}
            plain = {k: v for k, v in each.items() if k != "annotations"}
            return {**plain, "annotations": known} if known else plain
    raise KeyError(digest)

"""What is said about a name: records, and the reply that they make. Values only, so that decisions read like tables."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from madang.kinds.external_name import ZONE

Type = Literal["A", "AAAA", "CNAME", "NS", "PTR", "SOA", "SRV", "TXT"]
Code = Literal["NOERROR", "NXDOMAIN"]
TTL = 5  # seconds; also of "there is none": what has just come must be found soon
HOST = f"ns.dns.{ZONE}"


@dataclass(frozen=True, slots=True)
class Record:
    """`value` as a zone file writes it, names without their last dot."""

    name: str
    type: Type
    value: str
    ttl: int = TTL


@dataclass(frozen=True, slots=True)
class Reply:
    """`follow`: the name outside at which the answer ends so far; somebody else knows the rest of it."""

    code: Code = "NOERROR"
    answer: tuple[Record, ...] = ()
    authority: tuple[Record, ...] = ()
    additional: tuple[Record, ...] = ()
    follow: str = ""


def soa(apex: str) -> Record:
    """The serial does not matter: nobody copies this zone."""
    return Record(apex, "SOA", f"{HOST}. hostmaster.{ZONE}. 1 7200 1800 86400 {TTL}")


def nothing(apex: str, *, exists: bool) -> Reply:
    """The name has no record of the type that was asked for, or there is no such name at all."""
    return Reply("NOERROR" if exists else "NXDOMAIN", authority=(soa(apex),))


def found(apex: str, records: Iterable[Record], asked: str, more: Iterable[Record] = ()) -> Reply:
    """Those of the records of one name that were asked for."""
    answer = tuple(r for r in dict.fromkeys(records) if asked in (r.type, "ANY"))
    if not answer:
        return nothing(apex, exists=True)
    return Reply(answer=answer, additional=tuple(dict.fromkeys(more)) if asked in ("SRV", "ANY") else ())

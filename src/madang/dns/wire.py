"""Questions and answers as bytes (RFC 1035, EDNS of RFC 6891).

In: a datagram's or a stream's message. Out: what is asked, or the refusal that it deserves; a reply's bytes, cut to
what its way carries and marked as cut. Pure.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import dns.exception
import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from madang.dns.records import Record, Reply

PLAIN, MOST, STREAM = 512, 1232, 65535  # bytes: without EDNS, with it (passes everywhere in one piece), over TCP
_TRANSFERS = (dns.rdatatype.AXFR, dns.rdatatype.IXFR)


@dataclass(frozen=True)
class Question:
    """`name` as `Zone.answer` wants it."""

    message: dns.message.Message
    name: str
    type: str


def read(data: bytes) -> Question | bytes | None:
    """Bytes: the refusal to send. None: nobody asked (an answer, a fragment), and nobody gets one."""
    if len(data) < 12 or data[2] & 0x80:
        return None
    try:
        message = dns.message.from_wire(data)
    except (dns.exception.DNSException, ValueError):
        return data[:2] + bytes((0x80 | (data[2] & 0x79), dns.rcode.FORMERR)) + bytes(8)
    if message.opcode() != dns.opcode.QUERY:
        return refuse(message, dns.rcode.NOTIMP)
    if len(message.question) != 1:
        return refuse(message, dns.rcode.FORMERR)
    if message.edns > 0:
        return refuse(message, dns.rcode.BADVERS)
    [asked] = message.question
    if asked.rdclass != dns.rdataclass.IN or asked.rdtype in _TRANSFERS:
        return refuse(message, dns.rcode.REFUSED)
    name = asked.name.to_text(omit_final_dot=True).lower()
    return Question(message, name, dns.rdatatype.to_text(asked.rdtype))


def refuse(message: dns.message.Message, code: dns.rcode.Rcode) -> bytes:
    answer = dns.message.make_response(message, recursion_available=True, our_payload=MOST)
    answer.set_rcode(code)
    return bytes(answer.to_wire())


def failed(question: Question) -> bytes:
    return refuse(question.message, dns.rcode.SERVFAIL)


def write(question: Question, reply: Reply, room: int, rest: bytes = b"") -> bytes:
    """`rest`: what another server said about the name that the reply leads to. Who asks for several addresses gets
    them in another order each time: the number of its question turns them."""
    message = question.message
    answer = dns.message.make_response(message, recursion_available=True, our_payload=MOST)
    answer.flags |= dns.flags.AA
    answer.set_rcode(dns.rcode.from_text(reply.code))
    answer.answer = _sets(reply.answer, message.id)
    answer.authority = _sets(reply.authority)
    answer.additional = _sets(reply.additional)
    if rest:
        told = dns.message.from_wire(rest)
        answer.answer += told.answer
        answer.authority += told.authority
        answer.set_rcode(told.rcode())
        answer.flags &= ~dns.flags.AA
    return bytes(answer.to_wire(max_size=room, prefer_truncation=True))


def room_of(question: Question) -> int:
    """What a datagram to this client may hold."""
    return max(PLAIN, min(question.message.payload or PLAIN, MOST))


def query(name: str, type: str, id: int) -> bytes:
    made = dns.message.make_query(name, type, use_edns=0, payload=MOST, id=id)
    return bytes(made.to_wire())


def answers(sent: bytes, got: bytes) -> bool:
    """Whether these are the words of an answer to just this question."""
    try:
        return dns.message.from_wire(sent).is_response(dns.message.from_wire(got, ignore_trailing=True))
    except (dns.exception.DNSException, ValueError):
        return False


def _sets(records: Sequence[Record], turn: int = 0) -> list[dns.rrset.RRset]:
    """The name that was asked for goes out as it was written, since it is told once and pointed at: some clients mix
    its letters to know their answer."""
    grouped: dict[tuple[str, str, int], list[str]] = {}
    for r in records:
        grouped.setdefault((r.name, r.type, r.ttl), []).append(r.value)
    made = []
    for (name, kind, ttl), values in grouped.items():
        start = turn % len(values)
        made.append(dns.rrset.from_text_list(name + ".", ttl, "IN", kind, values[start:] + values[:start]))
    return made


def cut(data: bytes, room: int) -> bytes:
    """Another server's answer, cut to the room there is."""
    return bytes(dns.message.from_wire(data).to_wire(max_size=room, prefer_truncation=True))

"""Messages: what is refused and how, what is cut, and that no bytes break the server."""

import dns.flags
import dns.message
import dns.opcode
import dns.rcode
from hypothesis import given
from hypothesis import strategies as st

from madang.dns import wire
from madang.dns.records import Record, Reply
from madang.dns.wire import Question

NAME = "cart.shop.svc.cluster.local"


def question(name: str = NAME, kind: str = "A", **more: object) -> Question:
    found = wire.read(dns.message.make_query(name, kind, **more).to_wire())  # type: ignore[arg-type]
    assert isinstance(found, Question)
    return found


def many(count: int) -> Reply:
    return Reply(answer=tuple(Record(NAME, "A", f"10.0.{n // 200}.{n % 200}") for n in range(count)))


def test_the_asked_name_comes_back_as_it_was_written() -> None:
    asked = question("CaRt.Shop.svc.cluster.local")
    assert asked.name == NAME
    answer = dns.message.from_wire(wire.write(asked, many(1), 512))
    assert answer.answer[0].name.to_text() == "CaRt.Shop.svc.cluster.local."
    assert answer.flags & dns.flags.AA and answer.flags & dns.flags.RA and answer.id == asked.message.id


def test_what_does_not_fit_is_cut_and_says_so() -> None:
    plain, large = question(), question(use_edns=0, payload=4096)
    assert (wire.room_of(plain), wire.room_of(large)) == (512, 1232)
    for asked, count in ((plain, 100), (large, 200)):
        data = wire.write(asked, many(count), wire.room_of(asked))
        assert len(data) <= wire.room_of(asked) and dns.message.from_wire(data).flags & dns.flags.TC
        whole = dns.message.from_wire(wire.write(asked, many(count), wire.STREAM))
        assert len(whole.answer[0]) == count and not whole.flags & dns.flags.TC


def test_edns_is_answered_only_to_who_speaks_it() -> None:
    assert dns.message.from_wire(wire.write(question(), many(1), 512)).edns == -1
    assert dns.message.from_wire(wire.write(question(use_edns=0), many(1), 512)).edns == 0


def test_refusals() -> None:
    def code(message: dns.message.Message) -> int:
        answer = wire.read(message.to_wire())
        assert isinstance(answer, bytes)
        return dns.message.from_wire(answer).rcode()

    status = dns.message.make_query(NAME, "A")
    status.set_opcode(dns.opcode.STATUS)
    assert code(status) == dns.rcode.NOTIMP
    assert code(dns.message.make_query(NAME, "AXFR")) == dns.rcode.REFUSED
    assert code(dns.message.make_query(NAME, "TXT", "CH")) == dns.rcode.REFUSED
    assert code(dns.message.make_query(NAME, "A", use_edns=1)) == dns.rcode.BADVERS


def test_nobody_who_answers_is_answered() -> None:
    assert wire.read(wire.write(question(), many(1), 512)) is None
    assert wire.read(b"short") is None


def test_what_another_server_said_is_added() -> None:
    asked = question()
    sent = wire.query("example.com", "A", 7)
    theirs = dns.message.make_response(dns.message.from_wire(sent))
    theirs.answer = [dns.rrset.from_text("example.com.", 60, "IN", "A", "192.0.2.9")]
    reply = Reply(answer=(Record(NAME, "CNAME", "example.com."),), follow="example.com")
    whole = dns.message.from_wire(wire.write(asked, reply, 512, theirs.to_wire()))
    assert [dns.rdatatype.to_text(r.rdtype) for r in whole.answer] == ["CNAME", "A"]
    assert wire.answers(sent, theirs.to_wire()) and not wire.answers(sent, wire.write(asked, reply, 512))


@given(st.binary(max_size=80))
def test_any_bytes_are_refused_or_passed_over(data: bytes) -> None:
    found = wire.read(data)
    if isinstance(found, bytes):
        assert found[:2] == data[:2] and found[2] & 0x80


@given(st.binary(max_size=6), st.integers(0, 40))
def test_a_damaged_question_is_refused_or_read(noise: bytes, at: int) -> None:
    data = dns.message.make_query(NAME, "A", use_edns=0).to_wire()
    wire.read(data[:at] + noise + data[at + len(noise) :])

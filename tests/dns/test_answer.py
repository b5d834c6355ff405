"""What names mean, by Kubernetes' DNS specification; and that every question has an answer that holds together."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from madang.dns.records import TTL, Reply
from tests.dns.small import endpoint, endpoints, house, service, zone

SHOP = "shop.svc.cluster.local"
ZONE = zone()
TABLE = [
    (f"cart.{SHOP}", "A", ["10.200.16.5"]),
    (f"cart.{SHOP}", "AAAA", []),
    (f"_http._tcp.cart.{SHOP}", "SRV", [f"0 100 80 cart.{SHOP}."]),
    (f"_dns._udp.cart.{SHOP}", "SRV", [f"0 100 53 cart.{SHOP}."]),
    (f"_http._udp.cart.{SHOP}", "SRV", None),
    (f"_tcp.cart.{SHOP}", "A", []),
    (f"_sctp.cart.{SHOP}", "A", None),
    (f"x.cart.{SHOP}", "A", None),
    (f"db.{SHOP}", "A", ["10.200.0.2", "10.200.0.3"]),
    (f"db-0.db.{SHOP}", "A", ["10.200.0.2"]),
    (f"10-200-0-3.db.{SHOP}", "A", ["10.200.0.3"]),
    (f"10-200-0-2.db.{SHOP}", "A", None),  # it has a name
    (f"10-200-0-4.db.{SHOP}", "A", None),  # it is not ready
    (f"_sql._tcp.db.{SHOP}", "SRV", [f"0 100 5432 db-0.db.{SHOP}.", f"0 100 5432 10-200-0-3.db.{SHOP}."]),
    (f"_tcp.db.{SHOP}", "SRV", []),
    (f"idle.{SHOP}", "A", None),
    (f"eager.{SHOP}", "A", ["10.200.0.4"]),
    (f"none.{SHOP}", "A", None),
    (SHOP, "A", []),
    ("other.svc.cluster.local", "A", None),
    ("10-200-0-9.shop.pod.cluster.local", "A", ["10.200.0.9"]),
    ("10-200-0-9.shop.pod.cluster.local", "AAAA", []),
    ("2001-db8--7.shop.pod.cluster.local", "AAAA", ["2001:db8::7"]),
    ("10-200-0-9.other.pod.cluster.local", "A", None),
    ("web.shop.pod.cluster.local", "A", None),
    ("dns-version.cluster.local", "TXT", ['"1.1.0"']),
    ("cluster.local", "NS", ["ns.dns.cluster.local."]),
    ("ns.dns.cluster.local", "A", ["10.200.0.1"]),
    ("svc.cluster.local", "A", []),
    ("else.cluster.local", "A", None),
    ("5.16.200.10.in-addr.arpa", "PTR", [f"cart.{SHOP}."]),
    ("2.0.200.10.in-addr.arpa", "PTR", [f"db-0.db.{SHOP}."]),
    ("4.0.200.10.in-addr.arpa", "PTR", [f"10-200-0-4.eager.{SHOP}."]),
    ("9.0.200.10.in-addr.arpa", "PTR", None),
]


@pytest.mark.parametrize(("name", "asked", "values"), TABLE)
def test_the_table(name: str, asked: str, values: list[str] | None) -> None:
    """None: there is no such name. An empty list: there is, but no record of that type."""
    reply = ZONE.answer(name, asked)
    assert reply is not None
    assert (reply.code, [r.value for r in reply.answer]) == (
        "NOERROR" if values is not None else "NXDOMAIN",
        values or [],
    )
    if not values:
        [soa] = reply.authority
        assert (soa.type, soa.ttl, soa.value.split()[-1]) == ("SOA", TTL, str(TTL))


@pytest.mark.parametrize("name", ["example.com", "cart", "xcluster.local", "1.1.1.1.in-addr.arpa", "x.in-addr.arpa"])
def test_what_is_not_ours_is_somebody_elses(name: str) -> None:
    assert ZONE.answer(name, "A") is None


def test_srv_brings_the_addresses_along() -> None:
    reply = ZONE.answer(f"_sql._tcp.db.{SHOP}", "SRV")
    assert reply is not None
    assert [(r.name, r.value) for r in reply.additional] == [
        (f"db-0.db.{SHOP}", "10.200.0.2"),
        (f"10-200-0-3.db.{SHOP}", "10.200.0.3"),
    ]


def test_an_external_name_leads_out() -> None:
    reply = ZONE.answer(f"out.{SHOP}", "A")
    assert reply is not None and reply.follow == "example.com"
    assert [(r.type, r.value) for r in reply.answer] == [("CNAME", "Example.COM.")]
    alone = ZONE.answer(f"out.{SHOP}", "CNAME")
    assert alone is not None and alone.follow == "" and len(alone.answer) == 1


def test_external_names_of_the_house_are_followed_inside() -> None:
    reply = ZONE.answer(f"far.{SHOP}", "A")
    assert reply is not None and reply.follow == ""
    assert [r.type for r in reply.answer] == ["CNAME", "CNAME", "A"]
    assert reply.answer[-1].value == "10.200.16.5"


def test_external_names_in_a_ring_end() -> None:
    reply = ZONE.answer(f"ring.{SHOP}", "A")
    assert reply is not None and {r.type for r in reply.answer} == {"CNAME"}


WORDS = "cart db db-0 idle out far ring x shop svc pod dns ns _http _sql _tcp _udp 10-200-0-3 1-2-3-4"
LABELS = st.sampled_from([*WORDS.split(), "in-addr", "arpa", "10", "200", "0", "2", "cluster", "local"])
NAMES = st.tuples(
    st.lists(LABELS, max_size=6), st.sampled_from(["", "svc.cluster.local", "cluster.local", "in-addr.arpa"])
)
TYPES = st.sampled_from(["A", "AAAA", "CNAME", "SRV", "PTR", "TXT", "SOA", "NS", "ANY", "MX", "TYPE65"])


@given(NAMES, TYPES)
def test_every_answer_holds_together(name: tuple[list[str], str], asked: str) -> None:
    whole = ".".join([*name[0], *filter(None, [name[1]])])
    reply = ZONE.answer(whole, asked)
    if reply is None:
        assert not whole.endswith(".cluster.local")
        return
    holds(reply, whole, asked)
    others = {t: ZONE.answer(whole, t) for t in ("A", "AAAA", "TXT", "ANY")}
    aliased = any(r.type == "CNAME" for r in reply.answer)
    codes = {r.code for r in others.values() if r is not None}
    assert aliased or len(codes) == 1, "whether a name exists does not depend on what is asked about it"


def holds(reply: Reply, name: str, asked: str) -> None:
    if reply.code == "NXDOMAIN" or not reply.answer:
        assert [r.type for r in reply.authority] == ["SOA"] and not reply.additional
        assert name.endswith(reply.authority[0].name)
        return
    assert reply.answer[0].name == name
    assert all(r.type in (asked, "CNAME") or asked == "ANY" for r in reply.answer)
    assert len(set(reply.answer)) == len(reply.answer) or "ring" in name


@given(st.lists(st.tuples(st.integers(2, 250), st.booleans(), st.booleans()), max_size=12), st.booleans())
def test_headless_names_and_addresses_lead_to_each_other(rows: list[tuple[int, bool, bool]], eager: bool) -> None:
    made = house()
    service(made, "many", clusterIP="None", publishNotReadyAddresses=eager)
    found = {n: (r, f"h{n}" if h else "") for n, r, h in rows}
    parts = [endpoint(f"10.200.1.{n}", ready=r, **({"hostname": h} if h else {})) for n, (r, h) in found.items()]
    endpoints(made, "many", parts)
    here = zone(made)
    reply = here.answer(f"many.{SHOP}", "A")
    assert reply is not None
    assert [r.value for r in reply.answer] == [f"10.200.1.{n}" for n, (r, _) in found.items() if r or eager]
    for n, (ready, _) in found.items():
        back = here.answer(f"{n}.1.200.10.in-addr.arpa", "PTR")
        assert back is not None and bool(back.answer) == (ready or eager)
        for record in back.answer:
            forth = here.answer(record.value.rstrip("."), "A")
            assert forth is not None and [r.value for r in forth.answer] == [f"10.200.1.{n}"]

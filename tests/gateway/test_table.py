"""The one-lookup table gives exactly what the Gateway API's rules of precedence give, request by request."""

from hypothesis import given
from hypothesis import strategies as st

from madang.gateway.table import Entry, Table, compile_table, covers, intersect

HOSTS = ["", "*.localhost", "*.shop.localhost", "shop.localhost", "a.shop.localhost", "b.test"]
ASKED = ["shop.localhost", "a.shop.localhost", "x.shop.localhost", "other.localhost", "b.test", "c.test"]
PATHS = ["/", "/a", "/a/", "/a/b", "/ab", "/a/b/c"]


def looked_up(table: Table, host: str, path: str, holding: frozenset[str]) -> str | None:
    """What HAProxy does with the table: longest key, then the wildcard's rows, then any host's; then the cell."""
    rows = dict(table.rows)
    names = [host, *[name for suffix, name in table.suffixes if host.endswith(suffix)][:1]]
    names += ["*"] if table.any_host else []
    for name in names:
        asked = f"{name}{path}/#"
        found = max((k for k in rows if asked.startswith(k)), key=len, default=None)
        if found is None:
            continue
        cell = next((c for c in table.cells if c.id == rows[found]), None)
        if cell is None:
            return rows[found]
        return next((c.shares[0][0] for c in cell.choices if holding.issuperset(c.conditions)), None)
    return None


def judged(entries: list[Entry], host: str, path: str, holding: frozenset[str]) -> str | None:
    """The specification read literally: among all that match, the most specific host, then the order of the rules."""

    def matches(entry: Entry) -> bool:
        host_fits = covers(entry.host, host)
        if entry.type == "Exact":
            return host_fits and path == entry.path and holding.issuperset(entry.conditions)
        inside = f"{path}/".startswith(f"{entry.path.rstrip('/')}/")
        return host_fits and inside and holding.issuperset(entry.conditions)

    def specificity(entry: Entry) -> tuple[int, int]:
        return (0 if entry.host and entry.host[0] != "*" else 1, -len(entry.host))

    fitting = sorted((e for e in entries if matches(e)), key=lambda e: (specificity(e), e.precedence))
    return fitting[0].shares[0][0] if fitting else None


entry = st.builds(
    lambda host, kind, path, conditions: (host, kind, path, tuple(sorted(conditions))),
    st.sampled_from(HOSTS),
    st.sampled_from(["Exact", "PathPrefix"]),
    st.sampled_from(PATHS),
    st.frozensets(st.sampled_from(["{ method GET }", "{ header x }"]), max_size=2),
)


@given(st.lists(entry, max_size=12), st.sampled_from(ASKED), st.sampled_from([*PATHS, "/a/x", "/z"]), st.booleans())
def test_one_lookup_is_the_specification(
    rows: list[tuple[str, str, str, tuple[str, ...]]], host: str, path: str, get: bool
) -> None:
    entries = [Entry(h, k, p, c, ((f"backend-{i}", 1),), (-len(c), i)) for i, (h, k, p, c) in enumerate(rows)]
    holding = frozenset(["{ method GET }"] if get else [])
    assert looked_up(compile_table(entries), host, path, holding) == judged(entries, host, path, holding)


def test_a_prefix_ends_at_a_slash() -> None:
    table = compile_table([Entry("h", "PathPrefix", "/foo", (), (("b", 1),))])
    assert table.rows == (("h/foo/", "b"),)
    assert looked_up(table, "h", "/foo", frozenset()) == "b"
    assert looked_up(table, "h", "/foo/", frozenset()) == "b"
    assert looked_up(table, "h", "/foobar", frozenset()) is None


def test_weights_make_a_cell_and_equal_cells_are_one() -> None:
    shares = (("old", 9), ("new", 1))
    table = compile_table([Entry("h", "PathPrefix", "/", (), shares), Entry("g", "PathPrefix", "/", (), shares)])
    assert table.rows == (("g/", "=1"), ("h/", "=1"))
    assert len(table.cells) == 1


def test_hosts() -> None:
    assert covers("*.localhost", "*.shop.localhost")
    assert not covers("*.localhost", "localhost")
    assert intersect("*.localhost", "shop.localhost") == "shop.localhost"
    assert intersect("", "*.x") == "*.x"
    assert intersect("a.b", "*.c") is None

"""What HAProxy's tables say of who asks whom."""

from madang.gateway.callers import place_of, services, table, used
from madang.gateway.counters import read
from madang.ports.traffic import Calls, Served

TABLES = """# table: shop:catalog:8000, type: ip, size:4096, used:2
# table: shop:cart:8000, type: ip, size:4096, used:0
"""
ROWS = """# table: shop:catalog:8000, type: ip, size:4096, used:2
0x7f1: key=10.1.0.5 use=1 exp=0 shard=0 conn_cnt=2 http_req_cnt=41 http_fail_cnt=3
0x7f2: key=10.1.0.9 use=0 exp=5000 shard=0 conn_cnt=4 http_req_cnt=0 http_fail_cnt=0
"""
STATS = """# pxname,svname,status,scur,stot,req_tot,hrsp_5xx,rtime
shop:web:8000,BACKEND,UP,1,4,9,1,12
shop:web:9000,BACKEND,UP,0,2,,0,0
not_found,BACKEND,UP,0,0,0,0,0
"""


def test_tables_that_somebody_is_in() -> None:
    assert used(TABLES) == ["shop:catalog:8000"]


def test_a_connection_without_http_counts_once() -> None:
    assert list(table("shop:catalog:8000", ROWS.splitlines())) == [
        Calls("10.1.0.5", "shop", "catalog", 41, 3),
        Calls("10.1.0.9", "shop", "catalog", 4, 0),
    ]


def test_ports_of_one_service_are_one() -> None:
    assert list(services(read(STATS.splitlines()))) == [Served("shop", "web", 11, 1, 1, 12)]


def test_names() -> None:
    assert place_of("shop:web:8000:tcp") == ("shop", "web")
    assert place_of("not_found") is None

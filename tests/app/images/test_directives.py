"""nginx's configuration as people write it for the image, made to hold on this machine."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from madang.app.images.directives import Ground, rewritten, statements

ALONE = Ground("/run/here", paths=(("/etc/nginx", "/run/here/etc"), ("/var/log/nginx/error.log", "/dev/stderr")))
SHARED = replace(
    ALONE, host="127.5.0.2", lowest=1024, resolved=False,
    peers={"api": "127.5.128.3"}, numbers={("127.5.128.3", "8000"): "11004", ("127.5.128.3", "80"): "11005"},
)  # fmt: skip


@pytest.mark.parametrize(
    ("given", "alone", "shared"),
    [
        ("listen 80;", "listen 80;", "listen 127.5.0.2:8080;"),
        ("listen 8088 default_server;", "listen 8088 default_server;", "listen 127.5.0.2:8088 default_server;"),
        ("listen *:443 ssl;", "listen *:443 ssl;", "listen 127.5.0.2:8443 ssl;"),
        ("listen localhost:8000;", "listen localhost:8000;", "listen 127.5.0.2:8000;"),
        ("listen [::]:80;", "listen [::]:80;", "listen 127.5.0.2:8080;"),
        ("listen unix:/tmp/x;", "listen unix:/tmp/x;", "listen unix:/tmp/x;"),
        ("proxy_pass http://api:8000/x/;", "proxy_pass http://api:8000/x/;", "proxy_pass http://127.5.128.3:11004/x/;"),
        ("proxy_pass http://api;", "proxy_pass http://api;", "proxy_pass http://127.5.128.3:11005;"),
        ("proxy_pass http://api:$port;", "proxy_pass http://api:$port;", "proxy_pass http://api:$port;"),
        ("proxy_pass http://elsewhere:8000;", "proxy_pass http://elsewhere:8000;", "proxy_pass http://elsewhere:8000;"),
        ("set $to 'http://api:8000';", "set $to 'http://api:8000';", "set $to 'http://127.5.128.3:11004';"),
        ("include /etc/nginx/mime.types;", "include /run/here/etc/mime.types;", "include /run/here/etc/mime.types;"),
        ("error_log /var/log/nginx/error.log warn;", "error_log /dev/stderr warn;", "error_log /dev/stderr warn;"),
        ("# listen 80; }", "# listen 80; }", "# listen 80; }"),
        ('return 200 "{ listen 80; }";', 'return 200 "{ listen 80; }";', 'return 200 "{ listen 80; }";'),
    ],
)
def test_a_directive(given: str, alone: str, shared: str) -> None:
    def inside(text: str) -> str:
        return f"server {{ listen 1;\n{text}\n}}"

    assert rewritten(inside(given), ALONE) == inside(alone)
    assert rewritten(inside(given), SHARED).splitlines()[1] == shared


def test_what_is_said_on_the_command_line_is_said_once() -> None:
    text = "user nginx;\npid /run/nginx.pid;\ndaemon on;\nworker_processes 1;"
    assert rewritten(text, replace(ALONE, user_known=lambda _: False)) == "\n\n\nworker_processes 1;"
    assert rewritten("user www;", ALONE) == "user www;"
    assert rewritten("server { set $pid 1; user x; }", ALONE) == "server { set $pid 1; user x; }"


def test_both_families_of_one_port_are_one_place() -> None:
    both = "server {\n listen 80;\n listen [::]:80;\n}"
    assert rewritten(both, SHARED) == "server {\n listen 127.5.0.2:8080;\n \n}"
    assert rewritten(both, replace(ALONE, ipv6=False)) == "server {\n listen 80;\n \n}"
    assert "listen 0.0.0.0:80;" in rewritten("server { listen [::]:80; }", replace(ALONE, ipv6=False))


def test_a_server_that_names_no_port() -> None:
    assert rewritten("server { root /x; }", ALONE) == "server { root /x; }"
    assert rewritten("server { root /x; }", SHARED) == "server { listen 127.5.0.2:8080; root /x; }"
    assert rewritten("upstream u { server api:8000; }", SHARED) == "upstream u { server 127.5.128.3:11004; }"
    assert rewritten("stream { server { proxy_pass u; } }", SHARED) == "stream { server { proxy_pass u; } }"


def test_an_upstream_s_name_is_no_peer() -> None:
    ground = replace(SHARED, upstreams=frozenset({"api"}))
    assert rewritten("proxy_pass http://api;", ground) == "proxy_pass http://api;"


def test_it_writes_into_its_own_folder() -> None:
    made = rewritten("http {\n proxy_temp_path /mine;\n}", replace(ALONE, temporary=("client_body", "proxy")))
    assert (
        made
        == "http { client_body_temp_path /run/here/client_body; access_log /dev/stdout;\n proxy_temp_path /mine;\n}"
    )
    assert "access_log /dev/stdout" not in rewritten("http { access_log off; }", ALONE)


def test_the_engine_s_name_server_is_not_here() -> None:
    ground = replace(ALONE, nameserver="10.0.0.1", peers={"api": "10.1.1.1"})
    assert rewritten("resolver 127.0.0.11 valid=5s;", ground) == "resolver 10.0.0.1 valid=5s;"
    assert rewritten("set $up http://api:8000;", ground) == "set $up http://10.1.1.1:8000;"
    assert rewritten("set $up api;", ground) == "set $up api;"


@given(st.text(alphabet="a1 ;{}\"'#\\\n$./:[]", max_size=60))
def test_lines_stay_lines_and_nothing_breaks(text: str) -> None:
    """Also where quotes and braces never close."""
    text = f"server {{ listen 80; {text} }}"
    assert rewritten(text, SHARED).count("\n") == text.count("\n")
    assert all(text[w.start : w.end] == w.text for words, _, _ in statements(text) for w in words)


def test_what_means_the_same_here_stays_to_the_letter() -> None:
    text = "server {\n  listen 80; # here\n  location ~ \\.php$ { fastcgi_pass php:9000; }\n}\n"
    assert rewritten(text, Ground("/run/here")) == text

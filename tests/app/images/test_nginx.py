"""How nginx is started: on a copy of its configuration, with what could not be mounted laid on top."""

import subprocess
import sys
from pathlib import Path

import pytest

import madang
from madang.app.images import nginx
from madang.app.images.directives import rewritten
from madang.app.images.nginx import ground_of, substituted


def test_it_needs_python_alone() -> None:
    """It runs in the pod, by an interpreter that has no packages of ours."""
    src = Path(madang.__file__).parents[1]
    program = f"import sys; sys.path.insert(0, {str(src)!r}); import madang.app.images.nginx"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_peers_are_found_in_the_environment_and_by_their_names() -> None:
    env = {"CART_API_SERVICE_HOST": "127.5.128.3", "CART_API_SERVICE_PORT_PORT_80": "11005", "HOST": "127.5.0.2"}
    ground = ground_of(env, "", "/run/here", "/run/here/etc", {})
    assert rewritten("proxy_pass http://cart-api;", ground) == "proxy_pass http://127.5.128.3:11005;"
    alone = ground_of({}, "127.0.0.1 localhost\n10.9.0.3 cart-api\n", "/run/here", "/run/here/etc", {})
    assert rewritten("set $up http://cart-api:80;", alone) == "set $up http://10.9.0.3:80;"
    assert rewritten("proxy_pass http://cart-api:80;", alone) == "proxy_pass http://cart-api:80;"
    ground = ground_of(env, "127.5.128.3 cart-api basket\n", "/run/here", "/run/here/etc", {})
    assert rewritten("proxy_pass http://basket:80/;", ground) == "proxy_pass http://127.5.128.3:11005/;"


def test_what_could_not_be_mounted_is_named_where_it_is() -> None:
    files = nginx.mounted({"MADANG_FILES": "usr/share/nginx/html=/home/me/html\netc/nginx/x.conf=/home/me/x.conf"})
    ground = ground_of({}, "", "/run/here", "/run/here/etc", files)
    assert rewritten("root /usr/share/nginx/html/a;", ground) == "root /home/me/html/a;"
    assert rewritten("include /etc/nginx/x.conf;", ground) == "include /run/here/etc/x.conf;"


def test_pages_that_could_not_be_mounted_stand_among_the_image_s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, html = tmp_path / "ours", tmp_path / "run" / "html"
    ours.mkdir()
    (ours / "50x.html").write_text("ours")
    (tmp_path / "index.html").write_text("mine")
    monkeypatch.setattr(nginx, "HTML", str(ours))
    single = {f"{ours}/index.html": str(tmp_path / "index.html"), f"{ours}/sub/a": str(tmp_path / "index.html")}
    for _ in range(2):
        files = nginx.overlaid(single, html)
        assert files[str(ours)] == str(html)
        assert [(html / n).read_text() for n in ("50x.html", "index.html", "sub/a")] == ["ours", "mine", "mine"]
    mounted = {f"{ours}/index.html": f"{ours}/index.html"}
    assert nginx.overlaid(mounted, html) == mounted


def test_templates_take_what_is_set(tmp_path: Path) -> None:
    (tmp_path / "templates" / "deep").mkdir(parents=True)
    (tmp_path / "templates" / "a.conf.template").write_text("listen ${PORT}; set $uri_ $NAME$PORTS;")
    (tmp_path / "templates" / "deep" / "b.conf.template").write_text("${NAME}")
    nginx.fill_templates(tmp_path, {"PORT": "8", "NAME": "n", "NGINX_ENVSUBST_FILTER": "^[PN]"})
    assert (tmp_path / "conf.d" / "a.conf").read_text() == "listen 8; set $uri_ n$PORTS;"
    assert (tmp_path / "conf.d" / "deep" / "b.conf").read_text() == "n"
    assert substituted("$A${B}$C", {"A": "1"}, lambda name: name != "C", unset=True) == "1$C"


def test_a_configuration_that_the_dockerfile_takes_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base, etc = tmp_path / "base", tmp_path / "etc"
    (base / "conf.d").mkdir(parents=True)
    for name in ("default.conf", "mine.conf"):
        (base / "conf.d" / name).write_text(name)
    monkeypatch.setenv("MADANG_ETC", str(base))
    monkeypatch.setenv("MADANG_REMOVED", "etc/nginx/conf.d/* usr/share/nginx/html/index.html")
    nginx.copy(etc, {"/etc/nginx/conf.d/mine.conf": "/etc/nginx/conf.d/mine.conf"})
    assert [p.name for p in (etc / "conf.d").iterdir()] == ["mine.conf"]


def test_what_is_private_stays_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base = tmp_path / "base"
    base.mkdir()
    for name, mode in (("key.pem", 0o600), ("read-only.conf", 0o444)):
        (base / name).write_text(name)
        (base / name).chmod(mode)
    monkeypatch.setenv("MADANG_ETC", str(base))
    nginx.copy(tmp_path / "etc", {})
    assert (tmp_path / "etc" / "key.pem").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "etc" / "read-only.conf").stat().st_mode & 0o777 == 0o644


def test_what_only_the_image_has_built_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = tmp_path / "nginx"
    monkeypatch.setenv("MADANG_SERVER", str(server))
    monkeypatch.setattr(nginx, "FOLDERS", (str(tmp_path / "modules"),))
    server.write_text("#!/bin/sh\necho '--with-stream=dynamic' >&2\n")
    server.chmod(0o755)
    assert nginx.to_load("stream", "http {\n}") == ""
    with pytest.raises(SystemExit, match=r"apt-get install libnginx-mod-stream"):
        nginx.to_load("stream", "events {}\nstream {\n}")
    server.write_text("#!/bin/sh\necho '--with-http_v2_module --with-stream' >&2\n")
    assert nginx.to_load("stream", "stream {}") == ""
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "ngx_stream_module.so").touch()
    assert nginx.to_load("stream", "stream {}") == str(tmp_path / "modules" / "ngx_stream_module.so")

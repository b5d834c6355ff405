"""Names in a pod's hosts file, and that the file keeps its inode."""

import os
from pathlib import Path

import pytest

from madang.node.names.hosts import hosts, write
from madang.ports.objects import Obj


def service(name: str, namespace: str, ip: str, **more: object) -> Obj:
    return {"metadata": {"name": name, "namespace": namespace, **more}, "spec": {"clusterIP": ip}}


def rows(text: str) -> list[str]:
    return [line.replace("\t", " ") for line in text.splitlines() if not line.startswith("#")][2:]


POD: Obj = {
    "metadata": {"name": "web-1", "namespace": "shop"},
    "spec": {"hostAliases": [{"ip": "1.2.3.4", "hostnames": ["old", "old.example"]}]},
}


def test_own_names_aliases_and_services() -> None:
    aliases = {"madang.dev/aliases": "db_main, database"}
    text = hosts(
        POD,
        "10.0.0.7",
        [service("db-main", "shop", "10.1.0.2", annotations=aliases), service("kubernetes", "default", "10.1.0.1")],
        {},
    )
    assert rows(text) == [
        "10.0.0.7 web-1",
        "1.2.3.4 old old.example",
        "10.1.0.2 db-main db_main database db-main.shop db-main.shop.svc db-main.shop.svc.cluster.local",
        "10.1.0.1 kubernetes.default kubernetes.default.svc kubernetes.default.svc.cluster.local",
    ]


def test_the_first_line_says_whose_file_it_is() -> None:
    text = hosts(POD, "10.0.0.7", [], {})
    assert text.startswith("# Kubernetes-managed hosts file.\n")
    assert text.endswith("# Entries added by HostAliases.\n1.2.3.4\told\told.example\n")
    machines = {**POD, "spec": {"hostNetwork": True}}
    assert hosts(machines, "", [], {}).startswith("# Kubernetes-managed hosts file (host network).\n")


def test_headless_services_are_their_ready_endpoints() -> None:
    endpoints = [
        {"addresses": ["10.0.0.8"], "conditions": {"ready": True}, "hostname": "db-0"},
        {"addresses": ["10.0.0.9"], "conditions": {"ready": False}, "hostname": "db-1"},
    ]
    text = hosts(POD, "", [service("db", "shop", "None")], {("shop", "db"): [{"endpoints": endpoints}]})
    assert rows(text)[1:] == [
        "10.0.0.8 db db.shop db.shop.svc db.shop.svc.cluster.local",
        "10.0.0.8 db-0.db db-0.db.shop db-0.db.shop.svc db-0.db.shop.svc.cluster.local",
    ]


def external(name: str, leads_to: str) -> Obj:
    return {"metadata": {"name": name, "namespace": "shop"}, "spec": {"type": "ExternalName", "externalName": leads_to}}


def test_an_external_name_of_the_outside_world_is_left_out() -> None:
    away = [external("x", "db.example.org"), external("y", "gone.data.svc"), external("z", "z.shop.svc")]
    assert rows(hosts(POD, "", away, {})) == ["1.2.3.4 old old.example"]


def test_an_external_name_of_a_service_is_one_more_name_of_it() -> None:
    services = [
        external("db", "db2.shop.svc"),
        external("db2", "Main.data.svc.cluster.local."),
        service("main", "data", "10.1.0.9"),
    ]
    assert rows(hosts(POD, "", services, {}))[1:] == [
        "10.1.0.9 db db.shop db.shop.svc db.shop.svc.cluster.local",
        "10.1.0.9 db2 db2.shop db2.shop.svc db2.shop.svc.cluster.local",
        "10.1.0.9 main.data main.data.svc main.data.svc.cluster.local",
    ]


def test_an_external_name_of_a_headless_service_leads_to_its_endpoints() -> None:
    endpoints = [{"addresses": ["10.0.0.8"], "conditions": {"ready": True}}]
    services = [external("x", "db.data.svc"), service("db", "data", "None")]
    text = hosts(POD, "", services, {("data", "db"): [{"endpoints": endpoints}]})
    assert rows(text)[1] == "10.0.0.8 x x.shop x.shop.svc x.shop.svc.cluster.local"


def test_a_pod_with_a_subdomain_has_a_full_name() -> None:
    pod: Obj = {"metadata": {"name": "p", "namespace": "n"}, "spec": {"hostname": "h", "subdomain": "s"}}
    assert rows(hosts(pod, "10.0.0.7", [], {})) == ["10.0.0.7 h.s.n.svc.cluster.local h"]


def test_writing_keeps_the_inode(tmp_path: Path) -> None:
    path = tmp_path / "hosts"
    assert write(path, "a long first text\n")
    inode = path.stat().st_ino
    assert write(path, "short\n")
    assert not write(path, "short\n")
    assert (path.stat().st_ino, path.read_text()) == (inode, "short\n")


def test_a_reader_never_meets_an_empty_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, seen = tmp_path / "hosts", []
    write(path, "first\n")
    real = os.open
    monkeypatch.setattr(os, "open", lambda *given, **more: (real(*given, **more), seen.append(path.read_text()))[0])
    write(path, "second\n")
    assert seen == ["first\n"]
    assert path.read_text() == "second\n"

"""Merging into the user's own kubeconfig touches nothing else."""

from pathlib import Path

import pytest
import yaml

from madang.cli.kubeconfig import described, merge_into
from madang.cli.refusal import Refusal


def config(name: str, server: str) -> dict[str, object]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": {"server": server}}],
        "users": [{"name": name, "user": {"token": "t"}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "current-context": name,
    }


def test_theirs_stays_and_ours_is_replaced(tmp_path: Path) -> None:
    source, target = tmp_path / "ours", tmp_path / "kube" / "config"
    target.parent.mkdir()
    target.write_text(yaml.safe_dump(config("work", "https://cluster")))
    for server in ("https://127.0.0.1:1", "https://127.0.0.1:2"):
        source.write_text(yaml.safe_dump(config("madang-default", server)))
        assert merge_into(source, target) == "madang-default"
    merged = yaml.safe_load(target.read_text())
    assert merged["current-context"] == "work"
    assert [(c["name"], c["cluster"]["server"]) for c in merged["clusters"]] == [
        ("work", "https://cluster"),
        ("madang-default", "https://127.0.0.1:2"),
    ]
    assert target.stat().st_mode & 0o777 == 0o600


def test_a_broken_file_is_left_alone(tmp_path: Path) -> None:
    source, target = tmp_path / "ours", tmp_path / "config"
    source.write_text(yaml.safe_dump(config("madang-default", "https://127.0.0.1:1")))
    target.write_text("a: [")
    with pytest.raises(Refusal, match="left as it is"):
        merge_into(source, target)
    assert target.read_text() == "a: ["


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    source, real, target = tmp_path / "ours", tmp_path / "real", tmp_path / "config"
    source.write_text(yaml.safe_dump(config("madang-default", "https://127.0.0.1:2")))
    real.write_text(yaml.safe_dump(config("work", "https://cluster")))
    target.symlink_to(real)
    merge_into(source, target)
    assert target.is_symlink() and len(yaml.safe_load(real.read_text())["clusters"]) == 2


def test_what_is_no_kubeconfig_is_left_alone(tmp_path: Path) -> None:
    source, target = tmp_path / "ours", tmp_path / "config"
    source.write_text(yaml.safe_dump(config("madang-default", "https://127.0.0.1:2")))
    target.write_text("- a list")
    with pytest.raises(Refusal, match="it holds no map"):
        merge_into(source, target)
    assert target.read_text() == "- a list"


def test_for_scripts_it_says_where_it_leads(tmp_path: Path) -> None:
    path = tmp_path / "kubeconfig"
    made = config("madang-default", "https://127.0.0.1:1")
    made["contexts"][0]["context"]["namespace"] = "shop"  # type: ignore[index]
    path.write_text(yaml.safe_dump(made))
    assert described(path) == {"kubeconfig": str(path), "namespace": "shop", "server": "https://127.0.0.1:1"}

"""Which files are an application."""

from pathlib import Path

import pytest

from madang import app
from madang.app.find import find

MANIFEST = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"


def test_a_folder_s_compose_file_with_its_override(tmp_path: Path) -> None:
    for name in ("compose.yaml", "compose.override.yml", "docker-compose.yml", "k.yaml"):
        (tmp_path / name).write_text(MANIFEST if name == "k.yaml" else "services: {}")
    assert find([tmp_path], []).compose == (tmp_path / "compose.yaml", tmp_path / "compose.override.yml")
    assert find([tmp_path], [tmp_path / "docker-compose.yml"]).compose == (tmp_path / "docker-compose.yml",)
    assert find([tmp_path / "k.yaml"], []).manifests == (tmp_path / "k.yaml",)
    assert find([tmp_path], [Path("compose.override.yml")]).compose == (tmp_path / "compose.override.yml",)


def test_a_folder_of_manifests(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "b.yml").write_text(MANIFEST)
    (tmp_path / "a.json").write_text('{"apiVersion": "v1", "kind": "ConfigMap"}')
    (tmp_path / "values.yaml").write_text("x: 1\n")
    assert find([tmp_path], []).manifests == (tmp_path / "a.json", tmp_path / "sub" / "b.yml")
    assert app.found_in(tmp_path) and not app.found_in(tmp_path / "nowhere")


def test_a_courtyard_beside_manifests_is_not_one_of_them(tmp_path: Path) -> None:
    (tmp_path / "pod.yaml").write_text("apiVersion: v1\nkind: Pod\n")
    cache = tmp_path / "m" / "default" / "kubectl"
    cache.mkdir(parents=True)
    (cache / "servergroups.json").write_text('{"kind": "APIGroupList", "apiVersion": "v1"}')
    assert find([tmp_path], []).manifests == (tmp_path / "pod.yaml", cache / "servergroups.json")
    (tmp_path / "m" / "default" / "state.db").touch()
    assert find([tmp_path], []).manifests == (tmp_path / "pod.yaml",)


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(app.ApplicationError, match=r"there is no application here: expected compose.yaml"):
        find([tmp_path], [])
    (tmp_path / "compose.yaml").write_text("services: {}")
    with pytest.raises(app.ApplicationError, match=r"no such file or folder; there is compose.yaml"):
        find([tmp_path / "compse.yaml"], [])


def test_compose_and_manifests_are_two_applications(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text("services: {}")
    (tmp_path / "k.yaml").write_text(MANIFEST)
    with pytest.raises(app.ApplicationError, match="two applications"):
        find([tmp_path / "compose.yaml", tmp_path / "k.yaml"], [])


def test_the_variable_that_names_the_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.yml").write_text("services: {}")
    monkeypatch.setenv("COMPOSE_FILE", str(tmp_path / "a.yml"))
    assert find([], []).compose == (tmp_path / "a.yml",)

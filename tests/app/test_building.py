"""What is made before pods start, and `up --watch`'s second reading."""

import asyncio
from pathlib import Path

import pytest

from madang import app
from madang.app.building import prepare
from madang.app.fresh import refreshed
from madang.ports.program import load
from tests.api.house import house
from tests.app.compose.project_files import application, container, write

TEXT = "services: {a: {build: a}, b: {build: b}}"


def sources(folder: Path, last: str = 'CMD ["x"]') -> None:
    for name in ("a", "b"):
        (folder / name).mkdir(exist_ok=True)
        (folder / name / "Dockerfile").write_text(f"FROM alpine\nWORKDIR /app\n{last}\n")


def test_programs_are_saved_where_pods_look_for_them(tmp_path: Path) -> None:
    sources(tmp_path)
    made = application(tmp_path, TEXT)
    asyncio.run(app.build(made, tmp_path / "home", lambda service, line, step=False: None))
    program = load(tmp_path / "home", container(made, "a")["image"])
    assert program is not None and program.command == ("x",) and program.cwd == "/app"


def test_every_failure_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sources(tmp_path)
    for name in ("a", "b"):
        (tmp_path / name / "package.json").write_text("{}")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(app.ApplicationError) as caught:
        asyncio.run(app.build(application(tmp_path, TEXT), tmp_path / "home", lambda service, line, step=False: None))
    assert sorted(m.partition(":")[0] for m in caught.value.messages) == ["a", "b"]
    assert "there is no npm on PATH" in caught.value.messages[0]


def test_a_changed_file_is_applied_and_a_wrong_one_is_not(tmp_path: Path) -> None:
    sources(tmp_path)
    made = application(tmp_path, TEXT)
    said: list[str] = []

    async def main() -> None:
        async with house() as api:
            await app.apply(api, made)
            (tmp_path / "a" / "x").write_text("new")
            new = await refreshed(api, made, tmp_path / "home", said.append)
            assert said[-1] == "applied: deployment/a"
            write(tmp_path, compose_yaml="services: {a: {build: nowhere}}")
            assert await refreshed(api, new, tmp_path / "home", said.append) is new
            assert said[-1].startswith("not applied: ") and "the build folder does not exist" in said[-1]
            assert (await api.get("deployments.apps", "p", "b"))["metadata"]["name"] == "b"

    asyncio.run(main())


def test_a_new_volume_belongs_to_who_writes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    owners: list[tuple[Path, int, int]] = []
    monkeypatch.setattr("os.chown", lambda path, uid, gid: owners.append((path, uid, gid)))
    text = """
    services: {a: {image: madang.dev/host, command: x, user: "1234:5", volumes: ["v:/v", "./b:/b"]}}
    volumes: {v: }
    """
    made = application(tmp_path, text)
    folder = tmp_path / "home" / "volumes" / "p" / "v"
    prepare(made)
    prepare(made)
    assert owners == [(folder, 1234, 5)] and folder.is_dir()

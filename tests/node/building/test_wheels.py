"""Dependencies in a folder: the same files by whichever installer, from wheels that the tests make."""

import asyncio
import importlib.util
import os
import shutil
import sys
import zipfile
from pathlib import Path

import pytest

from madang.node.building import wheels
from madang.node.building.interpreter import Python
from madang.node.images.build.requirements import Requirements

PYTHON = Python("/usr/local/bin/python3", "3.11", 36, os.uname().machine)
LINES = ("--no-index", "--find-links wheels", "greet")


def wheel(folder: Path, name: str = "greet", tag: str = "py3-none-any") -> Path:
    """A package with a program that installers write, and one of its own."""
    folder.mkdir(exist_ok=True)
    about = f"{name}-1.0.dist-info"
    files = {
        f"{name}/__init__.py": "def main():\n    print('hello')\n",
        f"{name}-1.0.data/scripts/{name}-own": "#!python\nprint('own')\n",
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{about}/WHEEL": f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: {tag}\n",
        f"{about}/entry_points.txt": f"[console_scripts]\n{name} = {name}:main\n",
    }
    record = "".join(f"{path},,\n" for path in (*files, f"{about}/RECORD"))
    target = folder / f"{name}-1.0-{tag}.whl"
    with zipfile.ZipFile(target, "w") as out:
        for path, text in {**files, f"{about}/RECORD": record}.items():
            out.writestr(path, text)
    return target


def tools() -> dict[str, tuple[str, ...]]:
    uv = shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))
    found: dict[str, tuple[str, ...]] = {"uv": (uv, "pip")} if uv else {}
    if importlib.util.find_spec("pip"):
        found["pip"] = (sys.executable, "-m", "pip")
    return found


def installed(tmp_path: Path, lines: tuple[str, ...] = LINES) -> dict[str, tuple[int, str]]:
    target, work = tmp_path / "target", tmp_path / "work"
    work.mkdir()
    wanted = Requirements(lines, (), "requirements.txt")
    asyncio.run(wheels.install(wanted, PYTHON, tmp_path, target, work, lambda _: None))
    files = sorted(path for path in target.rglob("*") if path.is_file())
    return {str(path.relative_to(target)): (path.stat().st_mode & 0o100, path.read_text()) for path in files}


@pytest.mark.parametrize("tool", ["uv", "pip"])
def test_the_same_files_by_whichever_installer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tool: str) -> None:
    if tool not in tools():
        pytest.skip(f"{tool} is not installed")
    monkeypatch.setattr(wheels, "installer", lambda: tools()[tool])
    wheel(tmp_path / "wheels")
    found = installed(tmp_path)
    about = "greet-1.0.dist-info"
    assert sorted(found) == [
        "bin/greet", "bin/greet-own",
        *(f"{about}/{name}" for name in ("METADATA", "RECORD", "WHEEL", "entry_points.txt")), "greet/__init__.py",
    ]  # fmt: skip
    assert found["bin/greet"][0] and found["bin/greet"][1].startswith("#!/usr/local/bin/python3\nimport sys\n")
    assert found["bin/greet-own"] == (0o100, "#!/usr/local/bin/python3\nprint('own')\n")
    rows = found[f"{about}/RECORD"][1].splitlines()
    assert [row.partition(",")[0] for row in rows] == sorted(found)
    assert rows[0].endswith(f",{len(found['bin/greet'][1])}") and rows[0].startswith("bin/greet,sha256=")


def test_wheels_of_another_platform_are_not_taken(tmp_path: Path) -> None:
    wheel(tmp_path / "wheels", tag="cp39-cp39-win_amd64")
    with pytest.raises(
        wheels.NotInstalled, match=r"(?s)requirements.txt: \S+ could not install what it names:\n.*greet"
    ):
        installed(tmp_path)


def test_wheels_for_the_images_python_and_not_for_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = Python(PYTHON.path, "3.9", 36, "aarch64" if PYTHON.machine == "x86_64" else "x86_64")
    monkeypatch.setattr(sys.modules[__name__], "PYTHON", other)
    wheel(tmp_path / "wheels", tag=f"cp39-cp39-manylinux_2_17_{other.machine}")
    assert "greet/__init__.py" in installed(tmp_path)


@pytest.mark.parametrize(
    ("glibc", "name"),
    [(36, "x86_64-manylinux_2_36"), (30, "x86_64-manylinux_2_28"), (99, "x86_64-manylinux_2_40"),
     (12, "x86_64-manylinux_2_17"), (0, "x86_64-unknown-linux-musl")],
)  # fmt: skip
def test_the_platform_as_uv_names_it(glibc: int, name: str) -> None:
    assert wheels.uv_platform(Python("", "3.11", glibc, "x86_64")) == name


def test_programs_are_not_written_through_links(tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("kept")
    (tmp_path / "link").symlink_to("kept")
    wheels.write_program(tmp_path / "link", b"new")
    assert (tmp_path / "kept").read_text() == "kept"

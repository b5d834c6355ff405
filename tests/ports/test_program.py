"""Programs: what was saved is loaded again, whole; an unknown format is refused by name."""

from pathlib import Path

import pytest

from madang.ports.program import Program, forget, load, save


def test_saved_is_loaded(tmp_path: Path) -> None:
    program = Program(
        reference="shop/cart:dev",
        root=tmp_path / "cart",
        entrypoint=("python",),
        command=("-m", "cart"),
        env={"A": "1"},
        path=("/v/bin",),
        ports=(8080,),
        stop_signal="SIGINT",
    )
    save(tmp_path, program)
    assert load(tmp_path, "shop/cart:dev") == program
    assert load(tmp_path, "shop/cart:other") is None


def test_forgotten_is_unknown_and_forgetting_twice_is_well(tmp_path: Path) -> None:
    save(tmp_path, Program("a", tmp_path))
    forget(tmp_path, "a")
    forget(tmp_path, "a")
    assert load(tmp_path, "a") is None


def test_a_newer_format_is_refused(tmp_path: Path) -> None:
    path = save(tmp_path, Program("a", tmp_path))
    path.write_text(path.read_text().replace('"format": 1', '"format": 2'))
    with pytest.raises(ValueError, match="program a: format 2 is not 1: written by another version of madang"):
        load(tmp_path, "a")


@pytest.mark.parametrize(
    ("command", "args", "argv"),
    [((), (), ("e", "c")), (("x",), (), ("x",)), ((), ("y",), ("e", "y")), (("x",), ("y",), ("x", "y"))],
)
def test_command_and_args_as_a_container_reads_them(
    command: tuple[str, ...], args: tuple[str, ...], argv: tuple[str, ...]
) -> None:
    assert Program("a", Path("/"), entrypoint=("e",), command=("c",)).argv(command, args) == argv

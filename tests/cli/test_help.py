"""Every command has a help with an example."""

import pytest
import typer.main

from madang.cli.main import app

COMMANDS = sorted(typer.main.get_command(app).commands.items())  # type: ignore[attr-defined]


@pytest.mark.parametrize(("name", "command"), COMMANDS, ids=[name for name, _ in COMMANDS])
def test_example(name: str, command: object) -> None:
    text = command.help or ""  # type: ignore[attr-defined]
    example = "KUBECONFIG=$(madang kubeconfig)" if name == "kubeconfig" else f"`madang {name}"
    assert "Example:" in text and example in text, f"madang {name} --help lacks an example"

"""Options that know few words, and an address that must be this machine's: refused before anything starts."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from madang.cli.main import app
from madang.cli.options import as_named
from madang.cli.refusal import Refusal


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["up", "--network", "wifi"], "--network wifi: expected bridge or loopback"),
        (["up", "--runtime", "rocket"], "--runtime rocket: expected auto or container or host"),
        (["status", "--output", "yaml"], "--output yaml: expected json"),
        (["up", "--listen", "192.0.2.77"], "--listen 192.0.2.77: expected an address of this machine"),
    ],
)
def test_refused(words: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MADANG_HOME", str(tmp_path))
    found = CliRunner().invoke(app, words)
    assert isinstance(found.exception, Refusal) and said in found.exception.message and found.exception.code == 2
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("written", "meant"),
    [("my_web", "my-web"), ("Web", "web"), ("web", "web"), ("a.b", "a.b"), ("node/N_1", "node/N_1")],
)
def test_a_service_is_known_by_both_spellings(written: str, meant: str) -> None:
    assert as_named(written) == meant

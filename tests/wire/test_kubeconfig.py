"""The kubeconfig's namespace survives a restart, and a file that cannot be read stops nothing."""

from pathlib import Path

import pytest

from madang.wire.kubeconfig import current_namespace, document, set_namespace, write


def test_the_namespace_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "kubeconfig"
    assert current_namespace(path) == "default"
    write(path, document("x", "https://127.0.0.1:1", "ca", "token"))
    assert path.stat().st_mode & 0o777 == 0o600
    set_namespace(path, "shop")
    assert current_namespace(path) == "shop"


@pytest.mark.parametrize("text", ["", "x: [", "[]", "contexts: 3", "contexts: [1]", "contexts:\n- {}\n"])
def test_a_broken_file_counts_as_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "kubeconfig").write_text(text)
    assert current_namespace(tmp_path / "kubeconfig") == "default"

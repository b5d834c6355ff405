"""kubectl finds the courtyard, and leaves nothing in the home of who runs it."""

from pathlib import Path

import pytest

from madang.cli.courtyards import Courtyard
from madang.cli.kubectl import environment


def test_what_kubectl_keeps_goes_with_the_courtyard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBECACHEDIR", raising=False)
    court = Courtyard("c", tmp_path / "c")
    told = environment(court)
    assert told["KUBECONFIG"] == str(court.kubeconfig)
    assert Path(told["KUBECACHEDIR"]).is_relative_to(court.home)
    monkeypatch.setenv("KUBECACHEDIR", "/own")
    assert environment(court)["KUBECACHEDIR"] == "/own"

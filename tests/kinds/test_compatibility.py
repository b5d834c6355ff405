"""The generated list of kinds."""

from madang.kinds import compatibility
from madang.kinds.table import REVIEWS, SERVED


def test_every_served_kind_is_listed() -> None:
    lines = compatibility.lines()
    assert len(lines) == len(SERVED) + len(REVIEWS) and lines[0].api_version == "v1"
    text = compatibility.markdown()
    assert "| v1 | ConfigMap | all |  | environment and volumes of pods |" in text
    assert "| events.k8s.io/v1 | Event | all |  | the same objects as v1 |" in text
    assert "| metrics.k8s.io/v1beta1 | PodMetrics | get, list |" in text


def test_ignored_fields_are_listed_once() -> None:
    text = compatibility.ignored_markdown()
    assert "| pods | `spec.hostPID` |" in text and "template" not in text

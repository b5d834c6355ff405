"""Which names an ExternalName may have to be followed here."""

import pytest

from madang.kinds.external_name import not_followed, target
from madang.kinds.warnings import WARNINGS


@pytest.mark.parametrize(
    ("name", "leads_to"),
    [
        ("db.data.svc.cluster.local", ("data", "db")),
        ("DB.data.svc.", ("data", "db")),
        ("db.data", None),
        ("svc.cluster.local", None),
        ("db.example.org", None),
        ("", None),
    ],
)
def test_where_it_leads(name: str, leads_to: tuple[str, str] | None) -> None:
    spec = {"type": "ExternalName", "externalName": name}
    assert target(spec) == leads_to
    assert bool(not_followed(spec)) == (leads_to is None)
    said = WARNINGS["services"]({"metadata": {"name": "s"}, "spec": spec}, None)
    assert any("spec.externalName" in text for text in said) == (leads_to is None)


def test_other_services_are_none_of_its_business() -> None:
    spec = {"type": "ClusterIP", "externalName": "db.data.svc"}
    assert target(spec) is None and not not_followed(spec)

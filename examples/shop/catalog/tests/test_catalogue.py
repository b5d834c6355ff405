"""The catalogue's rules on a real SQLite file."""

from pathlib import Path

import pytest
from catalog.model import NoSuchProduct, NotEnough
from catalog.repository import Repository
from catalog.service import Catalogue


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    return Catalogue(Repository(str(tmp_path / "catalog.db")))


def test_a_reservation_takes_goods_once(catalogue: Catalogue) -> None:
    before = catalogue.product(6).stock
    catalogue.reserve("o", 6, 2)
    catalogue.reserve("o", 6, 2)
    assert catalogue.product(6).stock == before - 2


def test_more_than_there_is(catalogue: Catalogue) -> None:
    with pytest.raises(NotEnough, match="99 wanted, 3 left"):
        catalogue.reserve("o", 6, 99)


def test_a_release_gives_back(catalogue: Catalogue) -> None:
    catalogue.reserve("o", 6, 3)
    assert catalogue.release("o") == 1
    assert catalogue.product(6).stock == 3
    assert catalogue.release("o") == 0


def test_unknown_product(catalogue: Catalogue) -> None:
    with pytest.raises(NoSuchProduct):
        catalogue.product(99)


def test_two_instances_on_one_file(tmp_path: Path) -> None:
    one, two = (Catalogue(Repository(str(tmp_path / "catalog.db"))) for _ in range(2))
    one.reserve("o", 6, 1)
    assert two.product(6).stock == 2

"""The page as text."""

from web.html import shop

GOODS = [{"id": 1, "name": "<b>Bowl</b>", "price_cents": 2400, "stock": 3, "picture": "160"}]
WHO = {"web": "web-1", "catalog": "catalog-2", "cart": "cart-1", "orders": "orders-1"}


def test_the_page_shows_goods_cart_and_instances() -> None:
    page = shop(GOODS, {1: 2}, [], WHO, "")
    assert "3 left" in page and "Order for $48.00" in page and "catalog-2" in page


def test_names_are_escaped() -> None:
    page = shop(GOODS, {}, [], WHO, "<script>")
    assert "<b>Bowl" not in page and "<script>" not in page


def test_without_the_catalogue_the_rest_stays() -> None:
    page = shop(None, {1: 1}, None, {**WHO, "catalog": "catalog does not answer", "orders": "orders failed (500)"}, "")
    assert "catalog does not answer" in page and "Cart" in page

"""The middle layer: the rules of the catalogue, without HTTP and without SQL."""

from catalog.model import NoSuchProduct, NotEnough, Product
from catalog.repository import Repository


class Catalogue:
    def __init__(self, repository: Repository) -> None:
        self._repository = repository

    def products(self) -> list[Product]:
        return self._repository.all()

    def product(self, product_id: int) -> Product:
        found = self._repository.one(product_id)
        if found is None:
            raise NoSuchProduct(f"there is no product {product_id}")
        return found

    def reserve(self, order_id: str, product_id: int, quantity: int) -> Product:
        if quantity < 1:
            raise ValueError(f"quantity: expected at least 1, found {quantity}")
        product = self.product(product_id)
        if not self._repository.reserve(order_id, product_id, quantity):
            raise NotEnough(product, quantity)
        return self.product(product_id)

    def release(self, order_id: str) -> int:
        return self._repository.release(order_id)

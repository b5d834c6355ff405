"""What the catalogue speaks of."""

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Product:
    id: int
    name: str
    price_cents: int
    stock: int
    picture: str  # a colour, as a hue from 0 to 359

    def json(self) -> dict[str, object]:
        return asdict(self)


class NoSuchProduct(Exception):
    pass


class NotEnough(Exception):
    """There are fewer than asked for."""

    def __init__(self, product: Product, wanted: int) -> None:
        super().__init__(f"{product.name}: {wanted} wanted, {product.stock} left")
        self.product = product
        self.wanted = wanted

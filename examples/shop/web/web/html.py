"""The page as text: one function a part; everything from outside is escaped."""

import secrets
from collections.abc import Mapping
from html import escape
from typing import Any

OUTCOMES = {
    "paid": "Thank you! Your order is paid.",
    "unpaid": "The bank did not take the charge. Nothing was paid, and the goods are free again.",
    "sold-out": "Something in your cart is sold out.",
    "empty": "Your cart is empty.",
}
STYLE = """
:root { color-scheme: light dark; --ink: light-dark(#23211d, #ece7dd); --paper: light-dark(#faf7f1, #1b1a17);
  --card: light-dark(#fff, #25231f); --line: light-dark(#e4dccd, #3b372f); --accent: light-dark(#2f6f5e, #7cc4ae);
  --soft: light-dark(#756c5d, #a79f90); }
* { box-sizing: border-box } body { margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif } main { max-width: 62rem; margin: 0 auto; padding: 1.5rem }
header { display: flex; align-items: baseline; gap: 1rem; flex-wrap: wrap } h1 { margin: 0; font-size: 1.7rem }
h2 { font-size: 1.1rem; margin: 2rem 0 .6rem } .soft { color: var(--soft) } .said { background: var(--card);
  border-left: 4px solid var(--accent); padding: .6rem 1rem; border-radius: 4px; margin: 1rem 0 }
.goods { display: grid; grid-template-columns: repeat(auto-fill, minmax(13rem, 1fr)); gap: 1rem }
.goods article { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 1rem }
.picture { height: 5rem; border-radius: 8px; display: grid; place-items: center; margin-bottom: .7rem;
  font: 600 2.2rem Georgia, serif; color: #fffc; background: linear-gradient(135deg, hsl(var(--hue) 45% 62%),
  hsl(var(--hue) 40% 40%)) } .price { font-weight: 600 } button { font: inherit; border: 0; border-radius: 6px;
  background: var(--accent); color: var(--paper); padding: .4rem .9rem; cursor: pointer } button[disabled] {
  opacity: .4; cursor: default } table { border-collapse: collapse; width: 100%; background: var(--card);
  border: 1px solid var(--line) } td, th { text-align: left; padding: .45rem .8rem;
  border-bottom: 1px solid var(--line) }
footer { margin-top: 2.5rem; font-size: .85rem } code { font-size: .85em }
"""


def shop(products: Any, items: Mapping[int, int], orders: Any, answered: Mapping[str, str], said: str) -> str:
    told = f'<p class="said" role="status">{escape(said)}</p>' if said else ""
    body = "".join(
        [
            "<header><h1>Madang shop</h1><span class='soft'>five services, one page</span></header>",
            told,
            goods(products, answered["catalog"]),
            basket(products or [], items),
            history(orders, answered["orders"]),
            who(answered),
        ]
    )
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Madang shop</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head>'
        f"<body><main>{body}</main></body></html>"
    )


def money(cents: int) -> str:
    return f"${cents / 100:.2f}"


def goods(products: Any, why: str) -> str:
    if products is None:
        return f"<h2>Goods</h2><p class='said'>{escape(why)}. Your cart is still here.</p>"
    return "<h2>Goods</h2><div class='goods'>" + "".join(card(p) for p in products) + "</div>"


def card(product: Mapping[str, Any]) -> str:
    left = product["stock"]
    stock = "sold out" if not left else f"{left} left" if left < 10 else "in stock"
    off = "" if left else " disabled"
    return (
        f"<article><div class='picture' style='--hue: {escape(product['picture'])}' aria-hidden='true'>"
        f"{escape(product['name'][:1])}</div>"
        f"<div>{escape(product['name'])}</div><div class='price'>{money(product['price_cents'])}</div>"
        f"<p class='soft'>{stock}</p><form method='post' action='/cart'>"
        f"<input type='hidden' name='product' value='{product['id']}'>"
        f"<button{off}>Into the cart</button></form></article>"
    )


def basket(products: Any, items: Mapping[int, int]) -> str:
    if not items:
        return "<h2>Cart</h2><p class='soft'>Empty.</p>"
    known = {p["id"]: p for p in products}
    total = sum(known[i]["price_cents"] * n for i, n in items.items() if i in known)
    rows = "".join(line(known.get(i), i, n) for i, n in items.items())
    return (
        f"<h2>Cart</h2><table><tr><th>What</th><th>How many</th><th>Price</th></tr>{rows}</table>"
        f"<form method='post' action='/order'><input type='hidden' name='key' value='{secrets.token_hex(8)}'>"
        f"<p><button>Order for {money(total)}</button></p></form>"
    )


def line(product: Mapping[str, Any] | None, number: int, quantity: int) -> str:
    name = escape(product["name"]) if product else f"product {number}"
    price = money(product["price_cents"] * quantity) if product else "?"
    return f"<tr><td>{name}</td><td>{quantity}</td><td>{price}</td></tr>"


def history(orders: Any, why: str) -> str:
    if orders is None:
        return f"<h2>Orders</h2><p class='said'>{escape(why)}.</p>"
    if not orders:
        return ""
    rows = "".join(
        f"<tr><td><code>{escape(o['id'])}</code></td><td>{money(o['total_cents'])}</td><td>{escape(o['state'])}</td></tr>"
        for o in orders
    )
    return f"<h2>Orders</h2><table><tr><th>Order</th><th>Total</th><th>State</th></tr>{rows}</table>"


def who(answered: Mapping[str, str]) -> str:
    parts = " · ".join(f"{escape(service)} <code>{escape(instance)}</code>" for service, instance in answered.items())
    return f"<footer class='soft'>answered by: {parts}</footer>"

"""Carts: what somebody means to buy."""

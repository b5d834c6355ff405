"""The catalogue in plain layers: api (HTTP) -> service (rules) -> repository (SQLite); model is what they speak of.

Each layer calls only the one below it.
"""
